import Calibration
import Foundation
import Numerics
import Twins

/// Fits to part of a platform's rows, and predicts the others.
enum HeldOut {
  /// Row index and the three measures of every row of the held-out fold.
  static func predict(
    _ platform: Platform, folds: [Int], held: Int
  ) throws -> [(row: Int, measures: [FidelityBenchmark.Row?])] {
    let calibrator = Calibrator(file: platform.file, runtime: "protran", prior: platform.prior)
    let train = platform.rows.indices.filter { folds[$0] != held }
    let test = platform.rows.indices.filter { folds[$0] == held }
    let experiment = try calibrator.heldOut(platform.rows, training: train, test: test)
    return experiment.enumerated().map { index, row in
      (
        test[index],
        [
          make(platform.rows[test[index]].latencySeconds, row.latency),
          make(platform.rows[test[index]].energyJoules, row.energy),
          make(platform.rows[test[index]].peakPowerWatts, row.peakPower),
        ]
      )
    }
  }

  private static func make(_ measured: Double?, _ row: Calibrator.HeldOutEstimate?) -> FidelityBenchmark.Row? {
    guard let measured, let row else { return nil }
    return FidelityBenchmark.Row(
      measured: measured, unknown: row.unknown.median, known: row.known.median,
      unknownBounds: (row.unknown.lower, row.unknown.upper), knownBounds: (row.known.lower, row.known.upper))
  }

  /// Median absolute percentage error of latency on the rows that a random draw leaves out.
  static func latencyError(_ platform: Platform, trainingRows: Int, seed: UInt64, draw: Int) throws -> Double {
    var random = CounterRandom(seed: seed, stream: UInt64(draw), UInt64(trainingRows))
    let order = platform.rows.indices.shuffled(using: &random)
    let test = Array(order.dropFirst(trainingRows))
    let estimates = try Calibrator(file: platform.file, runtime: "protran", prior: platform.prior)
      .heldOut(platform.rows, training: order.prefix(trainingRows).sorted(), test: test, withIntervals: false)
    return Statistics.median(
      zip(test, estimates).compactMap { row, estimate in
        guard let measured = platform.rows[row].latencySeconds, let latency = estimate.latency else { return nil }
        return abs(latency.unknown.median / measured - 1)
      })
  }
}
