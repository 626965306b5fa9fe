import Foundation

/// Work of the shapes that kernel calls come in, for elements of `elementBytes` bytes.
///
/// Arithmetic is counted by what the result needs (a product of `m×k` and `k×n` is `2mkn`), traffic as every operand read and every
/// result written once: the least that a cold cache allows.
struct KernelShapes {
  var elementBytes: Double

  typealias Shape = (flops: Double, bytesRead: Double, bytesWritten: Double)

  /// Arithmetic per element of the vector kernels, as counted here (an exponential or an error function is several operations).
  static let softmaxFLOPsPerElement = 5.0
  static let geluFLOPsPerElement = 8.0
  static let layerNormFLOPsPerElement = 8.0
  static let tanhFLOPsPerElement = 6.0

  /// Rows that this project's attention kernel works on at a time (with AVX-512): each needs its own distances only.
  static let engineRows = 14.0

  /// Distances that the engine multiplies each query with, of `2n − 1`.
  static func engineDistances(_ n: Double) -> Double { n + min(n, engineRows) - 1 }

  /// Rows and columns of the folded token transforms: a DFT of n tokens takes two products of this size squared.
  static func fourierRows(_ n: Double) -> Double { (n / 2).rounded(.down) + 1 }

  /// A DCT takes one product of each size squared.
  static func cosineRows(_ n: Double) -> (even: Double, odd: Double) {
    ((n / 2).rounded(.up), (n / 2).rounded(.down))
  }

  /// `rows×inputs` times a weight of `outputs×inputs`, plus bias.
  func linear(rows: Double, inputs: Double, outputs: Double) -> Shape {
    (
      2 * rows * inputs * outputs + rows * outputs,
      elementBytes * (rows * inputs + inputs * outputs + outputs), elementBytes * rows * outputs
    )
  }

  /// `batch` products of `m×k` and `k×n`.
  func product(batch: Double, m: Double, k: Double, n: Double) -> Shape {
    (
      batch * 2 * m * k * n, elementBytes * batch * (m * k + k * n), elementBytes * batch * m * n
    )
  }

  /// `batch` products of `m×k` with one shared `k×n`.
  func sharedProduct(batch: Double, m: Double, k: Double, n: Double) -> Shape {
    (
      batch * 2 * m * k * n, elementBytes * (batch * m * k + k * n), elementBytes * batch * m * n
    )
  }

  /// An element-wise kernel over `elements` results with `operands` inputs of the same size.
  func elementwise(_ elements: Double, operands: Double = 1, flopsPerElement: Double = 1) -> Shape {
    (elements * flopsPerElement, elementBytes * operands * elements, elementBytes * elements)
  }

  func softmax(_ elements: Double) -> Shape {
    elementwise(elements, flopsPerElement: Self.softmaxFLOPsPerElement)
  }

  func layerNorm(rows: Double, width: Double) -> Shape {
    (
      Self.layerNormFLOPsPerElement * rows * width, elementBytes * (rows * width + 2 * width),
      elementBytes * rows * width
    )
  }

  /// `rows` rows of `width` fetched by index and written.
  func gather(rows: Double, width: Double) -> Shape {
    (0, elementBytes * rows * width, elementBytes * rows * width)
  }

  /// A complex FFT of `points` points in all, along axes whose lengths multiply to `length`: `5·N·log₂(length)`.
  /// Read real, written complex.
  func fourier(points: Double, length: Double) -> Shape {
    (5 * points * log2(max(length, 2)), elementBytes * points, elementBytes * 2 * points)
  }
}
