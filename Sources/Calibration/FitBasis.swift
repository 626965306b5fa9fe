import Foundation
import Numerics
import Twins

/// What a series is fitted with before the smooth residual: the part of the model that carries the physics.
enum FitBasis: Sendable {
  /// Non-negative forms, averaged in log.
  case forms([FittedForm])
  /// A single level.
  case constant(log: Double)
  /// `idle + rise·(1 − exp(−t/τ))` of the predicted latency.
  case saturation(SaturationFit)

  /// Logarithm of the basis for every row.
  /// - Parameter logSeconds: logarithms of the predicted latency; needed by the saturation.
  func logValues(_ table: FeatureTable, logSeconds: [Double]) -> [Double] {
    switch self {
    case .forms(let forms):
      var sum = [Double](repeating: 0, count: table.count)
      for form in forms {
        let costs = form.costs(table)
        for row in sum.indices { sum[row] += log(max(costs[row], MeasureFloor.value)) }
      }
      return sum.map { $0 / Double(max(forms.count, 1)) }
    case .constant(let level): return [Double](repeating: level, count: table.count)
    case .saturation(let fit): return logSeconds.map { log(max(fit.value(seconds: exp($0)), MeasureFloor.value)) }
    }
  }
}

/// One of the forms that a basis averages.
enum FittedForm: Sendable {
  /// A linear form over one of the table's feature sets, by its index.
  case linear(set: Int, fit: FormFit)
  /// A linear form over a set of its own: one of the table's, its paging terms moved to where the rows put the knee.
  case moved(FeatureSet, fit: FormFit)
  case roofline(RooflineFit)

  func costs(_ table: FeatureTable) -> [Double] {
    switch self {
    case .linear(let set, let fit): table.designs[set] * fit.coefficients
    case .moved(let set, let fit): FeatureTable.design(of: set, features: table.features) * fit.coefficients
    case .roofline(let fit):
      table.roofline.map { fit.costs($0) } ?? []
    }
  }

  /// Its linear form; nil for a roofline.
  func linear(_ table: FeatureTable) -> (set: FeatureSet, fit: FormFit)? {
    switch self {
    case .linear(let set, let fit): (table.sets[set], fit)
    case .moved(let set, let fit): (set, fit)
    case .roofline: nil
    }
  }
}

extension FitBasis {
  var roofline: RooflineFit? {
    guard case .forms(let forms) = self else { return nil }
    return forms.lazy.compactMap { if case .roofline(let fit) = $0 { fit } else { nil } }.first
  }

  /// The coarsest of its linear forms; nil where it has none.
  func coarsest(_ table: FeatureTable) -> (set: FeatureSet, fit: FormFit)? {
    guard case .forms(let forms) = self else { return nil }
    return forms.lazy.compactMap { $0.linear(table) }.first
  }
}

/// Peak power as the maximum of sparse samples, which grows with the time that is sampled and saturates.
struct SaturationFit: Sendable {
  var idle: Double
  var rise: Double
  var tau: Double

  func value(seconds: Double) -> Double { idle + rise * (1 - exp(-seconds / tau)) }

  /// A grid over τ with non-negative robust fits of idle and rise, then all three together by Levenberg and Marquardt's method on the
  /// logarithms of the parameters.
  /// - Parameter weights: from outside, 0 to 1 a row.
  init(seconds: [Double], values: [Double], weights: [Double]) throws {
    let shortest = seconds.min() ?? 1
    let longest = seconds.max() ?? 1
    var best: (error: Double, fit: SaturationFit, weights: [Double])?
    for step in 0..<20 {
      let tau = shortest / 3 * pow(6 * longest / shortest, Double(step) / 19)
      var design = Matrix(rows: values.count, columns: 2)
      for row in values.indices {
        design[row, 0] = 1 / values[row]
        design[row, 1] = (1 - exp(-seconds[row] / tau)) / values[row]
      }
      var robust = weights
      var coefficients = [0.0, 0.0]
      for _ in 0..<8 {
        coefficients = try nonNegativeLeastSquares(
          design: design, target: [Double](repeating: 1, count: values.count), weights: robust
        ).coefficients
        let errors = (design * coefficients).map { abs($0 - 1) }
        let limit = 0.7 * max(1.4826 * Statistics.median(errors), 0.005)
        robust = zip(weights, errors).map { $0 * min(1, limit / max($1, 1e-9)) }
      }
      let fit = SaturationFit(idle: coefficients[0], rise: coefficients[1], tau: tau)
      let error = fit.absoluteError(seconds: seconds, values: values, weights: weights)
      if error < best?.error ?? .infinity { best = (error, fit, robust) }
    }
    guard let best else { throw NumericsError.underdetermined(rows: values.count, columns: 3) }
    self = best.fit
    // A τ far beyond the times that were measured is a straight line, not a saturation.
    if let polished = best.fit.polished(seconds: seconds, values: values, weights: best.weights),
      polished.tau <= 2 * longest,
      polished.absoluteError(seconds: seconds, values: values, weights: weights) < best.error
    {
      self = polished
    }
  }

  private init(idle: Double, rise: Double, tau: Double) {
    self.idle = idle
    self.rise = rise
    self.tau = tau
  }

  private func absoluteError(seconds: [Double], values: [Double], weights: [Double]) -> Double {
    values.indices.reduce(0) { $0 + weights[$1] * abs(value(seconds: seconds[$1]) / values[$1] - 1) }
  }

  /// Nil where the method finds no better parameters: at a bound, or where the data do not bend.
  private func polished(seconds: [Double], values: [Double], weights: [Double]) -> SaturationFit? {
    guard idle > 0, rise > 0, values.count > 3 else { return nil }
    let roots = weights.map { $0.squareRoot() }
    let fit = try? levenbergMarquardt(
      residualCount: values.count, initial: [log(idle), log(rise), log(tau)], tolerance: 1e-8, maximumIterations: 50,
      residuals: { parameters in
        // Steps that leave the range of exp would only produce infinities.
        let bounded = parameters.map { min(max($0, -40), 40) }
        let trial = SaturationFit(idle: exp(bounded[0]), rise: exp(bounded[1]), tau: exp(bounded[2]))
        return values.indices.map { roots[$0] * (trial.value(seconds: seconds[$0]) / values[$0] - 1) }
      })
    guard let parameters = fit?.parameters, parameters.allSatisfy({ abs($0) < 40 }) else { return nil }
    return SaturationFit(idle: exp(parameters[0]), rise: exp(parameters[1]), tau: exp(parameters[2]))
  }
}
