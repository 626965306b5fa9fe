import Foundation
import Numerics

/// Least-squares gradient boosting of regression trees (Friedman, "Greedy function approximation: a gradient boosting machine", Annals of
/// Statistics 29, 2001): each tree is fitted to what the ones before it leave, and counts a little.
///
/// Predictions stay within the range of what was fitted, up to overshoot of single steps: a search cannot run away on it.
struct BoostedTrees: Sendable {
  struct Settings: Sendable {
    var trees = 300
    var rate = 0.05
    var depth = 5
    var leastLeaf = 5
  }

  /// `feature < 0` is a leaf.
  private struct Node: Sendable {
    var feature: Int32
    var threshold: Float
    var low: Int32
    var high: Int32
    var value: Double
  }

  private let base: Double
  private var trees: [[Node]] = []

  /// - Parameters:
  ///   - rows: features, as many in each row.
  ///   - values: one a row, at least one.
  init(_ rows: [[Float]], _ values: [Double], settings: Settings = Settings()) {
    base = Statistics.mean(values)
    var rest = values.map { [base] in $0 - base }
    // Every feature is sorted once; trees pick their rows from it.
    let order = (rows.first ?? []).indices.map { feature in
      rows.indices.sorted { (rows[$0][feature], $0) < (rows[$1][feature], $1) }
    }
    for _ in 0..<settings.trees {
      var builder = Builder(rows: rows, order: order, target: rest, settings: settings)
      builder.grow()
      let nodes = builder.nodes.map { node in
        var node = node
        node.value *= settings.rate
        return node
      }
      trees.append(nodes)
      for index in rows.indices { rest[index] -= Self.value(nodes, rows[index]) }
    }
  }

  func predict(_ row: [Float]) -> Double { trees.reduce(base) { $0 + Self.value($1, row) } }

  private static func value(_ nodes: [Node], _ row: [Float]) -> Double {
    var index = 0
    while nodes[index].feature >= 0 {
      let node = nodes[index]
      index = Int(row[Int(node.feature)] <= node.threshold ? node.low : node.high)
    }
    return nodes[index].value
  }

  /// Root mean square of errors on rows that were left out, `folds` times another part.
  static func heldOutError(
    _ rows: [[Float]], _ values: [Double], folds: Int = 5, seed: UInt64, settings: Settings = Settings()
  ) -> Double {
    var random = CounterRandom(seed: seed, stream: 0xF01D)
    let order = rows.indices.shuffled(using: &random)
    var squares = 0.0
    for fold in 0..<folds {
      let out = Set(order.indices.filter { $0 % folds == fold }.map { order[$0] })
      let kept = rows.indices.filter { !out.contains($0) }
      let trees = BoostedTrees(kept.map { rows[$0] }, kept.map { values[$0] }, settings: settings)
      for index in out.sorted() {
        let error = trees.predict(rows[index]) - values[index]
        squares += error * error
      }
    }
    return (squares / Double(max(rows.count, 1))).squareRoot()
  }

  private struct Builder {
    let rows: [[Float]]
    let order: [[Int]]
    let target: [Double]
    let settings: Settings
    var nodes: [Node] = []

    mutating func grow() { _ = node(order, depth: 0) }

    /// - Parameter members: rows of the node, sorted by each feature.
    private mutating func node(_ members: [[Int]], depth: Int) -> Int32 {
      let place = nodes.count
      let first = members.first ?? []
      let sum = first.reduce(0.0) { $0 + target[$1] }
      nodes.append(Node(feature: -1, threshold: 0, low: 0, high: 0, value: sum / Double(max(first.count, 1))))
      guard depth < settings.depth, first.count >= 2 * settings.leastLeaf, let split = split(members, sum) else {
        return Int32(place)
      }
      let low = members.map { list in list.filter { rows[$0][split.feature] <= split.threshold } }
      let high = members.map { list in list.filter { rows[$0][split.feature] > split.threshold } }
      nodes[place].feature = Int32(split.feature)
      nodes[place].threshold = split.threshold
      nodes[place].low = node(low, depth: depth + 1)
      nodes[place].high = node(high, depth: depth + 1)
      return Int32(place)
    }

    /// The cut that explains most; nil where none does.
    private func split(_ members: [[Int]], _ sum: Double) -> (feature: Int, threshold: Float)? {
      var best: (feature: Int, threshold: Float)?
      var bestGain = -1.0
      for (feature, own) in members.enumerated() {
        let count = own.count
        if bestGain < 0 { bestGain = sum * sum / Double(count) + 1e-12 }
        var left = 0.0
        for position in 0..<(count - 1) {
          left += target[own[position]]
          let (here, next) = (rows[own[position]][feature], rows[own[position + 1]][feature])
          let lowCount = position + 1
          guard here < next, lowCount >= settings.leastLeaf, count - lowCount >= settings.leastLeaf else { continue }
          let right = sum - left
          let gain = left * left / Double(lowCount) + right * right / Double(count - lowCount)
          if gain > bestGain {
            bestGain = gain
            best = (feature, (here + next) / 2)
          }
        }
      }
      return best
    }
  }
}
