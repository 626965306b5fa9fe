import Measurements
import Twins

import struct Measurements.Measurement

/// What a machine is faster or slower by from one occasion to the next: all models together, which rows of one occasion do not show.
///
/// What single models scatter by is in their held-out residuals already. Here it is what all became slower by together from the early to the
/// late rounds of a series (`shift` in the environment of rows that `edgetwin measure` took), a difference of two occasions, less the part
/// of it that is chance.
struct OccasionScatter: Sendable, Hashable {
  /// Standard deviation on the log scale.
  var logDeviation: Double

  /// Rounds that are a minute apart do not show what hours do: at least so much.
  static let leastDeviation = 0.01

  /// Nil where no row says what its series shifted by.
  init?(_ rows: [Measurement]) {
    // All rows of a group say the same.
    let groups = Set(
      rows.compactMap { row in row.environment["shift"].map { [$0, row.environment["shift_error"] ?? "0"] } })
    let shifts = groups.compactMap { texts -> (shift: Double, error: Double)? in
      guard let shift = Double(texts[0]), let error = Double(texts[1]), shift.isFinite, error.isFinite else {
        return nil
      }
      return (shift, error)
    }
    guard !shifts.isEmpty else { return nil }
    let sum = shifts.reduce(0) { $0 + $1.shift * $1.shift - $1.error * $1.error }
    let variance = max(sum / Double(shifts.count) / 2, 0)
    logDeviation = max(variance.squareRoot(), Self.leastDeviation)
  }
}
