import Architectures

/// Seconds at the roofs of what one head of one sequence computes, by kind of kernel; heads run side by side on all threads.
struct HeadParts {
  var score = 0.0
  var relativeScore = 0.0
  var softmax = 0.0
  var fourier = 0.0
  var cosine = 0.0
  var convolution = 0.0

  var sum: Double { score + relativeScore + softmax + fourier + cosine + convolution }

  /// - Parameter isEngine: whether this project's kernels compute it, which fold the transforms and skip distances that no pair has.
  init(
    _ operation: HeadOperation, headSize d: Double, length n: Double, isRelative: Bool, isEngine: Bool, roofs: RoofTable
  ) {
    func product(_ m: Double, _ k: Double, _ n: Double) -> Double {
      m > 0 && k > 0 ? roofs.headProductSeconds(m: m, k: k, n: n) : 0
    }
    func elementwise(_ kernel: Roofs.Elementwise.Kernel?, _ elements: Double, flops: Double, operands: Double) -> Double
    {
      roofs.elementwiseSeconds(
        kernel, elements: elements, flopsPerElement: flops, bytes: roofs.bytesPerElement * operands * elements)
    }
    if operation.isSelfAttention { score += product(n, d, n) }
    if operation == .weightedMultiplicative { score += product(n, d, d) }
    if isRelative {
      relativeScore += product(n, d, isEngine ? KernelShapes.engineDistances(n) : 2 * n - 1)
    }
    if isRelative || operation.isSelfAttention {
      softmax += elementwise(
        .softmax, n * n, flops: KernelShapes.softmaxFLOPsPerElement, operands: isRelative ? 4 : 2)
      score += product(n, n, d)
    }
    switch operation {
    case .scaledDotProduct, .weightedMultiplicative: break
    case .discreteFourier:
      fourier += product(n, d, 2 * d)
      if isEngine {
        let half = KernelShapes.fourierRows(n)
        fourier += 2 * product(half, half, d)
      } else {
        fourier += product(n, 2 * n, d)
      }
    case .discreteCosine:
      cosine += product(n, d, d)
      if isEngine {
        let (even, odd) = KernelShapes.cosineRows(n)
        cosine += product(even, even, d) + product(odd, odd, d)
      } else {
        cosine += product(n, n, d)
      }
    case .convolution5, .convolution9, .convolution13:
      let taps = Double(operation.taps ?? 0)
      convolution += 2 * product(n, d, d) + product(n, d, taps)
      // Depthwise taps, product with q, softmax over taps, windowed sum.
      convolution += elementwise(nil, n * d, flops: 4 * taps + 1, operands: 6)
      convolution += elementwise(.softmax, n * taps, flops: KernelShapes.softmaxFLOPsPerElement, operands: 2)
    }
  }

  mutating func scale(by factor: Double) {
    score *= factor
    relativeScore *= factor
    softmax *= factor
    fourier *= factor
    cosine *= factor
    convolution *= factor
  }
}
