import Architectures

/// What a runtime does for one architecture under given settings: the explain path.
///
/// ``ClosedForm`` gives the same totals without the list; a property test binds the two.
public struct Workload: Sendable {
  public let architecture: Architecture
  public let settings: Settings
  public let variant: RuntimeVariant
  /// Every kernel call of one batch, in the order of execution.
  public let calls: [KernelCall]

  public init(_ architecture: Architecture, settings: Settings, variant: RuntimeVariant) {
    self.architecture = architecture
    self.settings = settings
    self.variant = variant
    var builder = WorkloadBuilder(settings: settings, variant: variant)
    builder.build(architecture)
    calls = builder.calls
  }

  /// Totals by kernel class.
  public var totals: WorkByClass {
    calls.reduce(into: WorkByClass()) { $0[$1.kernelClass] += $1.work }
  }
}

/// Writes the list of kernel calls down, layer by layer.
private struct WorkloadBuilder {
  let shapes: KernelShapes
  let variant: RuntimeVariant
  let batch: Double
  let length: Double
  var calls: [KernelCall] = []
  var layer: Int?
  var head: Int?

  init(settings: Settings, variant: RuntimeVariant) {
    shapes = KernelShapes(elementBytes: settings.precision.bytes)
    self.variant = variant
    batch = Double(settings.batchSize)
    length = Double(settings.sequenceLength)
  }

  /// Tokens of the whole batch.
  var tokens: Double { batch * length }

  mutating func add(_ name: String, _ kernelClass: KernelClass, count: Int = 1, _ shape: KernelShapes.Shape) {
    calls.append(
      KernelCall(
        name: name, kernelClass: kernelClass, layer: layer, head: head, count: count, flops: shape.flops,
        bytesRead: shape.bytesRead, bytesWritten: shape.bytesWritten))
  }

  mutating func build(_ architecture: Architecture) {
    let relative = architecture.position == .relativeKey && variant != .protranTensorFlow
    embed(width: Double(architecture.embeddingWidth), absolute: architecture.position == .absolute)
    for (index, description) in architecture.layers.enumerated() {
      layer = index
      encode(description, relative: relative)
      if index + 1 < architecture.layers.count {
        let next = architecture.layers[index + 1].hiddenSize
        if next != description.hiddenSize {
          add(
            "join", .join,
            shapes.linear(rows: tokens, inputs: Double(description.hiddenSize), outputs: Double(next)))
        }
      }
    }
    layer = nil
    let width = Double(architecture.layers.last?.hiddenSize ?? 0)
    add("pooler", .pooler, shapes.linear(rows: batch, inputs: width, outputs: width))
    add("pooler tanh", .pooler, shapes.elementwise(batch * width, flopsPerElement: KernelShapes.tanhFLOPsPerElement))
  }

  mutating func embed(width: Double, absolute: Bool) {
    let lookups = absolute ? 3 : 2
    add("embedding look-up", .embedding, count: lookups, shapes.gather(rows: tokens, width: width))
    add("embedding sum", .embedding, count: lookups - 1, shapes.elementwise(tokens * width, operands: 2))
    add("embedding layer norm", .embedding, shapes.layerNorm(rows: tokens, width: width))
  }

  mutating func encode(_ description: Architecture.Layer, relative: Bool) {
    let h = Double(description.hiddenSize)
    let a = Double(description.attentionWidth)
    let d = Double(description.headSize)
    if !variant.isProTran {
      add("q, k, v", .projection, shapes.linear(rows: tokens, inputs: h, outputs: 3 * a))
    } else {
      add("q, k, v", .projection, count: 3, shapes.linear(rows: tokens, inputs: h, outputs: a))
    }
    for (index, operation) in description.heads.enumerated() {
      head = index
      if !variant.isProTran {
        nativeHead(operation, d: d, relative: relative)
      } else {
        protranHead(operation, d: d, relative: relative)
      }
    }
    head = nil
    add("attention output", .projection, shapes.linear(rows: tokens, inputs: a, outputs: h))
    normalise(h)
    var width = h
    for (index, next) in description.feedForward.enumerated() {
      let f = Double(next)
      add("feed-forward \(index)", .feedForward, shapes.linear(rows: tokens, inputs: width, outputs: f))
      add("GELU", .activation, shapes.elementwise(tokens * f, flopsPerElement: KernelShapes.geluFLOPsPerElement))
      width = f
    }
    add("feed-forward output", .feedForward, shapes.linear(rows: tokens, inputs: width, outputs: h))
    normalise(h)
  }

  mutating func normalise(_ width: Double) {
    add("residual", .normalisation, shapes.elementwise(tokens * width, operands: 2))
    add("layer norm", .normalisation, shapes.layerNorm(rows: tokens, width: width))
  }

  // MARK: ProTran's programs: one head at a time, the whole batch in a call

  mutating func protranHead(_ operation: HeadOperation, d: Double, relative: Bool) {
    let n = length
    let scores = batch * n * n
    let attends = relative || operation.isSelfAttention
    if operation == .weightedMultiplicative {
      add("q W", .scores, shapes.sharedProduct(batch: batch, m: n, k: d, n: d))
    }
    if operation.isSelfAttention {
      add("q kᵀ", .scores, shapes.product(batch: batch, m: n, k: d, n: n))
    }
    if relative {
      add("gather of distances", .relativeScores, shapes.gather(rows: n * n, width: d))
      // Each query meets n vectors of its own, shared by the batch.
      add(
        "q · r", .relativeScores,
        (
          2 * scores * d, shapes.elementBytes * (batch * n * d + n * n * d), shapes.elementBytes * scores
        ))
    }
    if relative && operation.isSelfAttention {
      add("sum of scores", .softmax, shapes.elementwise(scores, operands: 2))
    }
    if attends {
      add("scale and mask", .softmax, count: 2, shapes.elementwise(scores))
      add("softmax", .softmax, shapes.softmax(scores))
      add("A v", .context, shapes.product(batch: batch, m: n, k: n, n: d))
    }
    switch operation {
    case .scaledDotProduct, .weightedMultiplicative: break
    case .discreteFourier: protranFourier(d: d)
    case .discreteCosine: protranCosine(d: d)
    case .convolution5, .convolution9, .convolution13:
      convolution(taps: Double(operation.taps ?? 0), d: d)
    }
    if attends && !operation.isSelfAttention {
      add("sum of contexts", operation.ownClass, shapes.elementwise(batch * n * d, operands: 2))
    }
  }

  mutating func protranFourier(d: Double) {
    let points = tokens * d
    let length = variant == .protranTensorFlow ? d : length * d
    add("DFT", .fourier, shapes.fourier(points: points, length: length))
    add("real part", .fourier, shapes.elementwise(points, operands: 2, flopsPerElement: 0))
  }

  /// A DCT by way of an FFT of the same length: reorder, transform, rotate; once for every axis.
  mutating func protranCosine(d: Double) {
    let points = tokens * d
    let axes = variant == .protranTensorFlow ? [d] : [d, length]
    for axis in axes {
      add("DCT reorder", .cosine, shapes.elementwise(points, flopsPerElement: 0))
      add("DCT transform", .cosine, shapes.fourier(points: points, length: axis))
      add("DCT rotate", .cosine, shapes.elementwise(points, operands: 2, flopsPerElement: 3))
    }
  }

  mutating func convolution(taps: Double, d: Double) {
    let elements = tokens * d
    let e = shapes.elementBytes
    add("depthwise", .convolution, (2 * elements * taps, e * (elements + d * taps), e * elements))
    add("pointwise", .convolution, shapes.linear(rows: tokens, inputs: d, outputs: d))
    add("product with q", .convolution, shapes.elementwise(elements, operands: 2))
    add("span", .convolution, shapes.linear(rows: tokens, inputs: d, outputs: taps))
    add("softmax over taps", .convolution, shapes.softmax(tokens * taps))
    add("value", .convolution, shapes.linear(rows: tokens, inputs: d, outputs: d))
    if variant.isProTran {
      add("unfold", .convolution, (0, e * elements, e * elements * taps))
      add(
        "weighted sum", .convolution,
        (2 * elements * taps, e * (elements * taps + tokens * taps), e * elements))
    } else {
      add("weighted sum", .convolution, (2 * elements * taps, e * (elements + tokens * taps), e * elements))
    }
  }

  // MARK: This project's kernels: one product a head and sequence, vector kernels fused

  mutating func nativeHead(_ operation: HeadOperation, d: Double, relative: Bool) {
    let n = length
    let sequences = Int(batch)
    let attends = relative || operation.isSelfAttention
    if operation == .weightedMultiplicative {
      add("q W", .scores, count: sequences, shapes.product(batch: 1, m: n, k: d, n: d))
    }
    if operation.isSelfAttention {
      add("q kᵀ", .scores, count: sequences, shapes.product(batch: 1, m: n, k: d, n: n))
    }
    if relative {
      // The engine multiplies tiles of queries with the distances that they have; others all 2n − 1. The softmax reads them skewed.
      let distances = variant == .native ? KernelShapes.engineDistances(n) : 2 * n - 1
      add("q Rᵀ", .relativeScores, count: sequences, shapes.product(batch: 1, m: n, k: d, n: distances))
    }
    if attends {
      add("skew, scale and softmax", .softmax, count: sequences, shapes.softmax(n * n))
      add("A v", .context, count: sequences, shapes.product(batch: 1, m: n, k: n, n: d))
    }
    switch operation {
    case .scaledDotProduct, .weightedMultiplicative: break
    case .discreteFourier:
      add("v [C_d, S_d]", .fourier, count: sequences, shapes.product(batch: 1, m: n, k: d, n: 2 * d))
      if variant == .native {
        let half = KernelShapes.fourierRows(n)
        add("folded C_n V, S_n V", .fourier, count: 2 * sequences, shapes.product(batch: 1, m: half, k: half, n: d))
      } else {
        add("[C_n, −S_n] V", .fourier, count: sequences, shapes.product(batch: 1, m: n, k: 2 * n, n: d))
      }
    case .discreteCosine:
      add("v C_dᵀ", .cosine, count: sequences, shapes.product(batch: 1, m: n, k: d, n: d))
      if variant == .native {
        let (even, odd) = KernelShapes.cosineRows(n)
        add("even rows of C_n V", .cosine, count: sequences, shapes.product(batch: 1, m: even, k: even, n: d))
        add("odd rows of C_n V", .cosine, count: sequences, shapes.product(batch: 1, m: odd, k: odd, n: d))
      } else {
        add("C_n V", .cosine, count: sequences, shapes.product(batch: 1, m: n, k: n, n: d))
      }
    case .convolution5, .convolution9, .convolution13:
      convolution(taps: Double(operation.taps ?? 0), d: d)
    }
  }
}

extension HeadOperation {
  /// The class of a head's own operation; nil-like `.context` for self-attention, which has none.
  var ownClass: KernelClass {
    switch self {
    case .scaledDotProduct, .weightedMultiplicative: .context
    case .discreteFourier: .fourier
    case .discreteCosine: .cosine
    case .convolution5, .convolution9, .convolution13: .convolution
    }
  }
}
