import Foundation
import Measurements
import Twins

import struct Measurements.Measurement

extension Roofs {
  /// Of a slowing's logarithm, the standard deviation that bringing a row to the pace of the roofs leaves open: the gauge is one model, and
  /// others are slowed a little more or less. Chosen on two series and judged on a third (benchmarks/results.md).
  public static let openShare = 0.15

  /// What bringing a row to the pace of the roofs leaves open: a standard deviation on the log scale.
  public static func paceDeviation(slowing: Double, share: Double = openShare) -> Double { share * abs(log(slowing)) }

  /// How many times slower than when the roofs were timed a row's cores were; 1 where the row or the roofs do not say, where the latency is
  /// not that of the fastest call, which the pace goes with, and where other kernels ran than the roofs are of.
  public func slowing(of row: Measurement) -> Double {
    guard row.statistic == "fastest" else { return 1 }
    if row.runtime == "native", let ran = row.environment["matrix_library"], let library, ran != library { return 1 }
    return row.paceSeconds.flatMap { slowing(paceSeconds: $0, threads: row.threads) } ?? 1
  }
}
