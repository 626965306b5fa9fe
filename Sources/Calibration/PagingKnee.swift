import Foundation
import Numerics
import Twins

/// Where paging sets in: a knee in parameter bytes, by Levenberg and Marquardt's method.
///
/// The forms bend at knees that the memory's size suggests; this says where the rows put it: `y ≈ base·a·(1 + b·softplus((P − k)/w))` with
/// base the forms without their paging terms.
enum PagingKnee {
  private static let minimumRows = 24
  /// A bend must explain this share of what the rows deviate by.
  private static let leastGain = 0.25
  private static let width = 1.5e7

  /// Bytes; nil where the rows show no bend, or the method does not converge inside the range of the rows.
  static func bytes(basis: FitBasis, table: FeatureTable, values: [Double]) -> Double? {
    guard values.count >= minimumRows, let coarse = basis.coarsest(table) else { return nil }
    guard coarse.set.terms.contains(where: { $0.feature.isPaging }) else { return nil }
    let design = FeatureTable.design(of: coarse.set, features: table.features)
    let base = design * zip(coarse.set.terms, coarse.fit.coefficients).map { $0.feature.isPaging ? 0 : $1 }
    let bytes = table.features.map { $0[.parameterBytes] }
    guard base.allSatisfy({ $0 > 0 }), let low = bytes.min(), let high = bytes.max(), high > low else { return nil }
    let ratios = zip(values, base).map { log($0 / $1) }
    func model(_ parameters: [Double], _ bytes: Double) -> Double {
      let x = (bytes - parameters[2]) / width
      let softplus = x > 30 ? x : log1p(exp(x))
      return parameters[0] + log1p(exp(min(parameters[1], 20)) * softplus)
    }
    func fitted(from knee: Double) -> NonlinearFit? {
      try? levenbergMarquardt(
        residualCount: ratios.count, initial: [0, -2, knee], tolerance: 1e-8, maximumIterations: 100,
        residuals: { parameters in
          ratios.indices.map { row in
            let error = ratios[row] - model(parameters, bytes[row])
            // Large residuals count as their root, so that a few outliers do not place the knee.
            return abs(error) <= 0.3 ? error : (error < 0 ? -1 : 1) * (0.3 * (2 * abs(error) - 0.3)).squareRoot()
          }
        })
    }
    let fits = [0.6, 0.75, 0.9].compactMap { fitted(from: Statistics.quantile(bytes, $0)) }
    guard let best = fits.min(by: { $0.cost < $1.cost }) else { return nil }
    let flat = ratios.reduce(0) { $0 + min($1 * $1, 0.09) }
    let knee = best.parameters[2]
    guard knee > low, knee < high, best.cost < (1 - leastGain) * flat, exp(best.parameters[1]) > 1e-3 else {
      return nil
    }
    return knee
  }
}
