import Accuracy
import Architectures
import Twins

/// Numbers that add up over the parts of a model: a twin's lanes, and those of the accuracy predictor.
struct LayerSums: Sendable {
  var twin: TwinParts.Vector
  /// Attention weights, feed-forward weights, share of transform heads; the last lane is free.
  var accuracy: SIMD4<Double>

  static let zero = LayerSums(twin: TwinParts.Vector(repeating: 0), accuracy: SIMD4(repeating: 0))

  static func + (a: LayerSums, b: LayerSums) -> LayerSums {
    LayerSums(twin: a.twin + b.twin, accuracy: a.accuracy + b.accuracy)
  }

  static func += (a: inout LayerSums, b: LayerSums) { a = a + b }

  static func * (factor: Double, a: LayerSums) -> LayerSums {
    LayerSums(twin: factor * a.twin, accuracy: factor * a.accuracy)
  }

  @inline(__always) func dot(_ other: LayerSums) -> Double {
    (twin * other.twin).sum() + (accuracy * other.accuracy).sum()
  }
}

/// Finds the model with the least weighted sum, exactly: every layer's choices are independent but for the joins of unequal hidden sizes,
/// so that dynamic programming over hidden sizes sees all of the space in a few microseconds.
struct LayerwiseMinimum: Sendable {
  struct Solution: Sendable {
    var value: Double
    var point: DesignPoint
    var sums: LayerSums
  }

  private let space: DesignSpace
  private let parts: TwinParts
  private let hiddenCount: Int
  private let attention: [LayerSums]
  private let heads: [LayerSums]
  private let feedForward: [LayerSums]
  private let kinds: [HeadOperation]
  /// By number of heads and kind of the space: the combination of such heads alone.
  private let combinations: [Int]

  init(_ parts: TwinParts, accuracy: AccuracyStructure, space: DesignSpace) {
    self.space = space
    self.parts = parts
    hiddenCount = space.hiddenSizes.count
    kinds = space.operations
    attention = zip(parts.attention, accuracy.attention).map { LayerSums(twin: $0, accuracy: SIMD4($1, 0, 0, 0)) }
    feedForward = zip(parts.feedForward, accuracy.feedForward).map {
      LayerSums(twin: $0, accuracy: SIMD4(0, $1, 0, 0))
    }
    let all = HeadOperation.allCases.count
    heads = parts.heads.enumerated().map { index, vector in
      let count = space.headCounts[index / all % space.headCounts.count]
      let isTransform = HeadOperation.allCases[index % all].isLinearTransform
      return LayerSums(twin: vector, accuracy: SIMD4(0, 0, isTransform ? 1 / Double(count) : 0, 0))
    }
    combinations = space.headCounts.flatMap { count in
      space.operations.map { operation in
        space.headCombinationIndex(of: HeadCombination(Array(repeating: operation, count: count))) ?? 0
      }
    }
  }

  /// The least `weights · sums` of all models with so many layers; infinite where there is none.
  /// - Parameter counts: by hidden size, how many layers may have it; empty sets no limits.
  func minimum(_ weights: LayerSums, layers: Int, counts: [ClosedRange<Int>] = []) -> Solution {
    var best: [(value: Double, layer: DesignPoint.Layer, sums: LayerSums)] = []
    for hidden in 0..<hiddenCount { best.append(layer(hidden, weights)) }
    func end(_ first: Int, _ last: Int) -> Double {
      (parts.ends[first * hiddenCount + last] * weights.twin).sum()
    }
    let joins = parts.joins.map { ($0 * weights.twin).sum() }
    let states = CountStates(counts, sizes: hiddenCount, layers: layers)
    var result = Solution(value: .infinity, point: DesignPoint(layers: []), sums: .zero)
    for first in 0..<hiddenCount {
      guard let start = states.after(0, adding: first) else { continue }
      // By state of the counts and last hidden size.
      var values = [Double](repeating: .infinity, count: states.count * hiddenCount)
      values[start * hiddenCount + first] = best[first].value
      var origins: [[Int]] = []
      for _ in 1..<max(layers, 1) {
        var next = [Double](repeating: .infinity, count: values.count)
        var origin = [Int](repeating: 0, count: values.count)
        for state in 0..<states.count {
          for to in 0..<hiddenCount {
            guard let target = states.after(state, adding: to) else { continue }
            for from in 0..<hiddenCount {
              let value = values[state * hiddenCount + from] + joins[from * hiddenCount + to] + best[to].value
              if value < next[target * hiddenCount + to] {
                next[target * hiddenCount + to] = value
                origin[target * hiddenCount + to] = from
              }
            }
          }
        }
        values = next
        origins.append(origin)
      }
      for state in 0..<states.count where states.isEnough(state) {
        for last in 0..<hiddenCount {
          let value = values[state * hiddenCount + last] + end(first, last)
          guard value < result.value else { continue }
          var path = [last]
          var position = state
          for origin in origins.reversed() {
            let hidden = path[path.count - 1]
            path.append(origin[position * hiddenCount + hidden])
            position = states.before(position, adding: hidden)
          }
          path.reverse()
          result.value = value
          result.point = DesignPoint(layers: path.map { best[$0].layer })
          result.sums = sums(path, best.map(\.sums))
        }
      }
    }
    return result
  }

  /// Of a point of the space.
  func sums(of point: DesignPoint) -> LayerSums {
    var sums = LayerSums.zero
    let count = point.layerCount
    guard count > 0 else { return sums }
    let all = HeadOperation.allCases.count
    sums.twin += parts.ends[point[0].hidden * hiddenCount + point[count - 1].hidden]
    for index in 0..<count {
      let layer = point[index]
      let combination = space.headCombination(layer.heads)
      let position = space.headCounts.firstIndex(of: combination.headCount) ?? 0
      let shape = layer.hidden * space.headCounts.count + position
      sums += attention[shape]
      for operation in kinds {
        sums += Double(combination.count(of: operation)) * heads[shape * all + Int(operation.rawValue)]
      }
      sums += feedForward[layer.hidden * space.feedForwardStackCount + layer.feedForward]
      if index + 1 < count { sums.twin += parts.joins[layer.hidden * hiddenCount + point[index + 1].hidden] }
    }
    return sums
  }

  private func sums(_ path: [Int], _ layers: [LayerSums]) -> LayerSums {
    var sums = LayerSums.zero
    sums.twin += parts.ends[(path.first ?? 0) * hiddenCount + (path.last ?? 0)]
    for (index, hidden) in path.enumerated() {
      sums += layers[hidden]
      if index + 1 < path.count { sums.twin += parts.joins[hidden * hiddenCount + path[index + 1]] }
    }
    return sums
  }

  /// The best layer of a hidden size.
  private func layer(
    _ hidden: Int, _ weights: LayerSums
  ) -> (value: Double, layer: DesignPoint.Layer, sums: LayerSums) {
    let stackCount = space.feedForwardStackCount
    var stack = (value: Double.infinity, index: 0)
    for index in 0..<stackCount {
      let value = feedForward[hidden * stackCount + index].dot(weights)
      if value < stack.value { stack = (value, index) }
    }
    let all = HeadOperation.allCases.count
    var attentionBest = (value: Double.infinity, shape: 0, kind: 0, count: 0)
    for (position, count) in space.headCounts.enumerated() {
      let shape = hidden * space.headCounts.count + position
      var cheapest = (value: Double.infinity, kind: 0)
      for (kind, operation) in kinds.enumerated() {
        let value = heads[shape * all + Int(operation.rawValue)].dot(weights)
        if value < cheapest.value { cheapest = (value, kind) }
      }
      let value = attention[shape].dot(weights) + Double(count) * cheapest.value
      if value < attentionBest.value { attentionBest = (value, shape, cheapest.kind, position) }
    }
    let count = Double(space.headCounts[attentionBest.count])
    let operation = kinds[attentionBest.kind]
    return (
      stack.value + attentionBest.value,
      DesignPoint.Layer(
        hidden: hidden, feedForward: stack.index,
        heads: combinations[attentionBest.count * kinds.count + attentionBest.kind]),
      feedForward[hidden * stackCount + stack.index] + attention[attentionBest.shape]
        + count * heads[attentionBest.shape * all + Int(operation.rawValue)]
    )
  }
}
