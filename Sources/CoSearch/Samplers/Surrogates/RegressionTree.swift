import Numerics

/// A binary regression tree by least squares (Breiman, Friedman, Olshen and Stone 1984), flat in arrays.
struct RegressionTree: Sendable {
  struct Growth: Sendable {
    var maximumDepth: Int
    var leastLeaf: Int
    /// Features looked at for a split, drawn anew each time; nil takes all.
    var features: Int?
    /// Thresholds drawn at random, as in extremely randomised trees (Geurts, Ernst and Wehenkel 2006), instead of the best of all.
    var isExtra = false
  }

  private var features: [Int32] = []
  private var thresholds: [Double] = []
  /// Position of the lower child; the upper one follows it. −1 in a leaf.
  private var children: [Int32] = []
  private var values: [Double] = []
  private var variances: [Double] = []

  init(
    _ rows: [[Double]], _ targets: [Double], subset: [Int], growth: Growth, using random: inout CounterRandom
  ) {
    var members = subset
    addNode()
    grow(0, &members, 0..<members.count, 0, rows, targets, growth, &random)
  }

  private mutating func addNode() {
    features.append(0)
    thresholds.append(0)
    children.append(-1)
    values.append(0)
    variances.append(0)
  }

  private mutating func grow(
    _ node: Int, _ members: inout [Int], _ range: Range<Int>, _ depth: Int, _ rows: [[Double]], _ targets: [Double],
    _ growth: Growth, _ random: inout CounterRandom
  ) {
    let count = Double(range.count)
    var sum = 0.0
    var squares = 0.0
    for position in range {
      let y = targets[members[position]]
      sum += y
      squares += y * y
    }
    values[node] = count > 0 ? sum / count : 0
    variances[node] = count > 0 ? max(squares / count - values[node] * values[node], 0) : 0
    guard depth < growth.maximumDepth, range.count >= 2 * growth.leastLeaf, variances[node] > 1e-14 else { return }

    let width = rows[members[range.lowerBound]].count
    var candidates = Array(0..<width)
    if let wanted = growth.features, wanted < width {
      for index in 0..<wanted { candidates.swapAt(index, index + random.nextIndex(below: width - index)) }
      candidates.removeLast(width - wanted)
    }
    var best = (gain: 1e-12, feature: -1, threshold: 0.0)
    for feature in candidates {
      let split =
        growth.isExtra
        ? randomSplit(feature, members[range], rows, targets, growth.leastLeaf, &random)
        : bestSplit(feature, members[range], rows, targets, growth.leastLeaf, sum)
      if let split, split.gain > best.gain { best = (split.gain, feature, split.threshold) }
    }
    guard best.feature >= 0 else { return }
    let low = members[range].filter { rows[$0][best.feature] <= best.threshold }
    let high = members[range].filter { rows[$0][best.feature] > best.threshold }
    members.replaceSubrange(range, with: low + high)
    let child = values.count
    addNode()
    addNode()
    features[node] = Int32(best.feature)
    thresholds[node] = best.threshold
    children[node] = Int32(child)
    let middle = range.lowerBound + low.count
    grow(child, &members, range.lowerBound..<middle, depth + 1, rows, targets, growth, &random)
    grow(child + 1, &members, middle..<range.upperBound, depth + 1, rows, targets, growth, &random)
  }

  private func bestSplit(
    _ feature: Int, _ members: ArraySlice<Int>, _ rows: [[Double]], _ targets: [Double], _ leastLeaf: Int, _ sum: Double
  ) -> (gain: Double, threshold: Double)? {
    let order = members.map { (rows[$0][feature], targets[$0]) }.sorted { $0.0 < $1.0 }
    let count = order.count
    var best: (gain: Double, threshold: Double)?
    var left = 0.0
    for index in 0..<(count - 1) {
      left += order[index].1
      guard order[index].0 < order[index + 1].0, index + 1 >= leastLeaf, count - index - 1 >= leastLeaf else { continue }
      let (n, m) = (Double(index + 1), Double(count - index - 1))
      let gain = left * left / n + (sum - left) * (sum - left) / m - sum * sum / Double(count)
      if gain > best?.gain ?? 0 { best = (gain, 0.5 * (order[index].0 + order[index + 1].0)) }
    }
    return best
  }

  private func randomSplit(
    _ feature: Int, _ members: ArraySlice<Int>, _ rows: [[Double]], _ targets: [Double], _ leastLeaf: Int,
    _ random: inout CounterRandom
  ) -> (gain: Double, threshold: Double)? {
    var low = Double.infinity
    var high = -Double.infinity
    for member in members {
      low = min(low, rows[member][feature])
      high = max(high, rows[member][feature])
    }
    let draw = random.nextUniform()
    guard low < high else { return nil }
    let threshold = low + draw * (high - low)
    var (n, left, sum) = (0.0, 0.0, 0.0)
    for member in members {
      sum += targets[member]
      if rows[member][feature] <= threshold {
        n += 1
        left += targets[member]
      }
    }
    let m = Double(members.count) - n
    guard n >= Double(leastLeaf), m >= Double(leastLeaf) else { return nil }
    return (left * left / n + (sum - left) * (sum - left) / m - sum * sum / (n + m), threshold)
  }

  /// Mean and variance of the leaf that a row falls into.
  func predict(_ row: [Double]) -> (mean: Double, variance: Double) {
    var node = 0
    while children[node] >= 0 {
      node = Int(children[node]) + (row[Int(features[node])] <= thresholds[node] ? 0 : 1)
    }
    return (values[node], variances[node])
  }
}

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
