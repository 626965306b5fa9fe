import Architectures

/// Times of a model's kernels at the device's roofs, per sequence: what `native` and `onnxruntime` are fitted on.
///
/// The roofs hold how rates depend on shapes, batch, length and threads; what is left to fit is a factor close to 1 a kind of kernel.
/// The kernels are those of ``Workload``.
struct RoofFeatures {
  let roofs: RoofTable
  let settings: Settings
  let relative: Bool
  /// Whether the kernels are this project's.
  let isEngine: Bool
  private let batch: Double
  private let n: Double
  private let e: Double

  init(roofs: RoofTable, settings: Settings, variant: RuntimeVariant, position: Architecture.Position) {
    isEngine = variant == .native
    self.roofs = roofs
    self.settings = settings
    relative = position == .relativeKey
    batch = Double(settings.batchSize)
    n = Double(settings.sequenceLength)
    e = roofs.bytesPerElement
  }

  private var tokens: Double { batch * n }

  /// From memory to the core, for one row of a table, as on current processors.
  private static let missSeconds = 1e-7

  func addEnds(_ vector: inout FeatureVector, embeddingWidth h: Double, lastWidth: Double) {
    vector[.calls] = 1 / batch
    addKernels(&vector, 4)
    add(&vector, .normalisationSeconds, elementwise(.layerNorm, elements: tokens * h, flops: 9, operands: 5))
    // Words are anywhere in a table that no cache holds.
    add(&vector, .normalisationSeconds, tokens * Self.missSeconds / Double(roofs.threads))
    addProduct(&vector, .projectionSeconds, m: batch, k: lastWidth, n: lastWidth)
    setSums(&vector)
  }

  func addAttention(_ vector: inout FeatureVector, hiddenSize h: Double, attentionWidth a: Double) {
    addKernels(&vector, 3)
    addProduct(&vector, .projectionSeconds, m: tokens, k: h, n: 3 * a)
    addProduct(&vector, .projectionSeconds, m: tokens, k: a, n: h, isNormalised: true)
    add(&vector, .normalisationSeconds, 2 * roofs.normSeconds(elements: tokens * h))
    setSums(&vector)
  }

  /// - Parameter count: heads of the layer; nil takes them for many.
  func addHead(_ vector: inout FeatureVector, _ operation: HeadOperation, headSize d: Double, of count: Double?) {
    let balance = self.balance(count)
    vector[.headTasks] = balance / Double(roofs.threads)
    var parts = HeadParts(
      operation, headSize: d, length: n, isRelative: relative, isEngine: isEngine, roofs: roofs)
    if isEngine {
      parts.scale(by: balance * roofs.headFactor(operation, headSize: d, length: n, isRelative: relative))
    }
    vector[.scoreSeconds] = parts.score
    vector[.relativeScoreSeconds] = parts.relativeScore
    vector[.softmaxSeconds] = parts.softmax
    vector[.fourierSeconds] = parts.fourier
    vector[.cosineSeconds] = parts.cosine
    vector[.convolutionSeconds] = parts.convolution
    setSums(&vector)
  }

  /// Heads of all sequences are taken one by one by whichever thread is free: the last round may leave some without one.
  private func balance(_ heads: Double?) -> Double {
    guard isEngine, roofs.threads > 1, let heads, heads >= 1 else { return 1 }
    let tasks = batch * heads
    let threads = Double(roofs.threads)
    return (tasks / threads).rounded(.up) * threads / tasks
  }

  func addFeedForward(_ vector: inout FeatureVector, hiddenSize h: Double, stack: [Double]) {
    let widths = [h] + stack + [h]
    for index in 1..<widths.count {
      addProduct(
        &vector, .feedForwardSeconds, m: tokens, k: widths[index - 1], n: widths[index],
        isNormalised: index == widths.count - 1)
    }
    for width in stack {
      add(
        &vector, .activationSeconds,
        elementwise(.gelu, elements: tokens * width, flops: KernelShapes.geluFLOPsPerElement, operands: 2))
    }
    addKernels(&vector, Double(stack.count) + 1)
    setSums(&vector)
  }

  func addJoin(_ vector: inout FeatureVector, from h: Double, to next: Double) {
    addProduct(&vector, .projectionSeconds, m: tokens, k: h, n: next)
    addKernels(&vector, 1)
    setSums(&vector)
  }

  // MARK: Parts

  private func add(_ vector: inout FeatureVector, _ feature: Feature, _ secondsPerCall: Double) {
    vector[feature] += secondsPerCall / batch
  }

  private func addKernels(_ vector: inout FeatureVector, _ count: Double) {
    add(&vector, .dispatchSeconds, count * roofs.dispatchSeconds)
  }

  /// - Parameter isNormalised: whether a residual sum and a layer norm end it, in the runtimes that fuse them.
  private func addProduct(
    _ vector: inout FeatureVector, _ feature: Feature, m: Double, k: Double, n: Double, isNormalised: Bool = false
  ) {
    add(
      &vector, feature,
      isNormalised && isEngine
        ? roofs.normalisedProductSeconds(m: m, k: k, n: n) : roofs.productSeconds(m: m, k: k, n: n))
  }

  private func elementwise(
    _ kernel: Roofs.Elementwise.Kernel?, elements: Double, flops: Double, operands: Double
  ) -> Double {
    roofs.elementwiseSeconds(kernel, elements: elements, flopsPerElement: flops, bytes: e * operands * elements)
  }

  private func setSums(_ vector: inout FeatureVector) {
    vector[.denseSeconds] = vector[.projectionSeconds] + vector[.feedForwardSeconds]
    vector[.attentionSeconds] = vector[.scoreSeconds] + vector[.relativeScoreSeconds]
    vector[.operationSeconds] = vector[.fourierSeconds] + vector[.cosineSeconds] + vector[.convolutionSeconds]
    vector[.vectorSeconds] =
      vector[.softmaxSeconds] + vector[.activationSeconds] + vector[.normalisationSeconds]
    vector[.headSeconds] = vector[.attentionSeconds] + vector[.operationSeconds]
  }
}
