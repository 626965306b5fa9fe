import Numerics

/// Rows with their order by each feature, so that many trees of all of them sort once.
struct SortedRows: Sendable {
  let rows: [[Double]]
  let order: [[Int]]

  init(_ rows: [[Double]]) {
    self.rows = rows
    order = (rows.first ?? []).indices.map { feature in
      rows.indices.sorted { (rows[$0][feature], $0) < (rows[$1][feature], $1) }
    }
  }
}

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

  /// The same by all rows and all features, whose order is known: as fast as the rows are few at each node.
  /// - Parameter growth: looks at all features, at no random thresholds.
  init(_ sorted: SortedRows, _ targets: [Double], growth: Growth) {
    addNode()
    grow(0, sorted.order, 0, sorted.rows, targets, growth)
  }

  /// - Parameter members: rows of the node, sorted by each feature.
  private mutating func grow(
    _ node: Int, _ members: [[Int]], _ depth: Int, _ rows: [[Double]], _ targets: [Double], _ growth: Growth
  ) {
    let own = members.first ?? []
    let sum = note(node, own[...], targets)
    guard depth < growth.maximumDepth, own.count >= 2 * growth.leastLeaf, variances[node] > 1e-14 else { return }
    var best = (gain: 1e-12, feature: -1, threshold: 0.0)
    for (feature, order) in members.enumerated() {
      if let split = Self.bestSplit(feature, order, rows, targets, growth.leastLeaf, sum), split.gain > best.gain {
        best = (split.gain, feature, split.threshold)
      }
    }
    guard best.feature >= 0 else { return }
    let child = addChildren(of: node, best.feature, best.threshold)
    grow(
      child, members.map { $0.filter { rows[$0][best.feature] <= best.threshold } }, depth + 1, rows, targets, growth)
    grow(
      child + 1, members.map { $0.filter { rows[$0][best.feature] > best.threshold } }, depth + 1, rows, targets, growth
    )
  }

  /// Puts mean and variance of its members' targets into a node.
  /// - Returns: their sum.
  private mutating func note(_ node: Int, _ members: ArraySlice<Int>, _ targets: [Double]) -> Double {
    let count = Double(members.count)
    var sum = 0.0
    var squares = 0.0
    for member in members {
      let y = targets[member]
      sum += y
      squares += y * y
    }
    values[node] = count > 0 ? sum / count : 0
    variances[node] = count > 0 ? max(squares / count - values[node] * values[node], 0) : 0
    return sum
  }

  /// - Returns: the position of the lower child.
  private mutating func addChildren(of node: Int, _ feature: Int, _ threshold: Double) -> Int {
    let child = values.count
    addNode()
    addNode()
    features[node] = Int32(feature)
    thresholds[node] = threshold
    children[node] = Int32(child)
    return child
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
    let sum = note(node, members[range], targets)
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
        : Self.bestSplit(
          feature, members[range].sorted { rows[$0][feature] < rows[$1][feature] }, rows, targets, growth.leastLeaf, sum
        )
      if let split, split.gain > best.gain { best = (split.gain, feature, split.threshold) }
    }
    guard best.feature >= 0 else { return }
    let low = members[range].filter { rows[$0][best.feature] <= best.threshold }
    let high = members[range].filter { rows[$0][best.feature] > best.threshold }
    members.replaceSubrange(range, with: low + high)
    let child = addChildren(of: node, best.feature, best.threshold)
    let middle = range.lowerBound + low.count
    grow(child, &members, range.lowerBound..<middle, depth + 1, rows, targets, growth, &random)
    grow(child + 1, &members, middle..<range.upperBound, depth + 1, rows, targets, growth, &random)
  }

  /// - Parameter order: the node's rows, sorted by the feature.
  private static func bestSplit(
    _ feature: Int, _ order: [Int], _ rows: [[Double]], _ targets: [Double], _ leastLeaf: Int, _ sum: Double
  ) -> (gain: Double, threshold: Double)? {
    let count = order.count
    var best: (gain: Double, threshold: Double)?
    var left = 0.0
    for index in 0..<(count - 1) {
      left += targets[order[index]]
      let (here, next) = (rows[order[index]][feature], rows[order[index + 1]][feature])
      guard here < next, index + 1 >= leastLeaf, count - index - 1 >= leastLeaf else { continue }
      let (n, m) = (Double(index + 1), Double(count - index - 1))
      let gain = left * left / n + (sum - left) * (sum - left) / m - sum * sum / Double(count)
      if gain > best?.gain ?? 0 { best = (gain, 0.5 * (here + next)) }
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
