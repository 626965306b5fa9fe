/// How many parameters an architecture has, part by part.
///
/// Always without the heads of a task: no masked-LM head, no decoder, no classifier. The formula is that of
/// the published FlexiBERT 2.0 models, which it reproduces; one layer with hidden size h, m heads of size d,
/// a = m·d, P positions: `4ah + 3a + h` projections, `4h` norms, `(2P − 1)·d` relative distances, `d²` a
/// sa_wma head, `2d² + 2kd + 2d + k` a c_k head, the feed-forward stack with its biases, and `h·h' + h'`
/// where the next layer is `h' ≠ h` wide.
public struct ParameterCount: Hashable, Sendable {
  /// What is counted.
  public enum Convention: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// As published by ProTran: also the table of absolute positions that its relative-position models carry
    /// unused.
    case protran
    /// The tensors that a native model has: a table of absolute positions only where they are used.
    case native

    public var description: String {
      switch self {
      case .protran:
        "embeddings (with a table of absolute positions, unused by relative models), layers, pooler; "
          + "no masked-LM head, no classifier"
      case .native:
        "embeddings (absolute positions only where used), layers, pooler; no masked-LM head, no classifier"
      }
    }
  }

  /// Parameters of one layer.
  public struct Layer: Hashable, Sendable {
    /// q, k, v and the attention output, with biases.
    public var projections: Int
    /// The table of distance vectors; 0 for absolute positions.
    public var relativeDistances: Int
    /// The own weights of weighted and convolution heads.
    public var headOperations: Int
    /// Both layer norms.
    public var norms: Int
    /// The feed-forward stack and its output, with biases.
    public var feedForward: Int
    /// The projection to the next layer where that has another width, else 0.
    public var join: Int

    public var total: Int { projections + relativeDistances + headOperations + norms + feedForward + join }
  }

  public var convention: Convention
  public var wordEmbeddings: Int
  public var positionEmbeddings: Int
  public var typeEmbeddings: Int
  public var embeddingNorm: Int
  public var layers: [Layer]
  public var pooler: Int

  public var embeddings: Int { wordEmbeddings + positionEmbeddings + typeEmbeddings + embeddingNorm }

  public var total: Int { embeddings + layers.reduce(0) { $0 + $1.total } + pooler }
}

extension Architecture {
  /// Parameters by part. The architecture must be within ``Limits/standard``, else the sums may overflow.
  public func parameterCount(_ convention: ParameterCount.Convention) -> ParameterCount {
    let width = embeddingWidth
    let hasPositionTable = convention == .protran || position == .absolute
    let last = layers.last?.hiddenSize ?? 0
    return ParameterCount(
      convention: convention,
      wordEmbeddings: vocabularySize * width,
      positionEmbeddings: hasPositionTable ? maximumPositions * width : 0,
      typeEmbeddings: typeVocabularySize * width,
      embeddingNorm: 2 * width,
      layers: layers.indices.map { index in
        layerParameterCount(layers[index], next: index + 1 < layers.count ? layers[index + 1] : nil)
      },
      pooler: last * last + last)
  }

  private func layerParameterCount(_ layer: Layer, next: Layer?) -> ParameterCount.Layer {
    let (h, d, a) = (layer.hiddenSize, layer.headSize, layer.attentionWidth)
    var input = h
    var feedForward = 0
    for width in layer.feedForward + [h] {
      feedForward += input * width + width
      input = width
    }
    let join = next.map { $0.hiddenSize == h ? 0 : h * $0.hiddenSize + $0.hiddenSize } ?? 0
    return ParameterCount.Layer(
      projections: 4 * a * h + 3 * a + h,
      relativeDistances: position == .relativeKey ? (2 * maximumPositions - 1) * d : 0,
      headOperations: layer.heads.reduce(0) { $0 + $1.parameterCount(headSize: d) },
      norms: 4 * h, feedForward: feedForward, join: join)
  }
}

extension HeadOperation {
  /// Parameters that one head of size `headSize` has beside its share of the layer's projections.
  public func parameterCount(headSize d: Int) -> Int {
    if let k = taps { return 2 * d * d + 2 * k * d + 2 * d + k }
    return self == .weightedMultiplicative ? d * d : 0
  }
}
