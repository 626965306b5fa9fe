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
  /// Absolute log residuals of held-out rows in ascending order, thinned to a few hundred; empty for a prior.
  public var scores: [Double]
  /// Rows that ``scores`` stand for.
  public var rows: Int
  /// Standard deviation on the log scale, and degrees of freedom of its Student t; for a prior.
  public var logScale: Double
  public var degreesOfFreedom: Double

  enum CodingKeys: String, CodingKey {
    case basis, scores, rows
    case logScale = "log_scale"
    case degreesOfFreedom = "degrees_of_freedom"
  }

  public init(prior logScale: Double, degreesOfFreedom: Double) {
    basis = .prior
    scores = []
    rows = 0
    self.logScale = logScale
    self.degreesOfFreedom = degreesOfFreedom
  }

  /// - Parameter scores: absolute log residuals of held-out rows, in any order.
  public init(conformal scores: [Double]) {
    basis = .conformal
    let sorted = scores.sorted()
    rows = sorted.count
    // A few hundred order statistics hold every quantile that the rows can tell apart.
    let kept = 201
    if sorted.count <= kept {
      self.scores = sorted
    } else {
      self.scores = (0..<kept).map {
        Statistics.quantile(ofSorted: sorted, Double($0) / Double(kept - 1))
      }
    }
    logScale = Statistics.quantile(ofSorted: sorted, 0.6827)
    degreesOfFreedom = Double(max(1, rows - 1))
  }

  /// Half-width of the interval on the log scale.
  ///
  /// Conformal: the ⌈level·(n + 1)⌉-th smallest score, continued beyond the largest by a normal tail, since a finite interval is wanted
  /// where n rows cannot vouch for the level.
  public func halfWidth(level: Double) -> Double {
    let tail = Distributions.studentTQuantile((1 + level) / 2, degreesOfFreedom: max(1, degreesOfFreedom))
    guard basis == .conformal, let largest = scores.last else { return logScale * tail }
    let rank = level * Double(rows + 1)
    if rank > Double(rows) {
      let reached = Distributions.normalQuantile((1 + Double(rows) / Double(rows + 1)) / 2)
      return largest * max(1, Distributions.normalQuantile((1 + level) / 2) / reached)
    }
    return Statistics.quantile(ofSorted: scores, max(0, (rank - 1) / Double(max(1, rows - 1))))
  }
}
