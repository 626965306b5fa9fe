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
  /// Of a block that all threads take together, token by token, and of one that they take by parts of the batch, where that is done.
  private let together: Way
  private let apart: Way?

  /// How a block of a layer is run: so many times with so many tokens.
  private struct Way {
    var roofs: RoofTable
    var tokens: Double
    var times: Double
  }

  init(roofs: RoofTable, settings: Settings, variant: RuntimeVariant, position: Architecture.Position) {
    isEngine = variant == .native
    self.roofs = roofs
    self.settings = settings
    relative = position == .relativeKey
    batch = Double(settings.batchSize)
    n = Double(settings.sequenceLength)
    e = roofs.bytesPerElement
    together = Way(roofs: roofs, tokens: batch * n, times: 1)
    apart = isEngine ? Self.apart(roofs, settings) : nil
  }

  private static func apart(_ roofs: RoofTable, _ settings: Settings) -> Way? {
    let (batch, length) = (settings.batchSize, settings.sequenceLength)
    guard BatchParts.areUsed(batchSize: batch, sequenceLength: length, threads: roofs.threads) else { return nil }
    let parts = BatchParts.count(batchSize: batch, sequenceLength: length)
    return Way(
      roofs: roofs.ofOneThread, tokens: Double(batch * length) / Double(parts),
      times: (Double(parts) / Double(roofs.threads)).rounded(.up))
  }

  /// - Parameter weights: numbers in the block's matrices.
  private func way(weights: Double) -> Way {
    guard let apart, BatchParts.isApart(weightBytes: Int(min(weights * settings.precision.bytes, 1e15))) else {
      return together
    }
    return apart
  }

  /// From memory to the core, for one row of a table, as on current processors.
  private static let missSeconds = 1e-7

  func addEnds(_ vector: inout FeatureVector, embeddingWidth h: Double, lastWidth: Double) {
    vector[.calls] = 1 / batch
    vector[.weightWaitSeconds] = roofs.weightWaitSecondsPerByte / batch
    addKernels(&vector, 4)
    let tokens = together.tokens
    add(
      &vector, .normalisationSeconds,
      elementwise(together, .layerNorm, elements: tokens * h, flops: 9, operands: 5))
    // Words are anywhere in a table that no cache holds.
    add(&vector, .normalisationSeconds, tokens * Self.missSeconds / Double(roofs.threads))
    addProduct(&vector, together, .projectionSeconds, m: batch, k: lastWidth, n: lastWidth)
    setSums(&vector)
  }

  func addAttention(_ vector: inout FeatureVector, hiddenSize h: Double, attentionWidth a: Double) {
    let way = self.way(weights: attentionWeights(a))
    addKernels(&vector, 3)
    addProduct(&vector, way, .projectionSeconds, m: way.tokens, k: h, n: 3 * a)
    addProduct(&vector, way, .projectionSeconds, m: way.tokens, k: a, n: h, isNormalised: true)
    add(&vector, .normalisationSeconds, 2 * way.times * way.roofs.normSeconds(elements: way.tokens * h))
    setSums(&vector)
  }

  /// - Parameter count: heads of the layer; nil takes them for many.
  func addHead(_ vector: inout FeatureVector, _ operation: HeadOperation, headSize d: Double, of count: Double?) {
    let way = count.map { self.way(weights: attentionWeights($0 * d)) } ?? together
    let isApart = way.times > 1 || way.roofs.threads < roofs.threads
    // Of the work of all sequences, what the busiest thread has in multiples of its share.
    let balance = isApart ? way.times * way.tokens * Double(roofs.threads) / (batch * n) : self.balance(count)
    vector[.headTasks] = balance / Double(roofs.threads)
    var parts = HeadParts(
      operation, headSize: d, length: n, isRelative: relative, isEngine: isEngine, roofs: way.roofs)
    if isEngine {
      let factor = way.roofs.headFactor(operation, headSize: d, length: n, isRelative: relative)
      // Heads of one thread's table run one after another, those of all threads' side by side.
      let share = isApart ? balance / Double(roofs.threads) : balance
      parts.scale(by: factor * share)
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
    let way = self.way(weights: zip(widths, widths.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 })
    for index in 1..<widths.count {
      addProduct(
        &vector, way, .feedForwardSeconds, m: way.tokens, k: widths[index - 1], n: widths[index],
        isNormalised: index == widths.count - 1)
    }
    for width in stack {
      add(
        &vector, .activationSeconds,
        elementwise(way, .gelu, elements: way.tokens * width, flops: KernelShapes.geluFLOPsPerElement, operands: 2))
    }
    addKernels(&vector, Double(stack.count) + 1)
    setSums(&vector)
  }

  func addJoin(_ vector: inout FeatureVector, from h: Double, to next: Double) {
    addProduct(&vector, together, .projectionSeconds, m: together.tokens, k: h, n: next)
    addKernels(&vector, 1)
    setSums(&vector)
  }

  // MARK: Parts

  private func attentionWeights(_ width: Double) -> Double {
    Double(BatchParts.attentionWeights(width: Int(min(max(width, 0), 1e6))))
  }

  private func add(_ vector: inout FeatureVector, _ feature: Feature, _ secondsPerCall: Double) {
    vector[feature] += secondsPerCall / batch
  }

  private func addKernels(_ vector: inout FeatureVector, _ count: Double) {
    add(&vector, .dispatchSeconds, count * roofs.dispatchSeconds)
  }

  /// - Parameter isNormalised: whether a residual sum and a layer norm end it, in the runtimes that fuse them.
  private func addProduct(
    _ vector: inout FeatureVector, _ way: Way, _ feature: Feature, m: Double, k: Double, n: Double,
    isNormalised: Bool = false
  ) {
    let seconds =
      isNormalised && isEngine
      ? way.roofs.normalisedProductSeconds(m: m, k: k, n: n) : way.roofs.productSeconds(m: m, k: k, n: n)
    add(&vector, feature, way.times * seconds)
  }

  /// Of all times that a block is run.
  private func elementwise(
    _ way: Way, _ kernel: Roofs.Elementwise.Kernel?, elements: Double, flops: Double, operands: Double
  ) -> Double {
    way.times
      * way.roofs.elementwiseSeconds(kernel, elements: elements, flopsPerElement: flops, bytes: e * operands * elements)
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
