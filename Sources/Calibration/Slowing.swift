import Foundation
import Measurements
import Twins

import struct Measurements.Measurement

extension Roofs {
  /// What bringing a row to the pace of the roofs leaves open: a standard deviation on the log scale, a quarter of the slowing. The gauge is one
  /// model, and others are slowed a little more or less. The quarter was chosen on one series (benchmarks/results.md).
  public static func paceDeviation(slowing: Double) -> Double { 0.25 * abs(log(slowing)) }

  /// How many times slower than when the roofs were timed a row's cores were; 1 where the row or the roofs do not say, where the latency is
  /// not that of the fastest call, which the pace goes with, and where other kernels ran than the roofs are of.
  public func slowing(of row: Measurement) -> Double {
    guard row.statistic == "fastest" else { return 1 }
    if row.runtime == "native", let ran = row.environment["matrix_library"], let library, ran != library { return 1 }
    return row.paceSeconds.flatMap { slowing(paceSeconds: $0, threads: row.threads) } ?? 1
  }
}
