import Foundation
import Numerics

/// Boosted regression trees (Friedman 2001) of random halves of the rows (Friedman 2002), several times on bootstrap samples: their
/// spread is the uncertainty.
///
/// Predictions stay within the range of what was fitted, up to overshoot of single steps: a search cannot run away on them.
package struct BoostedTrees: Sendable {
  package struct Configuration: Sendable {
    package var ensembles = 5
    package var rounds = 60
    package var rate = 0.1
    package var depth = 4
    package var leastLeaf = 2
    /// Whether all rows are in every round, and all features in every split: then one ensemble is all there is.
    package var usesAll = false

    package static let standard = Configuration()
    /// Trees that meet what they are fitted to: what stands in for a table of values.
    package static let close = Configuration(
      ensembles: 1, rounds: 150, rate: 0.1, depth: 12, leastLeaf: 1, usesAll: true)
  }

  private let configuration: Configuration
  private var ensembles: [(base: Double, trees: [RegressionTree])] = []

  package init(
    _ rows: [[Double]], _ targets: [Double], seed: UInt64, stream: UInt64, configuration: Configuration = .standard
  ) {
    self.configuration = configuration
    guard let width = rows.first?.count else { return }
    if configuration.usesAll {
      ensembles = [Self.ensemble(SortedRows(rows), targets, configuration)]
      return
    }
    for ensemble in 0..<configuration.ensembles {
      var random = CounterRandom(seed: seed, stream: stream, UInt64(ensemble))
      let sample = rows.indices.map { _ in random.nextIndex(below: rows.count) }
      let base = Statistics.mean(sample.map { targets[$0] })
      var residuals = targets.map { $0 - base }
      var trees: [RegressionTree] = []
      let drawn = Set(sample).sorted()
      for _ in 0..<configuration.rounds {
        let subset = sample.filter { _ in random.next() & 1 == 0 }
        guard subset.count > 1 else { continue }
        let tree = RegressionTree(
          rows, residuals, subset: subset,
          growth: .init(
            maximumDepth: configuration.depth, leastLeaf: configuration.leastLeaf, features: max(width / 3, 1)),
          using: &random)
        for index in drawn { residuals[index] -= configuration.rate * tree.predict(rows[index]).mean }
        trees.append(tree)
      }
      ensembles.append((base, trees))
    }
  }

  /// Of all rows, without anything drawn.
  private static func ensemble(
    _ sorted: SortedRows, _ targets: [Double], _ configuration: Configuration
  ) -> (base: Double, trees: [RegressionTree]) {
    let base = Statistics.mean(targets)
    var residuals = targets.map { $0 - base }
    let growth = RegressionTree.Growth(maximumDepth: configuration.depth, leastLeaf: configuration.leastLeaf)
    let trees = (0..<configuration.rounds).map { _ in
      let tree = RegressionTree(sorted, residuals, growth: growth)
      for index in residuals.indices { residuals[index] -= configuration.rate * tree.predict(sorted.rows[index]).mean }
      return tree
    }
    return (base, trees)
  }

  package func predict(_ row: [Double]) -> (mean: Double, deviation: Double) {
    let values = ensembles.map { ensemble in
      ensemble.trees.reduce(ensemble.base) { $0 + configuration.rate * $1.predict(row).mean }
    }
    return (Statistics.mean(values), Statistics.standardDeviation(values))
  }

  /// Root mean square of errors on rows that were left out, `folds` times another part.
  package static func heldOutError(
    _ rows: [[Double]], _ targets: [Double], folds: Int = 5, seed: UInt64, configuration: Configuration = .standard
  ) -> Double {
    var random = CounterRandom(seed: seed, stream: 0xF01D)
    let order = rows.indices.shuffled(using: &random)
    var squares = 0.0
    for fold in 0..<folds {
      let out = Set(order.indices.filter { $0 % folds == fold }.map { order[$0] })
      let kept = rows.indices.filter { !out.contains($0) }
      let trees = BoostedTrees(
        kept.map { rows[$0] }, kept.map { targets[$0] }, seed: seed, stream: 0xF01E, configuration: configuration)
      for index in out.sorted() {
        let error = trees.predict(rows[index]).mean - targets[index]
        squares += error * error
      }
    }
    return (squares / Double(max(rows.count, 1))).squareRoot()
  }
}
