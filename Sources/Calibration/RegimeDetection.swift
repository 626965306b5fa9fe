import Foundation
import Numerics

/// Splits a series, in the order of measuring, into stretches of constant level.
enum RegimeDetection {
  /// Rows from which a series is long enough to be split.
  static let minimumRows = 24
  /// Shortest stretch.
  static let minimumLength = 5
  /// Weight of a row that is no part of any regime.
  static let outlierWeight = 0.05
  /// Price of a further stretch, in units of ln n.
  static let penalty = 3.0

  /// Optimal partitioning of a piecewise constant signal under Gaussian noise of standard deviation `sigma` (Jackson et al. 2005).
  /// - Parameters:
  ///   - values: in order of measuring, outliers clipped by the caller.
  ///   - weights: 0 to 1 a row.
  ///   - orders: rising; rows of one place in the series were measured in turns, and are of one stretch. Nil where all places differ.
  /// - Returns: the index of each row's stretch, rising.
  static func segments(values: [Double], weights: [Double], sigma: Double, orders: [Int]? = nil) -> [Int] {
    let n = values.count
    guard n >= 2 * minimumLength else { return [Int](repeating: 0, count: n) }
    var w = [0.0]
    var s = [0.0]
    var q = [0.0]
    for index in 0..<n {
      w.append(w[index] + weights[index])
      s.append(s[index] + weights[index] * values[index])
      q.append(q[index] + weights[index] * values[index] * values[index])
    }
    let price = penalty * log(Double(n))
    var best = [Double](repeating: .infinity, count: n + 1)
    var previous = [Int](repeating: 0, count: n + 1)
    best[0] = -price
    func splits(_ place: Int) -> Bool {
      guard let orders, place > 0, place < n else { return true }
      return orders[place] != orders[place - 1]
    }
    for end in minimumLength...n where splits(end) {
      for start in 0...(end - minimumLength) where best[start].isFinite {
        let sum = s[end] - s[start]
        let scatter = (q[end] - q[start]) - sum * sum / max(w[end] - w[start], 1e-9)
        let cost = best[start] + scatter / (sigma * sigma) + price
        if cost < best[end] {
          best[end] = cost
          previous[end] = start
        }
      }
    }
    var segments = [Int](repeating: 0, count: n)
    var end = n
    while end > 0 {
      let start = previous[end]
      if start > 0 {
        for index in start..<n { segments[index] += 1 }
      }
      end = start
    }
    return segments
  }

  /// A running median over 11 rows that leaves outliers out; 0 where all are.
  static func runningMedian(_ values: [Double], isOutlier: [Bool]) -> [Double] {
    values.indices.map { index in
      let window = (max(0, index - 5)...min(values.count - 1, index + 5)).filter { !isOutlier[$0] }
      return window.isEmpty ? 0 : Statistics.median(window.map { values[$0] })
    }
  }

  /// The level from which the median absolute deviation is least, when a row is as likely in the state of any row of the series and scatters
  /// by `sigma` around that state's level: what to predict for a device in an unknown state.
  /// - Parameter levels: the level of each row's regime.
  static func typicalLevel(levels: [Double], sigma: Double) -> Double {
    let counts = Dictionary(grouping: levels, by: \.self).mapValues { Double($0.count) / Double(levels.count) }
    let states = counts.sorted { $0.key < $1.key }
    guard let low = states.first?.key, let high = states.last?.key, high > low else { return states.first?.key ?? 0 }
    var best = (deviation: Double.infinity, level: low)
    for step in 0...40 {
      let center = low + (high - low) * Double(step) / 40
      var lower = 0.0
      var upper = high - low + 4 * sigma
      for _ in 0..<30 {
        let half = (lower + upper) / 2
        let probability = states.reduce(0) { sum, state in
          let above = erf((center + half - state.key) / sigma / 2.squareRoot())
          let below = erf((center - half - state.key) / sigma / 2.squareRoot())
          return sum + state.value * (above - below) / 2
        }
        if probability < 0.5 { lower = half } else { upper = half }
      }
      if upper < best.deviation - 1e-9 { best = (upper, center) }
    }
    return best.level
  }
}
