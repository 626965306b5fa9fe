import Foundation
import Numerics

/// How far measurements lie from the prediction, on the log scale: what intervals of any level are made of.
public struct Spread: Sendable, Hashable, Codable {
  public enum Basis: String, Sendable, Hashable, Codable {
    /// Residuals of rows that were held out (CV+).
    case conformal
    /// The device class's prior: what leaving whole platforms out, or too few rows, can say.
    case prior
  }

  public var basis: Basis
  /// Quantiles of ln(measured/median) of held-out rows, at equally spaced probabilities from 0 to 1: the regimes' levels and the scatter
  /// inside them together. Empty for a prior.
  public var offsets: [Double]
  /// Rows that ``offsets`` stand for.
  public var rows: Int
  /// Scatter inside a regime: standard deviation on the log scale, and degrees of freedom of its Student t. For a prior, all there is.
  public var logScale: Double
  public var degreesOfFreedom: Double

  enum CodingKeys: String, CodingKey {
    case basis, offsets, rows
    case logScale = "log_scale"
    case degreesOfFreedom = "degrees_of_freedom"
  }

  public init(prior logScale: Double, degreesOfFreedom: Double) {
    basis = .prior
    offsets = []
    rows = 0
    self.logScale = logScale
    self.degreesOfFreedom = degreesOfFreedom
  }

  /// - Parameters:
  ///   - offsets: log offsets of held-out rows in any order; they may be a mixture that is larger than the number of rows.
  ///   - weights: weight of each offset.
  ///   - rows: number of rows that they come from.
  public init(conformal offsets: [Double], weights: [Double], rows: Int) {
    basis = .conformal
    self.rows = rows
    let order = offsets.indices.sorted { offsets[$0] < offsets[$1] }
    let total = weights.reduce(0, +)
    var quantiles: [Double] = []
    var position = 0
    var below = 0.0
    // As many quantiles as the rows can tell apart.
    let count = min(Self.maximumQuantiles, max(2 * rows + 1, 11))
    for step in 0..<count {
      let wanted = Double(step) / Double(count - 1) * total
      while position < order.count - 1, below + weights[order[position]] < wanted {
        below += weights[order[position]]
        position += 1
      }
      quantiles.append(offsets[order[position]])
    }
    self.offsets = quantiles
    logScale =
      (Statistics.quantile(ofSorted: quantiles, 0.841) - Statistics.quantile(ofSorted: quantiles, 0.159)) / 2
    degreesOfFreedom = Double(max(1, rows - 1))
  }

  private static let maximumQuantiles = 201

  /// The same with an independent, normal deviation on top: what rows of one occasion cannot show of another.
  public func adding(logDeviation: Double) -> Spread {
    guard logDeviation > 0, logScale > 0 else { return self }
    var result = self
    let factor = (1 + logDeviation * logDeviation / (logScale * logScale)).squareRoot()
    result.offsets = offsets.map { $0 * factor }
    result.logScale *= factor
    return result
  }

  /// Log offsets of the bounds from the median.
  ///
  /// Conformal: the quantiles at (1 ∓ level)/2. Where the level asks for more than n rows can vouch for (level > (n − 1)/(n + 1)), the outermost
  /// offsets are continued by a normal tail, since a finite interval is wanted.
  public func offsets(level: Double) -> (lower: Double, upper: Double) {
    guard basis == .conformal, let first = offsets.first, let last = offsets.last else {
      let tail = Distributions.studentTQuantile((1 + level) / 2, degreesOfFreedom: max(1, degreesOfFreedom))
      return (-logScale * tail, logScale * tail)
    }
    let vouched = Double(rows - 1) / Double(rows + 1)
    if level > vouched {
      let factor = max(
        1,
        Distributions.normalQuantile((1 + level) / 2) / Distributions.normalQuantile((1 + max(vouched, 0.5)) / 2))
      return (min(first, 0) * factor, max(last, 0) * factor)
    }
    let tail = (1 - level) / 2
    return (
      min(0, Statistics.quantile(ofSorted: offsets, tail)), max(0, Statistics.quantile(ofSorted: offsets, 1 - tail))
    )
  }
}
