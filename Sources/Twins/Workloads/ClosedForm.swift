import Architectures
import Foundation

/// The totals of a ``Workload`` as formulas of a layer's sizes: the additive parts that the fast path tabulates.
///
/// A model's work is `embedding + Σ layers (attention(h, n) + Σ heads head(kind) + feedForward(h, f) + join(h, h')) + pooler`.
/// Symbols as in operations.md: n tokens, h hidden size, d head size, a = m·d, B sequences in a call, e bytes an element.
public struct ClosedForm: Sendable {
  public let settings: Settings
  public let variant: RuntimeVariant
  /// Whether heads compute relative scores.
  public let relative: Bool
  private let batch: Double
  private let n: Double
  private let e: Double

  public init(settings: Settings, variant: RuntimeVariant, position: Architecture.Position) {
    self.settings = settings
    self.variant = variant
    relative = position == .relativeKey && variant != .protranTensorFlow
    batch = Double(settings.batchSize)
    n = Double(settings.sequenceLength)
    e = settings.precision.bytes
  }

  private var tokens: Double { batch * n }

  /// Look-ups, sums and layer norm of the embeddings, `3h` or `2h` of them a token.
  public func embedding(width h: Double, position: Architecture.Position) -> WorkByClass {
    let k = position == .absolute ? 3.0 : 2.0
    let elements = tokens * h
    var work = WorkByClass()
    work[.embedding] = Work(
      calls: 2 * k, flops: (k - 1 + KernelShapes.layerNormFLOPsPerElement) * elements,
      bytesRead: e * ((3 * k - 1) * elements + 2 * h), bytesWritten: e * 2 * k * elements)
    return work
  }

  /// Projections, residuals and layer norms of a layer: everything that is neither a head's nor the feed-forward stack's.
  public func attention(hiddenSize h: Double, attentionWidth a: Double) -> WorkByClass {
    var work = WorkByClass()
    let inputReads = variant.isProTran ? 3.0 : 1.0
    work[.projection] = Work(
      calls: inputReads + 1, flops: tokens * (8 * h * a + 3 * a + h),
      bytesRead: e * (tokens * (inputReads * h + a) + 4 * h * a + 3 * a + h), bytesWritten: e * tokens * (3 * a + h))
    work[.normalisation] = Work(
      calls: 4, flops: 2 * (1 + KernelShapes.layerNormFLOPsPerElement) * tokens * h,
      bytesRead: e * (6 * tokens * h + 4 * h), bytesWritten: e * 4 * tokens * h)
    return work
  }

  /// Everything a head of one kind does beyond the shared projections.
  public func head(_ operation: HeadOperation, headSize d: Double) -> WorkByClass {
    !variant.isProTran ? nativeHead(operation, d: d) : protranHead(operation, d: d)
  }

  /// The stack h → f₁ → … → f_s → h with its GELUs.
  public func feedForward(hiddenSize h: Double, stack: [Double]) -> WorkByClass {
    let widths = [h] + stack + [h]
    var products = 0.0
    var inputs = 0.0
    for index in 1..<widths.count {
      products += widths[index - 1] * widths[index]
      inputs += widths[index - 1]
    }
    let hidden = stack.reduce(0, +)
    var work = WorkByClass()
    work[.feedForward] = Work(
      calls: Double(stack.count + 1), flops: tokens * (2 * products + hidden + h),
      bytesRead: e * (tokens * inputs + products + hidden + h), bytesWritten: e * tokens * (hidden + h))
    work[.activation] = Work(
      calls: Double(stack.count), flops: KernelShapes.geluFLOPsPerElement * tokens * hidden,
      bytesRead: e * tokens * hidden, bytesWritten: e * tokens * hidden)
    return work
  }

  /// The linear map to the next layer; no work where the widths are equal.
  public func join(from h: Double, to next: Double) -> WorkByClass {
    var work = WorkByClass()
    if h != next {
      work[.join] = Work(
        calls: 1, flops: tokens * (2 * h * next + next), bytesRead: e * (tokens * h + h * next + next),
        bytesWritten: e * tokens * next)
    }
    return work
  }

  public func pooler(width h: Double) -> WorkByClass {
    var work = WorkByClass()
    work[.pooler] = Work(
      calls: 2, flops: batch * (2 * h * h + h + KernelShapes.tanhFLOPsPerElement * h),
      bytesRead: e * (2 * batch * h + h * h + h), bytesWritten: e * 2 * batch * h)
    return work
  }

  /// The whole model.
  public func total(of architecture: Architecture) -> WorkByClass {
    var sum = embedding(width: Double(architecture.embeddingWidth), position: architecture.position)
    for (index, layer) in architecture.layers.enumerated() {
      sum += self.layer(layer, next: index + 1 < architecture.layers.count ? architecture.layers[index + 1] : nil)
    }
    return sum + pooler(width: Double(architecture.layers.last?.hiddenSize ?? 0))
  }

  /// One layer, with the join to the next.
  public func layer(_ layer: Architecture.Layer, next: Architecture.Layer?) -> WorkByClass {
    let h = Double(layer.hiddenSize)
    var sum = attention(hiddenSize: h, attentionWidth: Double(layer.attentionWidth))
    for operation in HeadOperation.allCases {
      let count = layer.heads.count { $0 == operation }
      if count > 0 { sum += Double(count) * head(operation, headSize: Double(layer.headSize)) }
    }
    sum += feedForward(hiddenSize: h, stack: layer.feedForward.map(Double.init))
    if let next { sum += join(from: h, to: Double(next.hiddenSize)) }
    return sum
  }

  // MARK: Heads

  private func protranHead(_ operation: HeadOperation, d: Double) -> WorkByClass {
    let pairs = batch * n * n
    let elements = tokens * d
    let attends = relative || operation.isSelfAttention
    var work = WorkByClass()
    if operation.isSelfAttention {
      work[.scores] = Work(
        calls: 1, flops: 2 * pairs * d, bytesRead: e * 2 * elements, bytesWritten: e * pairs)
    }
    if operation == .weightedMultiplicative {
      work[.scores] += Work(
        calls: 1, flops: 2 * elements * d, bytesRead: e * (elements + d * d), bytesWritten: e * elements)
    }
    if relative {
      work[.relativeScores] = Work(
        calls: 2, flops: 2 * pairs * d, bytesRead: e * (2 * n * n * d + elements), bytesWritten: e * (n * n * d + pairs)
      )
    }
    if attends {
      let sums = relative && operation.isSelfAttention ? 1.0 : 0.0
      work[.softmax] = Work(
        calls: 3 + sums, flops: (2 + KernelShapes.softmaxFLOPsPerElement + sums) * pairs,
        bytesRead: e * (3 + 2 * sums) * pairs, bytesWritten: e * (3 + sums) * pairs)
      work[.context] = Work(
        calls: 1, flops: 2 * pairs * d, bytesRead: e * (pairs + elements), bytesWritten: e * elements)
    }
    switch operation {
    case .scaledDotProduct, .weightedMultiplicative: break
    case .discreteFourier:
      let length = variant == .protranTensorFlow ? d : n * d
      work[.fourier] = Work(
        calls: 2, flops: 5 * elements * log2(max(length, 2)), bytesRead: e * 3 * elements,
        bytesWritten: e * 3 * elements)
    case .discreteCosine:
      let axes = variant == .protranTensorFlow ? 1.0 : 2.0
      let logarithms = log2(max(d, 2)) + (axes == 2 ? log2(max(n, 2)) : 0)
      work[.cosine] = Work(
        calls: 3 * axes, flops: elements * (5 * logarithms + 3 * axes), bytesRead: e * 4 * axes * elements,
        bytesWritten: e * 4 * axes * elements)
    case .convolution5, .convolution9, .convolution13:
      work[.convolution] = convolution(taps: Double(operation.taps ?? 0), d: d)
    }
    if attends && !operation.isSelfAttention {
      work[operation.ownClass] += Work(
        calls: 1, flops: elements, bytesRead: e * 2 * elements, bytesWritten: e * elements)
    }
    return work
  }

  /// Depthwise, pointwise, product, span, softmax, value, (unfold,) weighted sum.
  private func convolution(taps: Double, d: Double) -> Work {
    let elements = tokens * d
    let unfolds = variant.isProTran
    let flops =
      elements * (4 * d + 6 * taps + 3) + tokens * taps * (1 + KernelShapes.softmaxFLOPsPerElement)
    let weights = 2 * d * d + 2 * d + 2 * d * taps + taps
    let read = 7 * elements + weights + 2 * tokens * taps + (unfolds ? elements * taps : 0)
    let written = 5 * elements + 2 * tokens * taps + (unfolds ? elements * taps : 0)
    return Work(calls: unfolds ? 8 : 7, flops: flops, bytesRead: e * read, bytesWritten: e * written)
  }

  private func nativeHead(_ operation: HeadOperation, d: Double) -> WorkByClass {
    let pairs = batch * n * n
    let elements = tokens * d
    let attends = relative || operation.isSelfAttention
    var work = WorkByClass()
    if operation.isSelfAttention {
      work[.scores] = Work(
        calls: batch, flops: 2 * pairs * d, bytesRead: e * 2 * elements, bytesWritten: e * pairs)
    }
    if operation == .weightedMultiplicative {
      work[.scores] += Work(
        calls: batch, flops: 2 * elements * d, bytesRead: e * (elements + batch * d * d), bytesWritten: e * elements)
    }
    if relative {
      let distances = variant == .native ? KernelShapes.engineDistances(n) : 2 * n - 1
      work[.relativeScores] = Work(
        calls: batch, flops: 2 * elements * distances, bytesRead: e * (elements + batch * d * distances),
        bytesWritten: e * tokens * distances)
    }
    if attends {
      work[.softmax] = Work(
        calls: batch, flops: KernelShapes.softmaxFLOPsPerElement * pairs, bytesRead: e * pairs, bytesWritten: e * pairs)
      work[.context] = Work(
        calls: batch, flops: 2 * pairs * d, bytesRead: e * (pairs + elements), bytesWritten: e * elements)
    }
    switch operation {
    case .scaledDotProduct, .weightedMultiplicative: break
    case .discreteFourier where variant == .native:
      let half = KernelShapes.fourierRows(n)
      work[.fourier] = Work(
        calls: 3 * batch, flops: 4 * elements * d + 4 * batch * half * half * d,
        bytesRead: e * (elements + batch * (2 * d * d + 2 * half * half + 2 * half * d)),
        bytesWritten: e * (2 * elements + 2 * batch * half * d))
    case .discreteCosine where variant == .native:
      let (even, odd) = KernelShapes.cosineRows(n)
      let squares = even * even + odd * odd
      work[.cosine] = Work(
        calls: 3 * batch, flops: 2 * elements * d + 2 * batch * squares * d,
        bytesRead: e * (elements + batch * (d * d + squares + n * d)), bytesWritten: e * 2 * elements)
    case .discreteFourier:
      work[.fourier] = Work(
        calls: 2 * batch, flops: 4 * elements * (d + n),
        bytesRead: e * (elements + 2 * batch * d * d + 2 * pairs + 2 * elements), bytesWritten: e * 3 * elements)
    case .discreteCosine:
      work[.cosine] = Work(
        calls: 2 * batch, flops: 2 * elements * (d + n), bytesRead: e * (2 * elements + batch * d * d + pairs),
        bytesWritten: e * 2 * elements)
    case .convolution5, .convolution9, .convolution13:
      work[.convolution] = convolution(taps: Double(operation.taps ?? 0), d: d)
    }
    return work
  }
}
