import CGSL

/// The result of a nonlinear fit.
public struct NonlinearFit: Sendable {
  public let parameters: [Double]
  /// `(JᵀJ)⁻¹ · cost/(n − p)` at the solution; zero where n = p, zero rows for parameters that have no
  /// effect.
  public let covariance: Matrix
  /// Sum of the squares of ``residuals``.
  public let cost: Double
  public let residuals: [Double]
  public let iterations: Int
  /// True where the step or the gradient fell below the tolerance.
  public let isConverged: Bool

  public var standardErrors: [Double] { covariance.diagonal.map { max($0, 0).squareRoot() } }
}

/// Minimises the sum of squared residuals by Levenberg and Marquardt's method (GSL's `gsl_multifit_nlinear`
/// with the trust region `lm`, QR solver, Moré's scaling).
///
/// Converged means: the last step changed every parameter by at most `tolerance·(|p| + tolerance)`, or no
/// column of the Jacobian has a cosine above `tolerance` with the residuals (MINPACK's test, free of units),
/// or the residuals are 0.
///
/// - Parameters:
///   - residualCount: number n of residuals, at least the number of parameters.
///   - residuals: n values for given parameters.
///   - jacobian: n × p derivatives of the residuals; central differences where nil.
/// - Throws: ``NumericsError/nonFiniteEvaluation(what:parameters:)`` where a residual or derivative is not
///   finite, other cases for wrong sizes, and whatever the closures throw. Reaching the cap is not an error,
///   see ``NonlinearFit/isConverged``.
public func levenbergMarquardt(
  residualCount: Int, initial: [Double], tolerance: Double = 1e-10, maximumIterations: Int = 200,
  residuals: @escaping ([Double]) throws -> [Double], jacobian: (([Double]) throws -> Matrix)? = nil
) throws -> NonlinearFit {
  let (n, p) = (residualCount, initial.count)
  guard p > 0, n >= p else { throw NumericsError.underdetermined(rows: n, columns: p) }
  guard tolerance > 0 else {
    throw NumericsError.invalidArgument(what: "tolerance", reason: "must be positive")
  }
  try Check.finite("initial parameters", initial)
  GSL.prepare()

  let problem = NonlinearProblem(residualCount: n, residuals: residuals, jacobian: jacobian)
  return try withExtendedLifetime(problem) {
    var settings = gsl_multifit_nlinear_default_parameters()
    settings.trs = edgetwin_nlinear_lm()
    settings.fdtype = GSL_MULTIFIT_NLINEAR_CTRDIFF
    settings.h_df = 6e-6  // cube root of the unit roundoff: the best step of a central difference
    let workspace = try GSL.allocated(
      gsl_multifit_nlinear_alloc(edgetwin_nlinear_trust(), &settings, n, p), "gsl_multifit_nlinear_alloc")
    defer { gsl_multifit_nlinear_free(workspace) }

    var functions = gsl_multifit_nlinear_fdf()
    functions.f = { x, context, f in NonlinearProblem.from(context).evaluate(at: x, into: f) }
    if jacobian != nil {
      functions.df = { x, context, j in NonlinearProblem.from(context).differentiate(at: x, into: j) }
    }
    functions.n = n
    functions.p = p
    functions.params = Unmanaged.passUnretained(problem).toOpaque()

    // The workspace keeps the address of the functions: one that outlives every call below.
    return try withUnsafeMutablePointer(to: &functions) { functions in
      var start = initial
      let code = GSL.withVector(&start) { gsl_multifit_nlinear_init($0, functions, workspace) }
      try problem.check(code, "gsl_multifit_nlinear_init")

      var iterations = 0
      var isConverged = problem.isStationary(workspace, tolerance)
      while !isConverged && iterations < maximumIterations {
        let code = gsl_multifit_nlinear_iterate(workspace)
        iterations += 1
        let isStuck = code == Int32(GSL_ENOPROG)
        if !isStuck { try problem.check(code, "gsl_multifit_nlinear_iterate") }
        isConverged =
          problem.isStationary(workspace, tolerance)
          || (!isStuck && problem.stepIsSmall(workspace, tolerance))
        if isStuck {
          // No step lowers the cost: at the precision of the arithmetic this is a minimum if the gradient
          // nearly is 0.
          isConverged = isConverged || problem.isStationary(workspace, max(tolerance.squareRoot(), 1e-6))
          break
        }
      }
      return try problem.result(workspace, iterations: iterations, isConverged: isConverged)
    }
  }
}

/// The closures of a fit, and what they threw: C cannot carry errors.
private final class NonlinearProblem {
  let residualCount: Int
  let residuals: ([Double]) throws -> [Double]
  let jacobian: (([Double]) throws -> Matrix)?
  var error: (any Error)?

  init(
    residualCount: Int, residuals: @escaping ([Double]) throws -> [Double],
    jacobian: (([Double]) throws -> Matrix)?
  ) {
    self.residualCount = residualCount
    self.residuals = residuals
    self.jacobian = jacobian
  }

  static func from(_ context: UnsafeMutableRawPointer?) -> NonlinearProblem {
    guard let context else { preconditionFailure("GSL hands back the context it was given") }
    return Unmanaged<NonlinearProblem>.fromOpaque(context).takeUnretainedValue()
  }

  func check(_ code: Int32, _ operation: String) throws {
    if let error { throw error }
    try GSL.check(code, operation)
  }

  func evaluate(at x: UnsafePointer<gsl_vector>?, into f: UnsafeMutablePointer<gsl_vector>?) -> Int32 {
    guard let x, let f else { return Int32(GSL_EFAULT) }
    let parameters = Self.array(x)
    return guarded {
      try Self.checkFinite("parameter", parameters, at: parameters)
      let values = try residuals(parameters)
      try Check.count("residuals", values, residualCount)
      try Self.checkFinite("a residual", values, at: parameters)
      for (index, value) in values.enumerated() { gsl_vector_set(f, index, value) }
    }
  }

  func differentiate(at x: UnsafePointer<gsl_vector>?, into j: UnsafeMutablePointer<gsl_matrix>?) -> Int32 {
    guard let x, let j, let jacobian else { return Int32(GSL_EFAULT) }
    let parameters = Self.array(x)
    return guarded {
      let values = try jacobian(parameters)
      guard values.rowCount == residualCount, values.columnCount == parameters.count else {
        throw NumericsError.dimensionMismatch(
          what: "jacobian", expected: residualCount * parameters.count, got: values.storage.count)
      }
      try Self.checkFinite("a derivative", values.storage, at: parameters)
      for row in 0..<values.rowCount {
        for column in 0..<values.columnCount { gsl_matrix_set(j, row, column, values[row, column]) }
      }
    }
  }

  private func guarded(_ body: () throws -> Void) -> Int32 {
    do {
      try body()
      return 0
    } catch {
      self.error = error
      return Int32(GSL_EBADFUNC)
    }
  }

  private static func checkFinite(_ what: String, _ values: [Double], at parameters: [Double]) throws {
    guard values.allSatisfy(\.isFinite) else {
      throw NumericsError.nonFiniteEvaluation(what: what, parameters: parameters)
    }
  }

  static func array(_ vector: UnsafePointer<gsl_vector>) -> [Double] {
    (0..<vector.pointee.size).map { gsl_vector_get(vector, $0) }
  }

  typealias Workspace = UnsafeMutablePointer<gsl_multifit_nlinear_workspace>

  func isStationary(_ workspace: Workspace, _ tolerance: Double) -> Bool {
    guard let f = workspace.pointee.f, let j = workspace.pointee.J else { return false }
    let residualNorm = gsl_blas_dnrm2(f)
    if residualNorm == 0 { return true }
    for column in 0..<j.pointee.size2 {
      var view = gsl_matrix_column(j, column)
      let norm = gsl_blas_dnrm2(&view.vector)
      var product = 0.0
      gsl_blas_ddot(&view.vector, f, &product)
      if norm > 0, abs(product) / norm > tolerance * residualNorm { return false }
    }
    return true
  }

  func stepIsSmall(_ workspace: Workspace, _ tolerance: Double) -> Bool {
    guard let x = workspace.pointee.x, let step = workspace.pointee.dx else { return false }
    return (0..<x.pointee.size).allSatisfy {
      abs(gsl_vector_get(step, $0)) <= tolerance * (abs(gsl_vector_get(x, $0)) + tolerance)
    }
  }

  func result(_ workspace: Workspace, iterations: Int, isConverged: Bool) throws -> NonlinearFit {
    guard let x = workspace.pointee.x, let f = workspace.pointee.f, let j = workspace.pointee.J else {
      throw NumericsError.library(
        operation: "gsl_multifit_nlinear", code: Int(GSL_EFAULT), message: "no state")
    }
    let (parameters, residuals) = (Self.array(x), Self.array(f))
    let p = parameters.count
    var covariance = Matrix(rows: p, columns: p)
    try check(
      GSL.withMatrix(&covariance) { gsl_multifit_nlinear_covar(j, 0, $0) }, "gsl_multifit_nlinear_covar")
    let cost = residuals.reduce(0) { $0 + $1 * $1 }
    let degrees = residualCount - p
    scaleInPlace(&covariance, by: degrees > 0 ? cost / Double(degrees) : 0)
    return NonlinearFit(
      parameters: parameters, covariance: covariance, cost: cost, residuals: residuals,
      iterations: iterations,
      isConverged: isConverged)
  }
}
