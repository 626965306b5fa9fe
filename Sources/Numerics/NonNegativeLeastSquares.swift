/// The result of a fit whose coefficients must not be negative.
public struct NonNegativeFit: Sendable {
  /// None is negative; those of ``active`` are exactly 0.
  public let coefficients: [Double]
  /// Columns held at 0 by the constraint (or empty, or collinear with free ones), ascending.
  public let active: [Int]
  /// `residualScale² · (XᵀWX + ridge)⁻¹` on the free columns, 0 elsewhere.
  public let covariance: Matrix
  /// Target minus fitted value, unweighted.
  public let residuals: [Double]
  /// Estimated standard deviation of a residual of weight 1; 0 where no degree of freedom is left.
  public let residualScale: Double
  /// False where the iteration cap was reached: the coefficients are feasible, perhaps not optimal.
  public let isConverged: Bool

  public var standardErrors: [Double] { covariance.diagonal.map { max($0, 0).squareRoot() } }
}

/// Non-negative least squares: minimises `Σ wᵢ (yᵢ − xᵢ·c)² + Σ ridgeⱼ (cⱼ − priorⱼ)²` subject to `c ≥ 0`.
///
/// Lawson and Hanson's active-set method (Solving Least Squares Problems, 1974, ch. 23) on the normal
/// equations with columns scaled to unit length and an updated Cholesky factor of the free columns; two steps
/// of refinement against the original residuals at the end make up for the squared condition number. Columns
/// that are zero, or collinear with the free ones, stay at 0.
///
/// - Parameters:
///   - ridge: one non-negative value a column, or empty for none.
///   - prior: where the ridge pulls to; 0 where nil.
/// - Throws: ``NumericsError`` for shapes that disagree, values that are not finite, negative weights or
///   ridges.
public func nonNegativeLeastSquares(
  design: Matrix, target: [Double], weights: [Double]? = nil, ridge: [Double] = [], prior: [Double]? = nil
) throws(NumericsError) -> NonNegativeFit {
  try Check.regression(design: design, target: target, weights: weights)
  let p = design.columnCount
  let ridge = ridge.isEmpty ? [Double](repeating: 0, count: p) : ridge
  try Check.count("ridge", ridge, p)
  try Check.nonNegative("ridge", ridge)
  if let prior {
    try Check.count("prior", prior, p)
    try Check.finite("prior", prior)
  }
  return solveNonNegative(design: design, target: target, weights: weights, ridge: ridge, prior: prior)
}

/// The fit itself, of input that has been checked.
private func solveNonNegative(
  design: Matrix, target: [Double], weights: [Double]?, ridge: [Double], prior: [Double]?
) -> NonNegativeFit {
  let p = design.columnCount
  var gram = design.gram(weights: weights)
  var right = design.transposedTimes(target, weights: weights)
  var targetSquares = 0.0
  for index in target.indices { targetSquares += (weights?[index] ?? 1) * target[index] * target[index] }
  for j in 0..<p {
    gram[j, j] += ridge[j]
    guard let prior else { continue }
    right[j] += ridge[j] * prior[j]
    targetSquares += ridge[j] * prior[j] * prior[j]
  }

  var solver = ActiveSetSolver(gram: gram, right: right, targetNorm: targetSquares.squareRoot())
  solver.solve()
  var coefficients = solver.coefficients
  var residuals = zip(target, design * coefficients).map { $0 - $1 }
  for _ in 0..<2 {
    var gradient = design.transposedTimes(residuals, weights: weights)
    for j in 0..<p { gradient[j] += ridge[j] * ((prior?[j] ?? 0) - coefficients[j]) }
    guard let refined = solver.refined(coefficients, gradient: gradient) else { break }
    coefficients = refined
    residuals = zip(target, design * coefficients).map { $0 - $1 }
  }

  var covariance = solver.inverseOnFree()
  var fitted = Double(solver.free.count)
  for j in solver.free { fitted -= ridge[j] * covariance[j, j] }
  let scale = residualScale(of: residuals, weights: weights, fittedDegrees: fitted)
  scaleInPlace(&covariance, by: scale * scale)
  let isFree = Set(solver.free)
  return NonNegativeFit(
    coefficients: coefficients, active: (0..<p).filter { !isFree.contains($0) }, covariance: covariance,
    residuals: residuals, residualScale: scale, isConverged: solver.isConverged)
}
