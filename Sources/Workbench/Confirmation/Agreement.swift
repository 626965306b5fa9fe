import Foundation
import Numerics
import Twins

/// A prediction beside what was measured, in seconds of a sequence.
public struct PredictedAgainstMeasured: Sendable, Hashable {
  public var id: String
  public var predicted: Estimate
  public var measuredSeconds: Double
  /// Robust standard deviation of the measured repeats.
  public var spreadSeconds: Double?

  public init(id: String, predicted: Estimate, measuredSeconds: Double, spreadSeconds: Double? = nil) {
    self.id = id
    self.predicted = predicted
    self.measuredSeconds = measuredSeconds
    self.spreadSeconds = spreadSeconds
  }

  /// Log of measured over predicted: above 0 where the model is slower than was predicted.
  public var logRatio: Double { log(measuredSeconds / predicted.median) }
  /// Relative error of the prediction: above 0 where the model is slower than was predicted.
  public var error: Double { measuredSeconds / predicted.median - 1 }
  public var isInside: Bool { measuredSeconds >= predicted.lower && measuredSeconds <= predicted.upper }
}

/// How well predictions agree with measurements.
public struct Agreement: Sendable, Hashable {
  public var count: Int
  /// Median of |measured − predicted| / measured.
  public var medianAbsolutePercentageError: Double
  /// Median of measured / predicted, less 1.
  public var bias: Double
  /// Bounds of the 90 % interval of ``bias``, from the order statistics of the ratios; nil for fewer than five.
  public var biasInterval: ClosedRange<Double>?
  /// Share of the measured values that lie in their intervals.
  public var coverage: Double
  /// Wilson's 90 % interval of ``coverage``.
  public var coverageInterval: ClosedRange<Double>
  /// NaN for fewer than two models, or where all are predicted alike.
  public var spearman: Double
  public var kendall: Double

  /// - Returns: nil for no pair.
  public init?(_ pairs: [PredictedAgainstMeasured]) {
    guard !pairs.isEmpty else { return nil }
    count = pairs.count
    medianAbsolutePercentageError = Statistics.median(
      pairs.map { abs($0.measuredSeconds - $0.predicted.median) / $0.measuredSeconds })
    let logs = pairs.map(\.logRatio).sorted()
    bias = exp(Statistics.median(logs)) - 1
    biasInterval = Self.medianInterval(logs, level: 0.9).map { exp($0.lowerBound) - 1...exp($0.upperBound) - 1 }
    let inside = pairs.count(where: \.isInside)
    coverage = Double(inside) / Double(count)
    coverageInterval = Self.wilson(successes: inside, of: count, level: 0.9)
    let (predicted, measured) = (pairs.map(\.predicted.median), pairs.map(\.measuredSeconds))
    spearman = Statistics.spearman(predicted, measured)
    kendall = Statistics.kendall(predicted, measured)
  }

  /// Wilson's score interval of a share (JASA 22, 1927).
  static func wilson(successes: Int, of count: Int, level: Double) -> ClosedRange<Double> {
    guard count > 0 else { return 0...1 }
    let z = Distributions.normalQuantile(0.5 + level / 2)
    let n = Double(count)
    let share = Double(successes) / n
    let centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    let half = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
    return max(centre - half, 0)...min(centre + half, 1)
  }

  /// Distribution-free interval of a median: the narrowest pair of order statistics, alike from both ends, that holds it with `level`.
  static func medianInterval(_ sorted: [Double], level: Double) -> ClosedRange<Double>? {
    let n = sorted.count
    guard n > 0 else { return nil }
    // The r-th from both ends misses the median with probability 2 P(Binomial(n, 1/2) < r).
    var (term, below) = (exp(-Double(n) * log(2.0)), 0.0)
    var best: Int?
    for r in 1...((n + 1) / 2) {
      below += term
      if 1 - 2 * below < level { break }
      best = r
      term *= Double(n - r + 1) / Double(r)
    }
    return best.map { sorted[$0 - 1]...sorted[n - $0] }
  }
}
