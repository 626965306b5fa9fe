import Foundation
import Numerics
import Twins

extension Calibrator {
  /// Rows of a number of threads, from which on it has a level of its own.
  private static let minimumThreadRows = 8
  /// A fit takes up part of what numbers of threads differ by, so that each pass finds a part of the rest.
  private static let threadPasses = 8
  private static let settledLog = 1e-3
  /// Rows that stand for the expectation that numbers of threads do not differ beyond what the roofs say.
  private static let priorThreadRows = 2.0

  /// What rows of each number of threads lie above or below a common fit, where there are several numbers and rows enough of each; and the
  /// data freed of it.
  ///
  /// The roofs were timed kernel by kernel; what threads do to one another while whole models run differs by their number, not by the kind of
  /// kernel, and shows in all rows alike.
  func threadLevels(_ series: Series, data: TwinFit.Data) throws -> (levels: [ThreadLevel], data: TwinFit.Data) {
    let counts = series.rowSettings.map(\.threads)
    let rows = Dictionary(grouping: data.latencySeconds.indices.filter { data.latencySeconds[$0] != nil }) {
      counts[$0]
    }
    let numbers = rows.keys.compactMap(\.self).sorted()
    guard series.variant.usesRoofs, numbers.count > 1, rows.count == numbers.count,
      rows.values.allSatisfy({ $0.count >= Self.minimumThreadRows })
    else { return ([], data) }
    var freed = data
    var logs = [Double](repeating: 0, count: numbers.count)
    for _ in 0..<Self.threadPasses {
      let fit = try TwinFit(freed)
      var largest = 0.0
      let predicted = fit.logPredictions(freed).latency
      for (index, number) in numbers.enumerated() {
        let own = rows[number] ?? []
        let residuals = own.compactMap { row in
          freed.latencySeconds[row].map { log($0) - predicted[row] - fit.latency.typicalLevel }
        }
        let share = Double(own.count) / (Double(own.count) + Self.priorThreadRows)
        let step = share * Statistics.median(residuals)
        logs[index] += step
        largest = max(largest, abs(step))
        for row in own { freed.latencySeconds[row] = freed.latencySeconds[row].map { $0 * exp(-step) } }
      }
      if largest < Self.settledLog { break }
    }
    return (zip(numbers, logs).map { ThreadLevel(threads: $0, log: $1) }, freed)
  }
}
