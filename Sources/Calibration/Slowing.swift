import Measurements
import Twins

import struct Measurements.Measurement

extension Roofs {
  /// How many times slower than when the roofs were timed a row's cores were; 1 where the row or the roofs do not say.
  public func slowing(of row: Measurement) -> Double {
    row.paceSeconds.flatMap { slowing(paceSeconds: $0, threads: row.threads) } ?? 1
  }
}
