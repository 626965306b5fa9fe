import Numerics

/// Extremely randomised trees, with the law of total variance over trees and leaves as uncertainty (Hutter, Xu, Hoos and
/// Leyton-Brown, "Algorithm runtime prediction", Artificial Intelligence 206, 2014, section 4.3).
struct RegressionForest: Sendable {
  private let trees: [RegressionTree]
  static let treeCount = 64

  init(_ rows: [[Double]], _ targets: [Double], seed: UInt64, stream: UInt64) {
    trees = (0..<Self.treeCount).map { tree in
      var random = CounterRandom(seed: seed, stream: stream, UInt64(tree))
      return RegressionTree(
        rows, targets, subset: Array(rows.indices),
        growth: .init(maximumDepth: 24, leastLeaf: 2, features: nil, isExtra: true), using: &random)
    }
  }

  func predict(_ row: [Double]) -> (mean: Double, deviation: Double) {
    var (mean, square) = (0.0, 0.0)
    for tree in trees {
      let leaf = tree.predict(row)
      mean += leaf.mean
      square += leaf.mean * leaf.mean + leaf.variance
    }
    let count = Double(trees.count)
    mean /= count
    return (mean, max(square / count - mean * mean, 0).squareRoot())
  }
}
