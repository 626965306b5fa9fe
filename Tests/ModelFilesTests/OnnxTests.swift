import Architectures
import Foundation
import SwiftProtobuf
import Testing

@testable import ModelFiles

@Suite struct OnnxTests {
  private func export(
    _ model: Model, _ export: OnnxExport = OnnxExport(), largest: Int = OnnxFile.largestGraphBytes
  ) throws -> Onnx_ModelProto {
    let folder = try Folder()
    let (graph, interface) = try export.build(model)
    try OnnxFile.write(graph, interface: interface, to: folder.path("m.onnx"), largest: largest)
    return try Onnx_ModelProto(serializedBytes: Data(contentsOf: URL(filePath: folder.path("m.onnx"))))
  }

  private func model(_ position: Architecture.Position, head: OnnxExport.Head? = nil) -> Model {
    Model.initialised(
      mixedArchitecture(position), labels: head == .hidden ? nil : 3, maskedLanguageModel: head == .maskedLanguageModel,
      seed: 4)
  }

  /// What every reader of the format demands of a graph.
  private func check(_ model: Onnx_ModelProto) {
    #expect(model.irVersion == 8 && model.opsetImport.map(\.version) == [17] && model.opsetImport[0].domain.isEmpty)
    var known = Set(model.graph.input.map(\.name))
    for constant in model.graph.initializer {
      #expect(known.insert(constant.name).inserted, "\(constant.name) is there twice")
      let size = constant.dataType == Int32(Onnx_TensorProto.DataType.int64.rawValue) ? 8 : 4
      #expect(constant.rawData.count == size * Int(constant.dims.reduce(1, *)), "\(constant.name)")
    }
    var nodeNames: Set<String> = []
    var used: Set<String> = []
    for node in model.graph.node {
      #expect(nodeNames.insert(node.name).inserted)
      for input in node.input { #expect(known.contains(input), "\(node.name) reads \(input) before it is there") }
      for output in node.output { #expect(known.insert(output).inserted) }
      used.formUnion(node.input)
    }
    for output in model.graph.output { #expect(known.contains(output.name)) }
    // Nothing is computed or stored in vain.
    used.formUnion(model.graph.output.map(\.name))
    used.formUnion(model.graph.input.map(\.name))
    #expect(known.subtracting(used).isEmpty, "unused: \(known.subtracting(used).sorted())")
  }

  @Test(arguments: Architecture.Position.allCases, OnnxExport.HeadForm.allCases)
  func graphsAreWellFormed(position: Architecture.Position, form: OnnxExport.HeadForm) throws {
    for head in OnnxExport.Head.allCases {
      let proto = try export(model(position, head: head), OnnxExport(headForm: form, head: head))
      check(proto)
      #expect(proto.graph.input.map(\.name) == ["input_ids", "attention_mask", "token_type_ids"])
      for input in proto.graph.input {
        #expect(input.type.tensorType.elemType == 7)
        #expect(input.type.tensorType.shape.dim.map(\.dimParam) == ["batch", "sequence"])
      }
      let name =
        switch head {
        case .classifier, .maskedLanguageModel: "logits"
        case .hidden: "last_hidden_state"
        case .mean: "sentence_embedding"
        }
      #expect(proto.graph.output.map(\.name) == [name] && proto.graph.output[0].type.tensorType.elemType == 1)
    }
  }

  @Test func firstHeadThatTheModelHasIsTaken() throws {
    #expect(try export(model(.absolute)).graph.output[0].type.tensorType.shape.dim.last?.dimValue == 3)
    var bare = model(.absolute, head: .hidden)
    #expect(try export(bare).graph.output[0].name == "last_hidden_state")
    let error = expectedError { () throws(ModelFileError) in try OnnxExport(head: .classifier).build(bare) }
    #expect(error?.description.contains("classifier") == true)
    bare.labels = 2
    let missing = expectedError { () throws(ModelFileError) in try OnnxExport(head: .classifier).build(bare) }
    #expect(missing?.description.contains("classifier.weight: the tensor is missing") == true)
    bare.weights["encoder.layer.0.attention.self.heads.1.wma.weight"] = nil
    #expect(expectedError { () throws(ModelFileError) in try OnnxExport(head: .hidden).build(bare) } != nil)
  }

  @Test func headsOfOneKindAreBatched() throws {
    let layer = Architecture.Layer(
      hiddenSize: 6, headSize: 2, heads: [.convolution5, .scaledDotProduct, .convolution5, .scaledDotProduct],
      feedForward: [4])
    let architecture = Architecture(
      vocabularySize: 5, maximumPositions: 4, typeVocabularySize: 1, position: .absolute, layers: [layer])
    let model = Model.initialised(architecture, labels: 2, maskedLanguageModel: false, seed: 1)
    let batched = try export(model)
    let chain = try export(model, OnnxExport(headForm: .chain))
    func count(_ operation: String, _ proto: Onnx_ModelProto) -> Int {
      proto.graph.node.count { $0.opType == operation }
    }
    // Softmax: one of attention and one of the taps' weights for each group.
    #expect(count("Softmax", batched) == 2 && count("Softmax", chain) == 4)
    #expect(count("Conv", batched) == 1 && count("Conv", chain) == 2)
    // Heads come as 1, 3, 0, 2, and the rows of what follows them in the same order.
    let stored = try #require(
      batched.graph.initializer.first { $0.name == "layer.0/attention/output_weight" })
    let found = stored.rawData.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    let weight = try #require(model.weights["encoder.layer.0.attention.output.dense.weight"]).values
    for (row, column) in [2, 3, 6, 7, 0, 1, 4, 5].enumerated() {
      for output in 0..<6 { #expect(found[row * 6 + output] == weight[output * 8 + column]) }
    }
  }

  /// The pattern that ONNX Runtime's optimiser knows of BERT: bias and GELU, scaled scores, mask of three operators.
  @Test func plainBERTHasTheUsualOperators() throws {
    let layer = Architecture.Layer(
      hiddenSize: 8, headSize: 4, heads: [.scaledDotProduct, .scaledDotProduct], feedForward: [16])
    let architecture = Architecture(
      vocabularySize: 5, maximumPositions: 4, typeVocabularySize: 1, position: .absolute, layers: [layer, layer])
    let proto = try export(Model.initialised(architecture, labels: 2, maskedLanguageModel: false, seed: 1))
    var counts: [String: Int] = [:]
    for node in proto.graph.node { counts[node.opType, default: 0] += 1 }
    let expected = [
      "Shape": 1, "Slice": 2, "Gather": 3, "LayerNormalization": 5, "MatMul": 16, "Softmax": 2, "Erf": 2, "Div": 4,
      "Reshape": 8, "Transpose": 8, "Gemm": 2, "Tanh": 1, "Unsqueeze": 2, "Cast": 1, "Sub": 1, "Mul": 5, "Add": 22,
    ]
    #expect(counts == expected)
  }

  @Test func largeModelsHaveTheirNumbersInASecondFile() throws {
    let folder = try Folder()
    let model = model(.relativeKey)
    let (graph, interface) = try OnnxExport().build(model)
    try OnnxFile.write(graph, interface: interface, to: folder.path("one.onnx"))
    try OnnxFile.write(graph, interface: interface, to: folder.path("two.onnx"), largest: 1_000)
    #expect(folder.contents == ["one.onnx", "two.onnx", "two.onnx.data"])
    let one = try Onnx_ModelProto(serializedBytes: Data(contentsOf: URL(filePath: folder.path("one.onnx"))))
    let two = try Onnx_ModelProto(serializedBytes: Data(contentsOf: URL(filePath: folder.path("two.onnx"))))
    let data = try Data(contentsOf: URL(filePath: folder.path("two.onnx.data")))
    #expect(one.graph.node == two.graph.node && one.graph.initializer.count == two.graph.initializer.count)
    for (a, b) in zip(one.graph.initializer, two.graph.initializer) {
      #expect(a.name == b.name && a.dims == b.dims && a.dataType == b.dataType)
      guard b.dataLocation == .external else {
        #expect(a.rawData == b.rawData)
        continue
      }
      let entries = Dictionary(uniqueKeysWithValues: b.externalData.map { ($0.key, $0.value) })
      #expect(entries["location"] == "two.onnx.data")
      let offset = try #require(entries["offset"].flatMap { Int($0) })
      let length = try #require(entries["length"].flatMap { Int($0) })
      #expect(offset % 64 == 0 && data[offset..<(offset + length)] == a.rawData)
    }
  }

  /// A model whose numbers are no longer what their header says is an error, not a broken file.
  @Test func wrongCountsAreFound() throws {
    let folder = try Folder()
    var graph = OnnxGraph()
    _ = graph.constant("x", shape: [2, 2], .made { [1, 2, 3] })
    let error = expectedError { () throws(ModelFileError) in
      try OnnxFile.write(graph, interface: Onnx_GraphProto(), to: folder.path("m.onnx"))
    }
    #expect(error?.description.contains("3 numbers") == true && folder.contents.isEmpty)
  }
}
