import CGSL

/// The result of a linear fit `target ≈ design · coefficients`.
public struct LinearFit: Sendable {
  public let coefficients: [Double]
  /// Covariance of the coefficients, scaled by `residualScale²`.
  public let covariance: Matrix
  /// Target minus fitted value, unweighted.
  public let residuals: [Double]
  /// Estimated standard deviation of a residual of weight 1; 0 where no degree of freedom is left.
  public let residualScale: Double
  /// Numerical rank of the design (with the ridge's rows).
  public let rank: Int

  public var standardErrors: [Double] { covariance.diagonal.map { max($0, 0).squareRoot() } }
}

/// Weighted ridge regression by singular value decomposition (GSL's `gsl_multifit_wlinear_tsvd`): minimises
/// `Σ wᵢ (yᵢ − xᵢ·c)² + ridge·‖c‖²`. Collinear columns get the solution of least norm.
///
/// The covariance is `s² (XᵀWX + ridge·I)⁻¹`, with `s² = Σ wᵢrᵢ² / (n − p + ridge·tr(XᵀWX + ridge·I)⁻¹)`: the
/// denominator is n minus the trace of the hat matrix.
///
/// - Throws: ``NumericsError`` for shapes that disagree, values that are not finite, negative weights or
///   ridge, and fewer rows than columns without a ridge.
public func leastSquares(
  design: Matrix, target: [Double], weights: [Double]? = nil, ridge: Double = 0
) throws(NumericsError) -> LinearFit {
  try Check.regression(design: design, target: target, weights: weights)
  try Check.nonNegative("ridge", [ridge])
  let (n, p) = (design.rowCount, design.columnCount)
  guard n >= p || ridge > 0 else { throw .underdetermined(rows: n, columns: p) }
  GSL.prepare()

  // The ridge as p more observations of 0, so that the decomposition sees a better conditioned matrix.
  let rows = ridge > 0 ? n + p : n
  var x = Matrix(rows: rows, columns: p)
  x.withUnsafeMutableStorage { buffer in
    for (index, value) in design.storage.enumerated() { buffer[index] = value }
  }
  if ridge > 0 {
    for j in 0..<p { x[n + j, j] = ridge.squareRoot() }
  }
  var y = target + [Double](repeating: 0, count: rows - n)
  var w = (weights ?? [Double](repeating: 1, count: n)) + [Double](repeating: 1, count: rows - n)
  var coefficients = [Double](repeating: 0, count: p)
  var covariance = Matrix(rows: p, columns: p)
  var chiSquared = 0.0
  var rank = 0

  let workspace = try GSL.allocated(gsl_multifit_linear_alloc(rows, p), "gsl_multifit_linear_alloc")
  defer { gsl_multifit_linear_free(workspace) }
  let code = GSL.withMatrix(&x) { x in
    GSL.withVector(&y) { y in
      GSL.withVector(&w) { w in
        GSL.withVector(&coefficients) { c in
          GSL.withMatrix(&covariance) { covariance in
            gsl_multifit_wlinear_tsvd(
              x, w, y, Double.ulpOfOne, c, covariance, &chiSquared, &rank, workspace)
          }
        }
      }
    }
  }
  try GSL.check(code, "gsl_multifit_wlinear_tsvd")
  try Check.finite("least-squares solution", coefficients)

  let residuals = zip(target, design * coefficients).map { $0 - $1 }
  let fitted = Double(rank) - ridge * covariance.diagonal.reduce(0, +)
  let scale = residualScale(of: residuals, weights: weights, fittedDegrees: fitted)
  scaleInPlace(&covariance, by: scale * scale)
  return LinearFit(
    coefficients: coefficients, covariance: covariance, residuals: residuals, residualScale: scale, rank: rank
  )
}

/// How strongly a robust fit discounts large residuals.
public enum RobustTuning: Sendable, Hashable, CaseIterable {
  /// Huber's weights: residuals beyond 1.345 scales count linearly.
  case huber
  /// Tukey's biweight: residuals beyond 4.685 scales do not count at all.
  case bisquare
}

/// Robust linear regression by iteratively re-weighted least squares (GSL's `gsl_multifit_robust`), the scale
/// from the median absolute deviation of leverage-corrected residuals. The reported `residualScale` is GSL's
/// `sigma`, which leans towards that of ordinary least squares where rows are few (DuMouchel and O'Brien
/// 1989), so outliers still raise it.
///
/// - Throws: ``NumericsError`` for bad input, for no more rows than columns, and where 500 iterations do not
///   converge.
public func robustLeastSquares(
  design: Matrix, target: [Double], tuning: RobustTuning = .huber
) throws(NumericsError) -> LinearFit {
  try Check.regression(design: design, target: target, weights: nil)
  let (n, p) = (design.rowCount, design.columnCount)
  guard n > p else { throw .underdetermined(rows: n, columns: p) }
  GSL.prepare()
  let type =
    switch tuning {
    case .huber: edgetwin_robust_huber()
    case .bisquare: edgetwin_robust_bisquare()
    }
  let workspace = try GSL.allocated(gsl_multifit_robust_alloc(type, n, p), "gsl_multifit_robust_alloc")
  defer { gsl_multifit_robust_free(workspace) }
  let cap = 500
  try GSL.check(gsl_multifit_robust_maxiter(cap, workspace), "gsl_multifit_robust_maxiter")

  var x = design
  var y = target
  var coefficients = [Double](repeating: 0, count: p)
  var covariance = Matrix(rows: p, columns: p)
  let code = GSL.withMatrix(&x) { x in
    GSL.withVector(&y) { y in
      GSL.withVector(&coefficients) { c in
        GSL.withMatrix(&covariance) { gsl_multifit_robust(x, y, c, $0, workspace) }
      }
    }
  }
  if code == Int32(GSL_EMAXITER) {
    throw .didNotConverge(what: "robust least squares", iterations: cap)
  }
  try GSL.check(code, "gsl_multifit_robust")
  try Check.finite("robust solution", coefficients)
  let statistics = gsl_multifit_robust_statistics(workspace)
  return LinearFit(
    coefficients: coefficients, covariance: covariance,
    residuals: zip(target, design * coefficients).map { $0 - $1 }, residualScale: statistics.sigma, rank: p)
}

/// `√(Σ wᵢrᵢ² / (n − fitted))` over the n rows of positive weight; 0 where nothing is left in the
/// denominator.
func residualScale(of residuals: [Double], weights: [Double]?, fittedDegrees: Double) -> Double {
  var sum = 0.0
  var count = 0
  for index in residuals.indices {
    let weight = weights?[index] ?? 1
    if weight > 0 { count += 1 }
    sum += weight * residuals[index] * residuals[index]
  }
  let degrees = Double(count) - fittedDegrees
  return degrees > 1e-9 * Double(count) ? (sum / degrees).squareRoot() : 0
}

func scaleInPlace(_ matrix: inout Matrix, by factor: Double) {
  matrix.withUnsafeMutableStorage { buffer in
    for index in buffer.indices { buffer[index] *= factor }
  }
}
