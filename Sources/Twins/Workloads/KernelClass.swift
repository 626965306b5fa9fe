/// What a kernel call does: the classes that a breakdown is shown by.
public enum KernelClass: String, Sendable, Hashable, CaseIterable, Codable {
  /// Word, type and position look-up, and their layer norm.
  case embedding
  /// Linear maps to q, k, v and from the concatenated heads.
  case projection
  /// `q kᵀ` of the self-attention heads, `q W` of the weighted ones included.
  case scores
  /// `q · r(i − j)`: the gather of the distance table and the product with it.
  case relativeScores = "relative_scores"
  /// Scaling, adding and softmax over the scores.
  case softmax
  /// Product of the attention weights with v.
  case context
  /// Discrete Fourier transform of v.
  case fourier
  /// Discrete cosine transform of v.
  case cosine
  /// Dynamic span-based convolution.
  case convolution
  /// Linear maps of the feed-forward stack.
  case feedForward = "feed_forward"
  /// GELU after each feed-forward hidden layer.
  case activation
  /// Residual sums and layer norms of the encoder.
  case normalisation
  /// Linear map between layers of unequal width.
  case join
  /// Pooler: a dense layer and tanh on the first token.
  case pooler

  public var index: Int {
    switch self {
    case .embedding: 0
    case .projection: 1
    case .scores: 2
    case .relativeScores: 3
    case .softmax: 4
    case .context: 5
    case .fourier: 6
    case .cosine: 7
    case .convolution: 8
    case .feedForward: 9
    case .activation: 10
    case .normalisation: 11
    case .join: 12
    case .pooler: 13
    }
  }
}
