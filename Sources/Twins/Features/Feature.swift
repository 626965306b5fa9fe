/// A quantity of a workload, per sequence, that a twin's cost is linear in.
///
/// All but the functions of the parameters' size are sums over layers, heads and feed-forward stacks, which is what makes the fast
/// path a few table look-ups.
public enum Feature: String, Sendable, Hashable, Codable, CaseIterable {
  /// 1: start-up of the process and whatever else does not depend on the model.
  case constant
  case layers
  case heads
  /// Heads of the two self-attention kinds.
  case selfAttentionHeads = "self_attention_heads"
  /// Heads of the two linear-transform kinds.
  case linearTransformHeads = "linear_transform_heads"
  /// Heads of the three convolution kinds.
  case convolutionHeads = "convolution_heads"
  case scaledDotProductHeads = "sa_sdp_heads"
  case weightedMultiplicativeHeads = "sa_wma_heads"
  case discreteFourierHeads = "l_dft_heads"
  case discreteCosineHeads = "l_dct_heads"
  case convolution5Heads = "c_5_heads"
  case convolution9Heads = "c_9_heads"
  case convolution13Heads = "c_13_heads"
  /// FLOPs of every matrix product: the sum of the next three.
  case productFLOPs = "product_flops"
  /// `2·n·4·h·a` a layer, and `2·n·h·h'` a join.
  case projectionFLOPs = "projection_flops"
  /// `2·n·(h·f₁ + f₁·f₂ + … + f_s·h)` a layer.
  case feedForwardFLOPs = "feed_forward_flops"
  /// Scores, relative scores, product with v, and the products of the head's own operation.
  case attentionFLOPs = "attention_flops"
  /// `e·n²·d` a head: the gathered distance vectors, of `e` bytes an element.
  case relativeScoreBytes = "relative_score_bytes"
  /// Bytes of all parameters.
  case parameterBytes = "parameter_bytes"
  case embeddingParameterBytes = "embedding_parameter_bytes"
  /// Parameters of everything but the embeddings.
  case encoderParameterBytes = "encoder_parameter_bytes"
  /// `n·Σf` a layer: elements of the feed-forward hidden activations.
  case feedForwardElements = "feed_forward_elements"
  /// Feed-forward hidden layers.
  case feedForwardStacks = "feed_forward_stacks"
  /// Joins between layers of unequal width.
  case joins
  /// `n²` a head.
  case softmaxElements = "softmax_elements"
  /// `n·d·(log₂ n + log₂ d)` a transform head.
  case transformWork = "transform_work"
  /// `e·n·d·K` a convolution head.
  case unfoldBytes = "unfold_bytes"
  /// `n·h` a layer.
  case hiddenElements = "hidden_elements"
  /// `1/B`: what is paid once a call of the runtime.
  case calls
  /// Heads, over the number of them that run side by side.
  case headTasks = "head_tasks"
  // Seconds at the device's roofs (`RoofTable`), of the runtimes that use them: by kind of kernel, and sums of kinds.
  /// Starting all threads for a kernel, and waiting for them.
  case dispatchSeconds = "dispatch_roof_s"
  /// Projections, joins and pooler.
  case projectionSeconds = "projection_roof_s"
  case feedForwardSeconds = "feed_forward_roof_s"
  /// The sum of the two.
  case denseSeconds = "dense_roof_s"
  /// `q kᵀ`, `q W` and the product with v.
  case scoreSeconds = "score_roof_s"
  case relativeScoreSeconds = "relative_score_roof_s"
  /// The sum of the two.
  case attentionSeconds = "attention_roof_s"
  case fourierSeconds = "fourier_roof_s"
  case cosineSeconds = "cosine_roof_s"
  case convolutionSeconds = "convolution_roof_s"
  /// The sum of the three.
  case operationSeconds = "operation_roof_s"
  /// Everything that a head multiplies: attention and operation.
  case headSeconds = "head_roof_s"
  case softmaxSeconds = "softmax_roof_s"
  case activationSeconds = "activation_roof_s"
  case normalisationSeconds = "normalisation_roof_s"
  /// The sum of the three.
  case vectorSeconds = "vector_roof_s"
  /// Seconds of the twin's fitted ``Roofline``.
  case rooflineSeconds = "roofline_s"
  /// `w·E/B · clamp((E − at)/shape, 0, 1)`, E the encoder's parameters and w the roofs' wait for a byte: what a call waits for weights,
  /// once they fill the cache. `at` and `shape` in bytes.
  case weightWaitSeconds = "weight_wait_s"
  /// `max(0, P − at)`: paging beyond a knee at `at` bytes.
  case parameterBytesAbove = "parameter_bytes_above"
  /// `(P / at)^shape`: paging that sets in softly. `at` in bytes.
  case parameterPower = "parameter_power"
  /// `P · clamp((P − at)/shape, 0, 1)`: bytes that are paged as memory fills up. `at` and `shape` in bytes.
  case pagedParameterBytes = "paged_parameter_bytes"

  public var index: Int { Self.indices[self] ?? 0 }

  private static let indices = Dictionary(uniqueKeysWithValues: zip(allCases, 0...))

  /// True for functions of the parameters' total size, which are not sums over layers.
  public var isFunctionOfParameters: Bool { Self.functionsOfParameters.contains(self) }

  static let functionsOfParameters: Set<Feature> = [
    .parameterBytesAbove, .parameterPower, .pagedParameterBytes, .weightWaitSeconds,
  ]

  /// True for the functions of the parameters' size that stand for paging.
  public var isPaging: Bool { isFunctionOfParameters && self != .weightWaitSeconds }

  /// True for times at the device's roofs, and what goes with them.
  public var isOfRoofs: Bool { Self.ofRoofs.contains(self) }

  private static let ofRoofs: Set<Feature> = [
    .calls, .headTasks, .dispatchSeconds, .projectionSeconds, .feedForwardSeconds, .denseSeconds, .scoreSeconds,
    .relativeScoreSeconds, .attentionSeconds, .fourierSeconds, .cosineSeconds, .convolutionSeconds, .operationSeconds,
    .headSeconds, .softmaxSeconds, .activationSeconds, .normalisationSeconds, .vectorSeconds, .weightWaitSeconds,
  ]

  /// The unit of the feature's value; a coefficient's unit is the measure's per this.
  public var unit: String {
    switch self {
    case .productFLOPs, .projectionFLOPs, .feedForwardFLOPs, .attentionFLOPs: "FLOP"
    case .relativeScoreBytes, .parameterBytes, .embeddingParameterBytes, .encoderParameterBytes, .unfoldBytes,
      .parameterBytesAbove, .pagedParameterBytes:
      "B"
    case .dispatchSeconds, .projectionSeconds, .feedForwardSeconds, .denseSeconds, .scoreSeconds, .relativeScoreSeconds,
      .attentionSeconds,
      .fourierSeconds, .cosineSeconds, .convolutionSeconds, .operationSeconds, .headSeconds, .softmaxSeconds,
      .activationSeconds, .normalisationSeconds, .vectorSeconds, .rooflineSeconds, .weightWaitSeconds:
      "s"
    default: "1"
    }
  }

  static let headCount: [HeadOperationFeature] = [
    .init(operation: .scaledDotProduct, own: .scaledDotProductHeads, group: .selfAttentionHeads),
    .init(operation: .weightedMultiplicative, own: .weightedMultiplicativeHeads, group: .selfAttentionHeads),
    .init(operation: .discreteFourier, own: .discreteFourierHeads, group: .linearTransformHeads),
    .init(operation: .discreteCosine, own: .discreteCosineHeads, group: .linearTransformHeads),
    .init(operation: .convolution5, own: .convolution5Heads, group: .convolutionHeads),
    .init(operation: .convolution9, own: .convolution9Heads, group: .convolutionHeads),
    .init(operation: .convolution13, own: .convolution13Heads, group: .convolutionHeads),
  ]
}
