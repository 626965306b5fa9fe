import Foundation
import Numerics

/// A grid that measured times lie on: a stopwatch that polls.
///
/// It is reported, and its rounding is part of every held-out residual and so of the intervals. Predictions are never moved onto it: that would
/// predict the stopwatch, not the device.
public struct StopwatchGrid: Sendable, Hashable, Codable {
  public var stepSeconds: Double
  /// The step as a share of the median.
  public var shareOfMedian: Double

  enum CodingKeys: String, CodingKey {
    case stepSeconds = "step_s"
    case shareOfMedian = "share_of_median"
  }

  private static let minimumRows = 12
  private static let minimumLines = 6
  /// Mean cosine of the phase from which values count as multiples.
  private static let threshold = 0.9

  /// The largest step of 2 % to 40 % of the median that the values are whole multiples of; nil where there is none, or where the values lie
  /// on too few of its lines to tell.
  public init?(seconds: [Double]) {
    guard seconds.count >= Self.minimumRows else { return nil }
    let median = Statistics.median(seconds)
    // Long times blur the phase first; the shorter three quarters are enough to see a grid.
    let values = seconds.filter { $0 <= Statistics.quantile(seconds, 0.75) && $0 > 0 }
    guard let longest = values.max() else { return nil }
    func agreement(_ step: Double) -> Double {
      values.reduce(0) { $0 + cos(2 * .pi * $1 / step) } / Double(values.count)
    }
    var best: (step: Double, agreement: Double)?
    var step = 0.4 * median
    while step > 0.02 * median {
      let value = agreement(step)
      if value > max(best?.agreement ?? 0, 0.5) { best = (step, value) }
      // Once past a clear peak, smaller steps are its fractions.
      if let best, best.agreement > Self.threshold, step < 0.9 * best.step { break }
      step -= 0.04 * step * step / longest
    }
    guard let best else { return nil }
    // The scan stops short of the peak by less than its own stride.
    var refined = best
    let stride = 0.04 * best.step * best.step / longest
    for fraction in -20...20 {
      let candidate = best.step + stride * Double(fraction) / 20
      let value = agreement(candidate)
      if value > refined.agreement { refined = (candidate, value) }
    }
    // Values that cluster agree with any wide step: a grid shows only where they lie on many of its lines.
    let lines = Set(values.map { ($0 / refined.step).rounded() }).count
    guard refined.agreement > Self.threshold, lines >= Self.minimumLines else { return nil }
    stepSeconds = refined.step
    shareOfMedian = refined.step / median
  }
}
