import Architectures

/// Times of a model's kernels at the device's roofs, per sequence: what `native` and `onnxruntime` are fitted on.
///
/// The roofs hold how rates depend on shapes, batch, length and threads; what is left to fit is a factor close to 1 a kind of kernel.
/// The kernels are those of ``Workload``.
struct RoofFeatures {
  let roofs: RoofTable
  let settings: Settings
  let relative: Bool
  private let batch: Double
  private let n: Double
  private let e: Double

  init(roofs: RoofTable, settings: Settings, position: Architecture.Position) {
    self.roofs = roofs
    self.settings = settings
    relative = position == .relativeKey
    batch = Double(settings.batchSize)
    n = Double(settings.sequenceLength)
    e = settings.precision.bytes
  }

  private var tokens: Double { batch * n }

  func addEnds(_ vector: inout FeatureVector, embeddingWidth h: Double, lastWidth: Double) {
    vector[.calls] = 1 / batch
    addKernels(&vector, 4)
    add(&vector, .normalisationSeconds, elementwise(.layerNorm, elements: tokens * h, flops: 9, operands: 5))
    addProduct(&vector, .projectionSeconds, m: batch, k: lastWidth, n: lastWidth)
    setSums(&vector)
  }

  func addAttention(_ vector: inout FeatureVector, hiddenSize h: Double, attentionWidth a: Double) {
    addKernels(&vector, 4)
    addProduct(&vector, .projectionSeconds, m: tokens, k: h, n: 3 * a)
    addProduct(&vector, .projectionSeconds, m: tokens, k: a, n: h)
    add(&vector, .normalisationSeconds, 2 * elementwise(.layerNorm, elements: tokens * h, flops: 9, operands: 3))
    setSums(&vector)
  }

  func addHead(_ vector: inout FeatureVector, _ operation: HeadOperation, headSize d: Double) {
    vector[.headTasks] = 1 / roofs.speedup
    if operation.isSelfAttention { addHeadProduct(&vector, .scoreSeconds, m: n, k: d, n: n) }
    if operation == .weightedMultiplicative { addHeadProduct(&vector, .scoreSeconds, m: n, k: d, n: d) }
    if relative { addHeadProduct(&vector, .relativeScoreSeconds, m: n, k: d, n: 2 * n - 1) }
    if relative || operation.isSelfAttention {
      add(
        &vector, .softmaxSeconds,
        batch
          * elementwise(
            .softmax, elements: n * n, flops: KernelShapes.softmaxFLOPsPerElement, operands: relative ? 4 : 2))
      addHeadProduct(&vector, .scoreSeconds, m: n, k: n, n: d)
    }
    switch operation {
    case .scaledDotProduct, .weightedMultiplicative: break
    case .discreteFourier:
      addHeadProduct(&vector, .fourierSeconds, m: n, k: d, n: 2 * d)
      addHeadProduct(&vector, .fourierSeconds, m: n, k: 2 * n, n: d)
    case .discreteCosine:
      addHeadProduct(&vector, .cosineSeconds, m: n, k: d, n: d)
      addHeadProduct(&vector, .cosineSeconds, m: n, k: n, n: d)
    case .convolution5, .convolution9, .convolution13:
      let taps = Double(operation.taps ?? 0)
      addHeadProduct(&vector, .convolutionSeconds, m: n, k: d, n: d)
      addHeadProduct(&vector, .convolutionSeconds, m: n, k: d, n: d)
      addHeadProduct(&vector, .convolutionSeconds, m: n, k: d, n: taps)
      // Depthwise taps, product with q, softmax over taps, windowed sum.
      add(
        &vector, .convolutionSeconds,
        batch * elementwise(nil, elements: n * d, flops: 4 * taps + 1, operands: 6)
          + batch * elementwise(.softmax, elements: n * taps, flops: KernelShapes.softmaxFLOPsPerElement, operands: 2))
    }
    setSums(&vector)
  }

  func addFeedForward(_ vector: inout FeatureVector, hiddenSize h: Double, stack: [Double]) {
    let widths = [h] + stack + [h]
    for index in 1..<widths.count {
      addProduct(&vector, .feedForwardSeconds, m: tokens, k: widths[index - 1], n: widths[index])
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

  private func addProduct(_ vector: inout FeatureVector, _ feature: Feature, m: Double, k: Double, n: Double) {
    add(&vector, feature, roofs.productSeconds(m: m, k: k, n: n))
  }

  /// One product a sequence and head.
  private func addHeadProduct(_ vector: inout FeatureVector, _ feature: Feature, m: Double, k: Double, n: Double) {
    add(&vector, feature, batch * roofs.headProductSeconds(m: m, k: k, n: n))
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
