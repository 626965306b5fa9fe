import CGSL

/// Eigenvalues and orthonormal eigenvectors of a symmetric matrix (GSL's `gsl_eigen_symmv`), in no particular order.
public struct SymmetricEigen: Sendable {
  public let values: [Double]
  /// Column `k` belongs to `values[k]`.
  public let vectors: Matrix

  /// - Parameter matrix: square and symmetric; only its lower triangle is read.
  /// - Throws: ``NumericsError`` where it is not square or not finite.
  public init(of matrix: Matrix) throws(NumericsError) {
    let n = matrix.rowCount
    guard n > 0, matrix.columnCount == n else {
      throw .dimensionMismatch(what: "columns of a matrix to diagonalise", expected: n, got: matrix.columnCount)
    }
    try Check.finite("matrix to diagonalise", matrix.storage)
    GSL.prepare()
    let workspace = try GSL.allocated(gsl_eigen_symmv_alloc(n), "eigenvalue workspace")
    defer { gsl_eigen_symmv_free(workspace) }
    var scratch = matrix
    var values = [Double](repeating: 0, count: n)
    var vectors = Matrix(rows: n, columns: n)
    let code = GSL.withMatrix(&scratch) { scratch in
      GSL.withVector(&values) { values in
        GSL.withMatrix(&vectors) { vectors in gsl_eigen_symmv(scratch, values, vectors, workspace) }
      }
    }
    try GSL.check(code, "eigenvalues of a symmetric matrix")
    self.values = values
    self.vectors = vectors
  }
}
