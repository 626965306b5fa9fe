import Architectures
import Foundation
import Testing

@testable import ModelFiles

@Suite struct ModelTests {
  @Test func namesAndShapesFollowTheTable() {
    let list = mixedArchitecture().tensorSpecifications(labels: 3, maskedLanguageModel: true)
    let shapes = Dictionary(uniqueKeysWithValues: list.map { ($0.name, $0.shape) })
    let self0 = "encoder.layer.0.attention.self"
    let expected: [String: [Int]] = [
      "embeddings.word_embeddings.weight": [31, 28], "embeddings.token_type_embeddings.weight": [2, 28],
      "embeddings.LayerNorm.weight": [28], "embeddings.LayerNorm.bias": [28],
      "\(self0).query.weight": [28, 28], "\(self0).query.bias": [28], "\(self0).key.weight": [28, 28],
      "\(self0).value.bias": [28], "\(self0).distance_embedding.weight": [23, 4],
      "\(self0).heads.1.wma.weight": [4, 4],
      "\(self0).heads.4.convolution.depthwise.weight": [4, 5],
      "\(self0).heads.6.convolution.depthwise.weight": [4, 13],
      "\(self0).heads.5.convolution.pointwise.weight": [4, 4], "\(self0).heads.5.convolution.pointwise.bias": [4],
      "\(self0).heads.5.convolution.span.weight": [9, 4], "\(self0).heads.5.convolution.span.bias": [9],
      "\(self0).heads.5.convolution.value.weight": [4, 4], "\(self0).heads.5.convolution.value.bias": [4],
      "encoder.layer.0.attention.output.dense.weight": [28, 28],
      "encoder.layer.0.attention.output.LayerNorm.bias": [28],
      "encoder.layer.0.intermediate.dense.weight": [17, 28], "encoder.layer.0.intermediate.stack.0.weight": [9, 17],
      "encoder.layer.0.output.dense.weight": [28, 9], "encoder.layer.0.output.LayerNorm.weight": [28],
      "encoder.layer.0.join.weight": [12, 28], "encoder.layer.0.join.bias": [12],
      "encoder.layer.1.attention.self.query.weight": [20, 12],
      "encoder.layer.1.attention.output.dense.weight": [12, 20],
      "encoder.layer.1.join.weight": [16, 12], "encoder.layer.2.intermediate.stack.1.weight": [7, 6],
      "pooler.dense.weight": [16, 16], "classifier.weight": [3, 16], "classifier.bias": [3],
      "cls.predictions.transform.dense.weight": [16, 16], "cls.predictions.transform.LayerNorm.weight": [16],
      "cls.predictions.decoder.weight": [31, 16], "cls.predictions.decoder.bias": [31],
    ]
    for (name, shape) in expected { #expect(shapes[name] == shape, "\(name)") }
    for absent in [
      "embeddings.position_embeddings.weight", "encoder.layer.2.join.weight", "\(self0).heads.0.wma.weight",
      "encoder.layer.1.intermediate.stack.0.weight",
    ] { #expect(shapes[absent] == nil, "\(absent)") }
    let absolute = mixedArchitecture(.absolute).tensorSpecifications(labels: nil, maskedLanguageModel: false)
    #expect(absolute.contains { $0.name == "embeddings.position_embeddings.weight" && $0.shape == [12, 28] })
    #expect(!absolute.contains { $0.name.contains("distance") || $0.name.hasPrefix("cl") })
  }

  /// The tensors hold as many numbers as the published formula counts.
  @Test(arguments: Architecture.Position.allCases)
  func specificationsHoldTheParametersThatAreCounted(position: Architecture.Position) {
    let architecture = mixedArchitecture(position)
    let total = architecture.tensorSpecifications(labels: nil, maskedLanguageModel: false)
      .reduce(0) { $0 + $1.shape.reduce(1, *) }
    #expect(total == architecture.parameterCount(.native).total)
  }

  @Test func decoderIsTiedWhereItFits() {
    let layer = Architecture.Layer(hiddenSize: 8, headSize: 4, heads: [.scaledDotProduct], feedForward: [8])
    let same = Architecture(
      vocabularySize: 9, maximumPositions: 4, typeVocabularySize: 1, position: .absolute, layers: [layer, layer])
    let name = "cls.predictions.decoder.weight"
    func names(_ architecture: Architecture, ties: Bool) -> [String] {
      architecture.tensorSpecifications(labels: nil, maskedLanguageModel: true, tiesDecoder: ties).map(\.name)
    }
    #expect(!names(same, ties: true).contains(name) && names(same, ties: false).contains(name))
    #expect(names(mixedArchitecture(), ties: true).contains(name))
    let model = Model.initialised(same, labels: nil, maskedLanguageModel: true, seed: 1)
    #expect(model.hasMaskedLanguageModel)
    #expect(
      (try? model.maskedLanguageModelDecoder().values) == model.weights["embeddings.word_embeddings.weight"]?.values)
  }

  @Test func initialDistributions() throws {
    let layer = Architecture.Layer(
      hiddenSize: 64, headSize: 64, heads: [.weightedMultiplicative, .convolution5], feedForward: [64])
    let architecture = Architecture(
      vocabularySize: 2_000, maximumPositions: 40, typeVocabularySize: 2, position: .relativeKey, layers: [layer])
    let model = Model.initialised(architecture, labels: 2, maskedLanguageModel: true, seed: 3)
    let words = try #require(model.weights["embeddings.word_embeddings.weight"]).values.map { Double($0) / 0.02 }
    let count = Double(words.count)
    let mean = words.reduce(0, +) / count
    let moments = [2, 3, 4].map { power in words.reduce(0) { $0 + pow($1 - mean, Double(power)) } / count }
    // Four standard errors of each moment of 128 000 standard normals.
    #expect(abs(mean) < 4 / count.squareRoot())
    #expect(abs(moments[0] - 1) < 4 * (2 / count).squareRoot())
    #expect(abs(moments[1]) < 4 * (15 / count).squareRoot())
    #expect(abs(moments[2] - 3) < 4 * (96 / count).squareRoot())
    let wma = try #require(model.weights["encoder.layer.0.attention.self.heads.0.wma.weight"]).values.map(Double.init)
    #expect(wma.allSatisfy { abs($0) <= 0.1 } && (wma.max() ?? 0) > 0.099 && (wma.min() ?? 0) < -0.099)
    let variance = wma.reduce(0) { $0 + $1 * $1 } / Double(wma.count)
    #expect(abs(variance / (0.01 / 3) - 1) < 4 * (0.8 / Double(wma.count)).squareRoot())
    for name in model.weights.names {
      let values = try #require(model.weights[name]).values
      if name.hasSuffix("bias") { #expect(values.allSatisfy { $0 == 0 }, "\(name)") }
      if name.hasSuffix("LayerNorm.weight") { #expect(values.allSatisfy { $0 == 1 }, "\(name)") }
    }
  }

  @Test func seedAndNameDecide() throws {
    let wide = Model.initialised(mixedArchitecture(), labels: 2, maskedLanguageModel: true, seed: 9)
    let again = Model.initialised(mixedArchitecture(), labels: nil, maskedLanguageModel: false, seed: 9)
    for name in again.weights.names { #expect(again.weights[name]?.values == wide.weights[name]?.values) }
    let other = Model.initialised(mixedArchitecture(), labels: 2, maskedLanguageModel: true, seed: 10)
    let query = "encoder.layer.0.attention.self.query.weight"
    #expect(other.weights[query]?.values != wide.weights[query]?.values)
    #expect(wide.weights[query]?.values != wide.weights["encoder.layer.0.attention.self.key.weight"]?.values)
  }

  @Test func foldersReadBack() throws {
    let folder = try Folder()
    var model = Model.initialised(mixedArchitecture(), labels: 4, maskedLanguageModel: true, seed: 2)
    model.layerNormEpsilon = 1e-7
    try model.write(folder: folder.path("new/model"))
    #expect(FileManager.default.fileExists(atPath: folder.path("new/model/config.json")))
    let back = try Model.open(folder: folder.path("new/model"))
    #expect(back.architecture == model.architecture && back.labels == 4 && back.layerNormEpsilon == 1e-7)
    #expect(back.weights.names == model.weights.names)
    for name in back.weights.names {
      #expect(back.weights[name]?.isMapped == true)
      #expect(back.weights[name]?.values == model.weights[name]?.values)
    }
    // Onto itself: the mapped file lives on until the new one is in its place.
    try back.write(folder: folder.path("new/model"))
    let third = try Model.open(folder: folder.path("new/model"))
    #expect(third.weights["classifier.weight"]?.values == model.weights["classifier.weight"]?.values)
    #expect(back.weights["classifier.weight"]?.values == model.weights["classifier.weight"]?.values)
  }

  @Test func missingAndMisshapenTensorsAreNamed() throws {
    let folder = try Folder()
    let model = Model.initialised(mixedArchitecture(), labels: nil, maskedLanguageModel: false, seed: 2)
    try model.write(folder: folder.path("m"))
    func failure(_ change: (inout [String: Tensor]) -> Void) throws -> String {
      var tensors = model.weights.dictionary
      change(&tensors)
      try SafetensorsWriter.write(tensors, to: folder.path("m/model.safetensors"))
      return expectedError { () throws(ModelFileError) in try Model.open(folder: folder.path("m")) }?.description ?? ""
    }
    let name = "encoder.layer.1.attention.self.heads.0.convolution.span.bias"
    #expect(try failure { $0[name] = nil }.contains("\(name): the tensor is missing"))
    let misshapen = try failure { $0["encoder.layer.0.join.weight"] = Tensor(shape: [28, 12], repeating: 0) }
    #expect(misshapen.contains("join.weight: has shape [28, 12]; the architecture needs [12, 28]"))
    #expect(
      try failure { $0["bert.embeddings.LayerNorm.bias"] = $0["embeddings.LayerNorm.bias"] }.contains("same tensor"))
    #expect(try failure { $0["classifier.weight"] = Tensor(shape: [2, 5], repeating: 0) }.contains("[2, 16]"))
    #expect(try failure { $0["pooler.dense.weight"] = Tensor(shape: [2], repeating: 0) }.contains("pooler"))
    // Without the pooler the model opens, and says what is missing when it is asked for.
    #expect(try failure { $0["pooler.dense.weight"] = nil }.isEmpty)
    let encoder = try Model.open(folder: folder.path("m"))
    let error = expectedError { () throws(ModelFileError) in
      try encoder.weights.tensor("pooler.dense.weight", shape: [16, 16])
    }
    #expect(error?.description.contains("pooler.dense.weight: the tensor is missing") == true)
  }

  @Test func badFolders() throws {
    let folder = try Folder()
    func failure(_ name: String) -> String {
      expectedError { () throws(ModelFileError) in try Model.open(folder: folder.path(name)) }?.description ?? ""
    }
    #expect(failure("none").contains("no such folder"))
    _ = try folder.write([1], to: "file")
    #expect(failure("file").contains("is no folder"))
    #expect(failure("").contains("config.json"))
    try FileManager.default.createDirectory(atPath: folder.path("m"), withIntermediateDirectories: false)
    _ = try folder.write([UInt8]("{\"schema\":\"edgetwin.architecture/2\"}".utf8), to: "m/config.json")
    #expect(failure("m").contains("version 2"))
    _ = try folder.write([UInt8](mixedArchitecture().jsonLine.utf8), to: "m/config.json")
    #expect(failure("m").contains("has no model.safetensors"))
    _ = try folder.write([1], to: "m/pytorch_model.bin")
    #expect(failure("m").contains("convert it"))
  }
}
