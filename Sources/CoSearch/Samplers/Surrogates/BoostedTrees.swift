import Numerics

/// Boosted regression trees (Friedman 2001) of random halves of the rows (Friedman 2002), several times on bootstrap samples: their
/// spread is the uncertainty.
package struct BoostedTrees: Sendable {
  package struct Configuration: Sendable {
    var ensembles = 5
    var rounds = 60
    var rate = 0.1
    var depth = 4
    /// Whether all rows are in every ensemble and every round, and all features in every split: then one ensemble is all there is.
    var usesAll = false

    package static let standard = Configuration()
    /// Near to interpolation: what stands in for a table of values.
    package static let close = Configuration(ensembles: 1, rounds: 300, rate: 0.1, depth: 7, usesAll: true)
  }

  private let configuration: Configuration
  private var ensembles: [(base: Double, trees: [RegressionTree])] = []

  package init(
    _ rows: [[Double]], _ targets: [Double], seed: UInt64, stream: UInt64, configuration: Configuration = .standard
  ) {
    self.configuration = configuration
    guard let width = rows.first?.count else { return }
    for ensemble in 0..<configuration.ensembles {
      var random = CounterRandom(seed: seed, stream: stream, UInt64(ensemble))
      let sample =
        configuration.usesAll ? Array(rows.indices) : rows.indices.map { _ in random.nextIndex(below: rows.count) }
      let base = Statistics.mean(sample.map { targets[$0] })
      var residuals = targets.map { $0 - base }
      var trees: [RegressionTree] = []
      let drawn = Set(sample).sorted()
      for _ in 0..<configuration.rounds {
        let subset = configuration.usesAll ? sample : sample.filter { _ in random.next() & 1 == 0 }
        guard subset.count > 1 else { continue }
        let tree = RegressionTree(
          rows, residuals, subset: subset,
          growth: .init(
            maximumDepth: configuration.depth, leastLeaf: configuration.usesAll ? 1 : 2,
            features: configuration.usesAll ? nil : max(width / 3, 1)), using: &random)
        for index in drawn { residuals[index] -= configuration.rate * tree.predict(rows[index]).mean }
        trees.append(tree)
      }
      ensembles.append((base, trees))
    }
  }

  package func predict(_ row: [Double]) -> (mean: Double, deviation: Double) {
    let values = ensembles.map { ensemble in
      ensemble.trees.reduce(ensemble.base) { $0 + configuration.rate * $1.predict(row).mean }
    }
    return (Statistics.mean(values), Statistics.standardDeviation(values))
  }
}
