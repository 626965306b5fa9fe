import Foundation
import Numerics
import Twins

/// Compiles smooth residuals to a polynomial of the lowest degree that keeps to them.
enum ResidualCompiler {
  /// Largest difference on the log scale that is accepted before the degree is raised.
  static let tolerance = 0.003
  private static let degrees = 2...5
  private static let boxPoints = 400

  /// - Parameters:
  ///   - parts: fits with the same summaries, each with its weight; those without a process contribute nothing.
  ///   - rows: scaled summaries of the measured rows, where the polynomial should be closest.
  /// - Returns: the compiled model and its largest error at the rows; nil where there is nothing to compile.
  static func compile(
    _ parts: [(weight: Double, fit: SeriesFit)], rows: [[Double]]
  ) throws -> (model: ResidualModel, largestError: Double)? {
    let active = parts.filter { $0.fit.process != nil }
    guard let first = active.first?.fit, !rows.isEmpty else { return nil }
    let lower = first.summaryBounds.lower
    let upper = first.summaryBounds.upper
    let center = zip(lower, upper).map { ($0 + $1) / 2 }
    // A summary that never varied contributes nothing; any positive scale will do.
    let half = zip(lower, upper).map { max(($1 - $0) / 2, 1e-6) }
    func target(_ z: [Double]) -> Double {
      active.reduce(0) { sum, part in
        sum + part.weight * (part.fit.process?.value(at: part.fit.clippedSummaries(z)) ?? 0)
      }
    }
    // The process is smooth; points of the whole box keep the polynomial from swinging between the rows.
    let box = try QuasiRandomSequence.points(.sobol, count: boxPoints, dimensions: lower.count)
      .map { unit in unit.indices.map { lower[$0] + unit[$0] * (upper[$0] - lower[$0]) } }
    let points = rows + box
    let targets = points.map(target)
    let weights = points.indices.map { $0 < rows.count ? 1.0 : 0.1 }
    var best: (model: ResidualModel, largestError: Double)?
    for degree in degrees {
      let monomials = Monomials(variables: lower.count, degree: degree)
      let design = try Matrix(
        rows: points.map { z in monomials.values(at: z.indices.map { (z[$0] - center[$0]) / half[$0] }) })
      let fit = try leastSquares(design: design, target: targets, weights: weights, ridge: 1e-6)
      let error = fit.residuals.prefix(rows.count).reduce(0) { max($0, abs($1)) }
      let scales = first.design.summaries.map(\.scale)
      let model = ResidualModel(
        inputs: first.design.summaries.map(\.summary), lower: zip(lower, scales).map { $0 * $1 },
        upper: zip(upper, scales).map { $0 * $1 }, center: zip(center, scales).map { $0 * $1 },
        scale: zip(half, scales).map { $0 * $1 }, degree: degree, weights: fit.coefficients)
      if best.map({ error < $0.largestError }) ?? true { best = (model, error) }
      if error < tolerance { break }
    }
    return best
  }
}
