import Architectures
import Foundation
import Testing

@testable import ModelFiles

@Suite struct HuggingFaceTests {
  private let configuration = """
    {"model_type":"bert","hidden_size":8,"num_hidden_layers":1,"num_attention_heads":2,"intermediate_size":12,
     "vocab_size":11,"max_position_embeddings":6,"type_vocab_size":2,"hidden_act":"gelu","layer_norm_eps":1e-5}
    """

  private func folder(_ rename: (String) -> String?, extra: [String: Tensor] = [:]) throws -> Folder {
    let folder = try Folder()
    _ = try folder.write([UInt8](configuration.utf8), to: "config.json")
    let layer = Architecture.Layer(
      hiddenSize: 8, headSize: 4, heads: [.scaledDotProduct, .scaledDotProduct], feedForward: [12])
    let architecture = Architecture(
      vocabularySize: 11, maximumPositions: 6, typeVocabularySize: 2, position: .absolute, layers: [layer])
    let model = Model.initialised(architecture, labels: 3, maskedLanguageModel: true, seed: 1)
    var tensors = extra
    for (name, tensor) in model.weights.dictionary {
      if let name = rename(name) { tensors[name] = tensor }
    }
    try SafetensorsWriter.write(tensors, to: folder.path("model.safetensors"))
    return folder
  }

  @Test func withPrefixAndOldNormNames() throws {
    let positions = Tensor(shape: [1, 6], repeating: 0)
    let folder = try folder(
      { name in
        let isHead = name.hasPrefix("cls.") || name.hasPrefix("classifier.")
        let old = name.replacing("LayerNorm.weight", with: "LayerNorm.gamma")
          .replacing("LayerNorm.bias", with: "LayerNorm.beta")
          .replacing("cls.predictions.decoder.bias", with: "cls.predictions.bias")
        return isHead ? old : "bert.\(old)"
      }, extra: ["bert.embeddings.position_ids": positions, "cls.seq_relationship.weight": positions])
    let model = try Model.open(folder: folder.url.path)
    #expect(model.layerNormEpsilon == 1e-5 && model.labels == 3 && model.hasMaskedLanguageModel)
    #expect(model.weights["embeddings.LayerNorm.weight"]?.values == Array(repeating: 1, count: 8))
    #expect(model.weights.contains("cls.predictions.decoder.bias"))
    #expect(!model.weights.contains("embeddings.position_ids"))
    #expect(try model.maskedLanguageModelDecoder().shape == [11, 8])
  }

  @Test func namesOfLabelsAreAHint() throws {
    let folder = try folder { $0 }
    let named = configuration.replacing(
      "}", with: #","id2label":{"0":"contradiction","1":"neutral","2":"entailment"}}"#)
    _ = try folder.write([UInt8](named.utf8), to: "config.json")
    let model = try Model.open(folder: folder.url.path)
    #expect(model.hintedLabelNames == ["contradiction", "neutral", "entailment"] && model.labelNames == nil)
    // Of no meaning to us, so nothing that could be wrong with it.
    _ = try folder.write([UInt8](configuration.replacing("}", with: #","id2label":[1]}"#).utf8), to: "config.json")
    #expect(try Model.open(folder: folder.url.path).hintedLabelNames == nil)
  }

  @Test func encoderOnlyWithoutPrefix() throws {
    let folder = try folder { $0.hasPrefix("cl") || $0.hasPrefix("pooler") ? nil : $0 }
    let model = try Model.open(folder: folder.url.path)
    #expect(model.labels == nil && !model.hasMaskedLanguageModel && !model.weights.contains("pooler.dense.weight"))
    #expect(model.architecture.layers[0].headSize == 4 && model.architecture.position == .absolute)
  }

  @Test func robertaIsRefused() throws {
    let folder = try folder { $0 }
    _ = try folder.write(
      [UInt8](configuration.replacing("\"bert\"", with: "\"roberta\"").utf8), to: "config.json")
    let error = expectedError { () throws(ModelFileError) in try Model.open(folder: folder.url.path) }
    #expect(error?.description.contains("RoBERTa") == true)
  }

  private static let miniLM = ProcessInfo.processInfo.environment["EDGETWIN_MINILM"]

  /// all-MiniLM-L6-v2: `EDGETWIN_MINILM` names its folder.
  @Test(.enabled(if: miniLM != nil, "EDGETWIN_MINILM is not set"))
  func miniLMOpensAsItIs() throws {
    let model = try Model.open(folder: try #require(Self.miniLM))
    #expect(model.architecture.layers.count == 6 && model.architecture.embeddingWidth == 384)
    #expect(model.architecture.parameterCount(.native).total == 22_713_216)
    let total = model.weights.names.reduce(0) { $0 + (model.weights[$1]?.count ?? 0) }
    #expect(total == 22_713_216)
    #expect(model.layerNormEpsilon == 1e-12 && model.labels == nil)
    let norm = try model.weights.tensor("encoder.layer.5.output.LayerNorm.weight", shape: [384]).values
    #expect(norm.allSatisfy { $0.isFinite && $0 != 0 })
  }
}
