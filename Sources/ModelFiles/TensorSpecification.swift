import Architectures

/// A tensor that a model has: its name without a leading `bert.`, its shape, and what it starts as.
public struct TensorSpecification: Sendable, Hashable {
  /// Values before training.
  public enum Initial: Sendable, Hashable {
    /// Normal with mean 0 and standard deviation 0.02 (Devlin et al. 2019).
    case normal
    /// Uniform in −0.1…0.1: the matrix of weighted multiplicative attention.
    case uniform
    case zero
    case one
  }

  public var name: String
  public var shape: [Int]
  public var initial: Initial

  public init(name: String, shape: [Int], initial: Initial) {
    self.name = name
    self.shape = shape
    self.initial = initial
  }
}

extension Architecture {
  /// All tensors of a model of this architecture, in the order of computation: encoder, pooler, then the heads asked
  /// for. Names are Hugging Face's wherever it has one.
  ///
  /// - Parameters:
  ///   - labels: width of the classifier; nil for none.
  ///   - maskedLanguageModel: with the masked-LM head. Its decoder is the word embeddings themselves (*tied*, no
  ///     tensor) where ``canTieDecoder`` and `tiesDecoder` say so.
  public func tensorSpecifications(
    labels: Int?, maskedLanguageModel: Bool, tiesDecoder: Bool = true
  ) -> [TensorSpecification] {
    let last = layers.last?.hiddenSize ?? 0
    var list = encoderSpecifications + poolerSpecifications
    if let labels { list += Self.linear("classifier", labels, last) }
    if maskedLanguageModel {
      list += Self.linear("cls.predictions.transform.dense", last, last)
      list += Self.norm("cls.predictions.transform.LayerNorm", last)
      if !(tiesDecoder && canTieDecoder) {
        list.append(
          TensorSpecification(name: "cls.predictions.decoder.weight", shape: [vocabularySize, last], initial: .normal))
      }
      list.append(TensorSpecification(name: "cls.predictions.decoder.bias", shape: [vocabularySize], initial: .zero))
    }
    return list
  }

  /// True where the last layer is as wide as the embeddings, so that these can be the masked-LM decoder.
  public var canTieDecoder: Bool { layers.last?.hiddenSize == layers.first?.hiddenSize }

  /// Tensors of the embeddings and all layers.
  public var encoderSpecifications: [TensorSpecification] {
    let width = embeddingWidth
    var list = [
      TensorSpecification(
        name: "embeddings.word_embeddings.weight", shape: [vocabularySize, width], initial: .normal),
      TensorSpecification(
        name: "embeddings.token_type_embeddings.weight", shape: [typeVocabularySize, width], initial: .normal),
    ]
    if position == .absolute {
      list.append(
        TensorSpecification(
          name: "embeddings.position_embeddings.weight", shape: [maximumPositions, width], initial: .normal))
    }
    list += Self.norm("embeddings.LayerNorm", width)
    for index in layers.indices { list += layerSpecifications(index) }
    return list
  }

  /// The pooler's two tensors.
  public var poolerSpecifications: [TensorSpecification] {
    let last = layers.last?.hiddenSize ?? 0
    return Self.linear("pooler.dense", last, last)
  }

  /// Tensors of one layer, with its join to the next where that has another width.
  public func layerSpecifications(_ index: Int) -> [TensorSpecification] {
    let layer = layers[index]
    let (h, d, a) = (layer.hiddenSize, layer.headSize, layer.attentionWidth)
    let name = "encoder.layer.\(index)"
    let attention = "\(name).attention.self"
    var list: [TensorSpecification] = []
    for part in ["query", "key", "value"] { list += Self.linear("\(attention).\(part)", a, h) }
    if position == .relativeKey {
      list.append(
        TensorSpecification(
          name: "\(attention).distance_embedding.weight", shape: [2 * maximumPositions - 1, d], initial: .normal))
    }
    for (head, operation) in layer.heads.enumerated() {
      list += operation.specifications("\(attention).heads.\(head)", headSize: d)
    }
    list += Self.linear("\(name).attention.output.dense", h, a) + Self.norm("\(name).attention.output.LayerNorm", h)
    var width = h
    for (position, next) in layer.feedForward.enumerated() {
      let part = position == 0 ? "intermediate.dense" : "intermediate.stack.\(position - 1)"
      list += Self.linear("\(name).\(part)", next, width)
      width = next
    }
    list += Self.linear("\(name).output.dense", h, width) + Self.norm("\(name).output.LayerNorm", h)
    if index + 1 < layers.count, layers[index + 1].hiddenSize != h {
      list += Self.linear("\(name).join", layers[index + 1].hiddenSize, h)
    }
    return list
  }

  private static func linear(_ name: String, _ output: Int, _ input: Int) -> [TensorSpecification] {
    [
      TensorSpecification(name: "\(name).weight", shape: [output, input], initial: .normal),
      TensorSpecification(name: "\(name).bias", shape: [output], initial: .zero),
    ]
  }

  private static func norm(_ name: String, _ width: Int) -> [TensorSpecification] {
    [
      TensorSpecification(name: "\(name).weight", shape: [width], initial: .one),
      TensorSpecification(name: "\(name).bias", shape: [width], initial: .zero),
    ]
  }
}

extension HeadOperation {
  /// The tensors that one head has for itself, named after `path`.
  fileprivate func specifications(_ path: String, headSize d: Int) -> [TensorSpecification] {
    if self == .weightedMultiplicative {
      return [TensorSpecification(name: "\(path).wma.weight", shape: [d, d], initial: .uniform)]
    }
    guard let taps else { return [] }
    let sizes: [(String, [Int], TensorSpecification.Initial)] = [
      ("depthwise.weight", [d, taps], .normal),
      ("pointwise.weight", [d, d], .normal), ("pointwise.bias", [d], .zero),
      ("span.weight", [taps, d], .normal), ("span.bias", [taps], .zero),
      ("value.weight", [d, d], .normal), ("value.bias", [d], .zero),
    ]
    return sizes.map { TensorSpecification(name: "\(path).convolution.\($0)", shape: $1, initial: $2) }
  }
}
