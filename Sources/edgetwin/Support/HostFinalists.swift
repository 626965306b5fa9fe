import Architectures
import ArgumentParser
import Boards
import CoSearch
import Foundation
import Measurements
import Studies
import Twins
import Workbench

import struct Measurements.Measurement

/// Finalists of this machine, measured on it.
struct HostFinalists {
  var result: MainJob.DeviceResult
  var count: Int
  var level: Double
  /// Keeps what is measured, and has it measured once.
  var study: Study?

  /// Time of the first, rough calibration.
  private static let calibrationSeconds = 30.0

  /// Path of the file of this machine's twin, which is made where there is none.
  static func twinFile(seed: UInt64) async throws -> String {
    let cache = HostTwinCache()
    if cache.file() != nil { return cache.path }
    Console.say(
      "making a first twin of this machine in \(Int(calibrationSeconds)) s, kept in \(cache.path);"
        + " edgetwin calibrate --board local --output that file makes a better one")
    let found = try await HostOptions.calibrate(
      HostCalibration(threads: [1], seconds: calibrationSeconds, seed: seed))
    guard !found.wasStopped else { throw ExitCode(Failure.interrupted) }
    do {
      try cache.store(found.file)
    } catch {
      throw OutputError(
        description: "\(cache.path): cannot be written: \(error); set XDG_DATA_HOME to a folder that can")
    }
    return cache.path
  }

  /// Measures some finalists of the front and prints them beside what was predicted: for people as text, else as rows.
  func confirm(format: RecordFormat) async throws {
    let twin = result.twin
    let space = result.setup.space
    let front = result.exploration.front
    let chosen = result.exploration.finalists(count: count)
    guard !chosen.isEmpty else { return }
    func row(_ candidate: Candidate, isFinalist: Bool) -> FinalistRow {
      FinalistRow(
        line: 0, architecture: space.architecture(of: candidate.point), device: twin.device.id, isFinalist: isFinalist,
        accuracy: candidate.accuracy.median)
    }
    let rows = chosen.map { row($0, isFinalist: true) }
    let ids = Set(rows.map(\.architecture.id))
    let others = front.map { row($0, isFinalist: false) }.filter { !ids.contains($0.architecture.id) }
    let work = try LocalWork(twin, runtime: .native)
    let job = LocalJob(work: work, plan: .ofFinalists(twin), profiles: 5)
    let known = try study?.measurements().filter { work.matches($0, statistic: .init(of: twin)) } ?? []
    let done = Set(known.compactMap { $0.architecture?.id })
    let collected = MeasuredRows(study: study)
    let models = rows.map(\.architecture).filter { !done.contains($0.id) }
    var report: MeasurementRun.Report?
    if !models.isEmpty {
      report = try await Interrupt.cancelling {
        try await job.measure(models) { _, row in try collected.add(row) }
      }
    }
    Console.endProgress()
    let confirmation = try Confirmation(
      twin: twin, level: level, chosen: rows, measurements: known + collected.rows, pool: rows + others,
      profiles: report?.stepsByModel(models) ?? [:])
    try study?.keep(confirmation, name: twin.device.id)
    if format == .table {
      let settings = twin.settings
      try Console.write(
        "\nMeasured on this machine (\(twin.device.name)), the device \(twin.device.id), with this project's kernels:"
          + " batch \(settings.batchSize), \(settings.sequenceLength) tokens, \(settings.threads ?? 1)"
          + " \(settings.threads ?? 1 == 1 ? "thread" : "threads").\nFigures of all other devices are predictions of"
          + " their twins; its energy and power are assumed where no meter can be read.\n" + confirmation.text)
    } else {
      try Console.write(confirmation.records, format: format)
    }
    for failure in report?.failures ?? [] { Console.complain("\(failure.error)") }
    if let report, report.measured > 0 { Console.say(report.summary) }
    if report?.wasStopped == true { throw ExitCode(Failure.interrupted) }
  }
}
