import CGSL

/// What every call into GSL goes through.
enum GSL {
  /// Evaluated once, on first use: GSL's default error handler would abort the process.
  private static let errorHandlerIsOff: Bool = {
    edgetwin_gsl_error_handler_off()
    return true
  }()

  /// Must be called before the first GSL call of any routine.
  @inline(__always) static func prepare() { _ = errorHandlerIsOff }

  static func check(_ code: Int32, _ operation: String) throws(NumericsError) {
    guard code != 0 else { return }
    throw .library(operation: operation, code: Int(code), message: message(code))
  }

  static func message(_ code: Int32) -> String {
    gsl_strerror(code).map { String(cString: $0) } ?? "unknown error"
  }

  static func allocated<T>(
    _ pointer: UnsafeMutablePointer<T>?, _ operation: String
  ) throws(NumericsError) -> UnsafeMutablePointer<T> {
    guard let pointer else {
      throw .library(operation: operation, code: Int(GSL_ENOMEM), message: "allocation refused")
    }
    return pointer
  }

  /// Calls `body` with a GSL view of a non-empty array.
  @inline(__always)
  static func withVector<R>(
    _ values: inout [Double], _ body: (UnsafeMutablePointer<gsl_vector>) throws -> R
  ) rethrows -> R {
    try values.withUnsafeMutableBufferPointer { buffer in
      var view = gsl_vector_view_array(buffer.baseAddress, buffer.count)
      return try body(&view.vector)
    }
  }

  /// Calls `body` with a GSL view of a non-empty matrix.
  @inline(__always)
  static func withMatrix<R>(
    _ matrix: inout Matrix, _ body: (UnsafeMutablePointer<gsl_matrix>) throws -> R
  ) rethrows -> R {
    let (rows, columns) = (matrix.rowCount, matrix.columnCount)
    return try matrix.withUnsafeMutableStorage { buffer in
      var view = gsl_matrix_view_array(buffer.baseAddress, rows, columns)
      return try body(&view.matrix)
    }
  }
}

/// Checks that the routines of this room share.
enum Check {
  static func count(_ what: String, _ values: [Double], _ expected: Int) throws(NumericsError) {
    guard values.count == expected else {
      throw .dimensionMismatch(what: what, expected: expected, got: values.count)
    }
  }

  static func finite(_ what: String, _ values: [Double]) throws(NumericsError) {
    // The sum of x·0 is 0 unless some x is NaN or infinite: one pass without a branch.
    var probe = 0.0
    for value in values { probe += value * 0 }
    guard probe == 0 else { throw .notFinite(what: what) }
  }

  static func nonNegative(_ what: String, _ values: [Double]) throws(NumericsError) {
    try finite(what, values)
    guard values.allSatisfy({ $0 >= 0 }) else {
      throw .invalidArgument(what: what, reason: "must not be negative")
    }
  }

  /// Shapes and finiteness of a regression problem.
  static func regression(
    design: Matrix, target: [Double], weights: [Double]?
  ) throws(NumericsError) {
    guard design.rowCount > 0, design.columnCount > 0 else {
      throw .underdetermined(rows: design.rowCount, columns: design.columnCount)
    }
    try count("target", target, design.rowCount)
    try finite("design matrix", design.storage)
    try finite("target", target)
    if let weights {
      try count("weights", weights, design.rowCount)
      try nonNegative("weights", weights)
    }
  }
}
