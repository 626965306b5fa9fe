import CGSL
import Foundation

/// The factorisation `A = L Lᵀ` of a symmetric positive definite matrix (GSL's
/// `gsl_linalg_cholesky_decomp1`).
public struct Cholesky: Sendable {
  /// `L`, with zeros above the diagonal.
  public let lower: Matrix

  /// - Parameter matrix: square and symmetric; only its lower triangle is read.
  /// - Throws: ``NumericsError`` where it is not square, not finite or not positive definite.
  public init(of matrix: Matrix) throws(NumericsError) {
    let n = matrix.rowCount
    guard n > 0, matrix.columnCount == n else {
      throw .dimensionMismatch(what: "columns of a matrix to factorise", expected: n, got: matrix.columnCount)
    }
    try Check.finite("matrix to factorise", matrix.storage)
    GSL.prepare()
    var factor = matrix
    guard GSL.withMatrix(&factor, { gsl_linalg_cholesky_decomp1($0) }) == 0 else {
      throw .notPositiveDefinite(what: "\(n) × \(n) matrix")
    }
    // A tiny negative pivot may slip through as NaN where rounding meets a singular matrix.
    guard (0..<n).allSatisfy({ factor[$0, $0] > 0 && factor[$0, $0].isFinite }) else {
      throw .notPositiveDefinite(what: "\(n) × \(n) matrix")
    }
    for i in 0..<n {
      for j in (i + 1)..<max(n, i + 1) { factor[i, j] = 0 }
    }
    lower = factor
  }

  public var size: Int { lower.rowCount }

  /// The solution of `A x = b`; `b` must have ``size`` elements.
  public func solve(_ vector: [Double]) -> [Double] { solveUpper(solveLower(vector)) }

  /// The solution of `L x = b`.
  public func solveLower(_ vector: [Double]) -> [Double] {
    precondition(vector.count == size, "the right-hand side has as many elements as the matrix has rows")
    let n = size
    var x = vector
    lower.storage.withUnsafeBufferPointer { l in
      for i in 0..<n {
        var sum = x[i]
        for k in 0..<i { sum -= l[i * n + k] * x[k] }
        x[i] = sum / l[i * n + i]
      }
    }
    return x
  }

  /// The solution of `Lᵀ x = b`.
  public func solveUpper(_ vector: [Double]) -> [Double] {
    precondition(vector.count == size, "the right-hand side has as many elements as the matrix has rows")
    let n = size
    var x = vector
    lower.storage.withUnsafeBufferPointer { l in
      for i in stride(from: n - 1, through: 0, by: -1) {
        x[i] /= l[i * n + i]
        for k in 0..<i { x[k] -= l[i * n + k] * x[i] }
      }
    }
    return x
  }

  /// Natural logarithm of the determinant of `A`.
  public var logDeterminant: Double {
    var sum = 0.0
    for i in 0..<size { sum += log(lower[i, i]) }
    return 2 * sum
  }

  /// `A⁻¹`, symmetric.
  public func inverse() -> Matrix {
    GSL.prepare()
    var result = lower
    // Fails for wrong shapes only, which the initialiser has excluded.
    _ = GSL.withMatrix(&result) { gsl_linalg_cholesky_invert($0) }
    return result
  }
}
