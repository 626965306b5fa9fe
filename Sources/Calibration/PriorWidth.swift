import Foundation
import Numerics

/// How far a form's coefficients may stray from the prior's shares: three widths, each weighted by how well it predicts rows held out.
enum PriorWidth {
  private static let candidates = [0.08, 0.2, 0.5]
  private static let fallback = [(tau: 0.2, weight: 1.0)]
  private static let minimumRows = 8
  private static let maximumFolds = 6

  /// Inner cross-validation, scored by mean absolute log error with large errors capped; a width's weight is the inverse square of its
  /// score, relative to the best.
  static func weighed(table: FeatureTable, values: [Double]) throws -> [(tau: Double, weight: Double)] {
    let n = values.count
    guard n >= minimumRows else { return fallback }
    let folds = min(n, maximumFolds)
    let fold = (0..<n).map { $0 * 7 % folds }
    var errors: [[Double]] = []
    for tau in candidates {
      var error = [Double](repeating: 0, count: n)
      for held in 0..<folds {
        let train = (0..<n).filter { fold[$0] != held }
        let subtable = table.selecting(train)
        // The whole table decides which sets have enough rows, so that every fold fits the same ones.
        let fits = try table.usableSets.map { index in
          (
            index,
            try FormFit(
              design: subtable.designs[index], set: table.sets[index], values: train.map { values[$0] },
              weights: [Double](repeating: 1, count: train.count), options: .init(tau: tau, iterations: 6))
          )
        }
        for row in 0..<n where fold[row] == held {
          var sum = 0.0
          for (index, fit) in fits {
            let cost = zip(table.designs[index].row(row), fit.coefficients).reduce(0) { $0 + $1.0 * $1.1 }
            sum += log(max(cost, MeasureFloor.value))
          }
          error[row] = abs(sum / Double(fits.count) - log(values[row]))
        }
      }
      errors.append(error)
    }
    let cap = 3 * (errors.map { Statistics.median($0) }.max() ?? 0)
    let scores = errors.map { $0.reduce(0) { $0 + min($1, cap) } }
    guard let least = scores.min(), least > 0 else { return fallback }
    let weights = scores.map { (least / $0) * (least / $0) }
    let total = weights.reduce(0, +)
    return zip(candidates, weights).map { ($0, $1 / total) }
  }
}
