import Architectures

/// Writes a model as an ONNX file (operator set 17) for any runtime that reads the format.
///
/// Inputs are `input_ids`, `attention_mask` and `token_type_ids`, int64 [batch, sequence], both sizes free, the sequence at
/// most as long as the model has positions. A mask is ones, then zeros. A sentence gives the same result whatever it is
/// batched with.
public struct OnnxExport: Sendable {
  /// How the heads of a layer become operators.
  public enum HeadForm: String, Sendable, CaseIterable {
    /// All heads of one operation together.
    case batched
    /// A chain of operators for every head.
    case chain
  }

  /// What the model gives.
  public enum Head: String, Sendable, CaseIterable {
    /// `logits` [batch, labels].
    case classifier
    /// `logits` [batch, sequence, vocabulary].
    case maskedLanguageModel = "mlm"
    /// `last_hidden_state` [batch, sequence, hidden size]; rows of padding are of no meaning.
    case hidden
    /// `sentence_embedding` [batch, hidden size]: the mean over the tokens.
    case mean
  }

  public var headForm: HeadForm
  /// nil takes the first that the model has weights for.
  public var head: Head?

  public init(headForm: HeadForm = .batched, head: Head? = nil) {
    self.headForm = headForm
    self.head = head
  }

  /// Writes `model` to `path`; where that would be above 2 GB, its numbers go to `<path>.data`.
  ///
  /// - Throws: ``ModelFileError`` where the model lacks a tensor, or the file cannot be written.
  public func write(_ model: Model, to path: String) throws(ModelFileError) {
    let (graph, interface) = try build(model)
    try OnnxFile.write(graph, interface: interface, to: path)
  }

  func build(_ model: Model) throws(ModelFileError) -> (OnnxGraph, Onnx_GraphProto) {
    var builder = OnnxBuilder(model: model, form: headForm)
    var states = try builder.encoder()
    let head = head ?? model.firstHead
    let output: (name: String, shape: [Dimension])
    let last = model.architecture.layers.last?.hiddenSize ?? 0
    switch head {
    case .classifier:
      let labels = model.labels ?? 0
      guard labels > 0 else {
        throw ModelFileError(
          source: "model", field: "classifier.weight", problem: "the model has no classifier; export another head")
      }
      output = ("logits", [.named("batch"), .fixed(labels)])
      try builder.classifier(&states, labels: labels, output: output.name)
    case .maskedLanguageModel:
      output = ("logits", [.named("batch"), .named("sequence"), .fixed(model.architecture.vocabularySize)])
      try builder.maskedLanguageModel(&states, output: output.name)
    case .hidden:
      output = ("last_hidden_state", [.named("batch"), .named("sequence"), .fixed(last)])
      builder.hidden(states, output: output.name)
    case .mean:
      output = ("sentence_embedding", [.named("batch"), .fixed(last)])
      builder.mean(states, output: output.name)
    }
    var interface = Onnx_GraphProto()
    interface.name = "edgetwin"
    interface.input = OnnxBuilder.inputs.map {
      Self.value($0, type: .int64, [.named("batch"), .named("sequence")])
    }
    interface.output = [Self.value(output.name, type: .float, output.shape)]
    return (builder.graph, interface)
  }

  private enum Dimension {
    case fixed(Int)
    case named(String)
  }

  private static func value(
    _ name: String, type: Onnx_TensorProto.DataType, _ shape: [Dimension]
  ) -> Onnx_ValueInfoProto {
    var value = Onnx_ValueInfoProto()
    value.name = name
    value.type.tensorType.elemType = Int32(type.rawValue)
    value.type.tensorType.shape.dim = shape.map { dimension in
      var result = Onnx_TensorShapeProto.Dimension()
      switch dimension {
      case .fixed(let size): result.dimValue = Int64(size)
      case .named(let name): result.dimParam = name
      }
      return result
    }
    return value
  }
}

extension Model {
  fileprivate var firstHead: OnnxExport.Head {
    if labels != nil { return .classifier }
    return hasMaskedLanguageModel ? .maskedLanguageModel : .hidden
  }
}
