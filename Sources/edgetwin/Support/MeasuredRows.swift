import Architectures
import Boards
import Foundation
import Measurements
import Studies

import struct Measurements.Measurement

/// Rows as they come from the measuring thread, written to a file at once where one is wanted.
final class MeasuredRows: @unchecked Sendable {
  // Every use of what changes is under the lock.
  private let lock = NSLock()
  private let appender: MeasurementAppender?
  private let study: Study?
  private var collected: [Measurement] = []

  init(_ appender: MeasurementAppender? = nil, study: Study? = nil) {
    self.appender = appender
    self.study = study
  }

  var rows: [Measurement] { lock.withLock { collected } }

  func add(_ row: Measurement) throws {
    try lock.withLock {
      try study?.keep(row)
      try appender?.append(row)
      collected.append(row)
    }
  }
}

extension MeasurementRun.Report {
  /// Times of the steps of each model, by its id.
  /// - Parameter models: those that were measured, in order.
  func stepsByModel(_ models: [Architecture]) -> [String: [(kernelClass: String, seconds: Double)]] {
    Dictionary(
      profiles.map { index, profile in
        (models[index].id, profile.steps.map { (kernelClass: $0.kernelClass, seconds: $0.durationSeconds) })
      }, uniquingKeysWith: { first, _ in first })
  }
}
