import CGSL

/// Descriptive statistics. All give NaN for no values, and wherever a value is NaN.
public enum Statistics {
  public static func mean(_ values: [Double]) -> Double {
    values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count)
  }

  /// Unbiased variance (divided by n − 1); NaN for fewer than two values.
  public static func variance(_ values: [Double]) -> Double {
    guard values.count > 1 else { return .nan }
    let centre = mean(values)
    return values.reduce(0) { $0 + ($1 - centre) * ($1 - centre) } / Double(values.count - 1)
  }

  public static func standardDeviation(_ values: [Double]) -> Double { variance(values).squareRoot() }

  /// The middle value, or the mean of the two middle ones.
  public static func median(_ values: [Double]) -> Double { quantile(values, 0.5) }

  /// Type 7 of Hyndman and Fan: linear between order statistics, as numpy and R do by default.
  ///
  /// - Parameter probability: clamped to 0…1.
  public static func quantile(_ values: [Double], _ probability: Double) -> Double {
    guard !values.isEmpty, !probability.isNaN, !values.contains(where: \.isNaN) else { return .nan }
    return quantile(ofSorted: values.sorted(), probability)
  }

  /// ``quantile(_:_:)`` of values in ascending order, none of them NaN.
  public static func quantile(ofSorted sorted: [Double], _ probability: Double) -> Double {
    guard let last = sorted.last else { return .nan }
    let position = min(max(probability, 0), 1) * Double(sorted.count - 1)
    let lower = Int(position)
    guard lower + 1 < sorted.count else { return last }
    let fraction = position - Double(lower)
    if fraction == 0 { return sorted[lower] }
    return sorted[lower] * (1 - fraction) + sorted[lower + 1] * fraction
  }

  /// The value at which half the weight lies on either side; the mean of two neighbours where the half falls
  /// between them. Weights must not be negative; NaN where their sum is not positive or the counts differ.
  public static func weightedMedian(_ values: [Double], weights: [Double]) -> Double {
    guard values.count == weights.count, !values.contains(where: \.isNaN) else { return .nan }
    let pairs = zip(values, weights).filter { $0.1 > 0 }.sorted { $0.0 < $1.0 }
    let half = pairs.reduce(0) { $0 + $1.1 } / 2
    guard half > 0, half.isFinite else { return .nan }
    var sum = 0.0
    for (index, pair) in pairs.enumerated() {
      sum += pair.1
      if sum > half { return pair.0 }
      if sum == half, index + 1 < pairs.count { return (pair.0 + pairs[index + 1].0) / 2 }
    }
    return pairs.last?.0 ?? .nan
  }

  /// Median of the distances from the median; times 1.4826 it estimates a normal's standard deviation.
  public static func medianAbsoluteDeviation(_ values: [Double]) -> Double {
    let centre = median(values)
    return median(values.map { abs($0 - centre) })
  }

  /// Pearson's correlation; NaN for fewer than two pairs, counts that differ, or a constant side.
  public static func correlation(_ x: [Double], _ y: [Double]) -> Double {
    guard x.count == y.count, x.count > 1 else { return .nan }
    GSL.prepare()
    return gsl_stats_correlation(x, 1, y, 1, x.count)
  }

  /// Spearman's rank correlation, ties sharing their mean rank.
  public static func spearman(_ x: [Double], _ y: [Double]) -> Double {
    guard x.count == y.count, x.count > 1, !x.contains(where: \.isNaN), !y.contains(where: \.isNaN) else {
      return .nan
    }
    return correlation(ranks(x), ranks(y))
  }

  /// Ranks from 1; equal values share the mean of theirs.
  public static func ranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var result = [Double](repeating: 0, count: values.count)
    var start = 0
    while start < order.count {
      var end = start
      while end + 1 < order.count, values[order[end + 1]] == values[order[start]] { end += 1 }
      for position in start...end { result[order[position]] = Double(start + end) / 2 + 1 }
      start = end + 1
    }
    return result
  }

  /// Kendall's τ-b, which corrects for ties; quadratic time.
  public static func kendall(_ x: [Double], _ y: [Double]) -> Double {
    guard x.count == y.count, x.count > 1, !x.contains(where: \.isNaN), !y.contains(where: \.isNaN) else {
      return .nan
    }
    var (score, untiedX, untiedY) = (0, 0, 0)
    for i in 1..<x.count {
      for j in 0..<i {
        let a = x[i] == x[j] ? 0 : (x[i] > x[j] ? 1 : -1)
        let b = y[i] == y[j] ? 0 : (y[i] > y[j] ? 1 : -1)
        score += a * b
        untiedX += a * a
        untiedY += b * b
      }
    }
    return Double(score) / (Double(untiedX).squareRoot() * Double(untiedY).squareRoot())
  }
}
