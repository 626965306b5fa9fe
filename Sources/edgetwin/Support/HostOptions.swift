import ArgumentParser
import Boards
import Calibration
import Foundation
import Measurements
import Twins
import Workbench

import struct Measurements.Measurement

/// How this machine is measured to calibrate its twin.
struct HostOptions: ParsableArguments, Sendable {
  @Option(
    help: ArgumentHelp(
      "Numbers of threads, comma-separated; by default 1, and 2 where there are cores.", valueName: "1,2"),
    transform: { try listed($0).map(threadCount) })
  var threads: [Int] = []

  @Option(help: "Time to measure, such as 3min.", transform: time)
  var budget: Double?

  @Option(help: ArgumentHelp("File for the measurements (JSON Lines).", valueName: "m.jsonl"))
  var measurements: String?

  @Option(help: "Id of the device in its file and in measurements; by default local.")
  var name: String?

  static let standardSeconds = 170.0

  private static func time(_ text: String) throws -> Double {
    guard Double(text) == nil else { throw ValidationError("\"\(text)\" has no unit: say \(text)s or \(text)min") }
    return try Quantities.duration(text)
  }

  var isGiven: Bool { !threads.isEmpty || budget != nil || measurements != nil || name != nil }

  func validate() throws {
    if let name, name.isEmpty || !name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }) {
      throw ValidationError("--name must be letters, digits and hyphens")
    }
    if Set(threads).count < threads.count { throw ValidationError("--threads names a number twice") }
  }

  private static func threadCount(_ text: String) throws -> Int {
    guard let count = Int(text), (1...256).contains(count) else {
      throw ValidationError("\"\(text)\" is no number of threads from 1 to 256")
    }
    return count
  }

  /// Numbers of threads that are measured.
  var threadCounts: [Int] {
    guard threads.isEmpty else { return threads }
    let cores = max(CoreAffinity.allowed.count, 1)
    return cores > 1 ? [1, 2] : [1]
  }

  /// Measures and fits as the options say.
  func calibrate(seed: UInt64) async throws -> HostCalibration.Result {
    if let measurements { try Console.checkFolder(of: measurements) }
    let appender = try measurements.map { try MeasurementAppender(path: $0, resumes: false) }
    return try await Self.calibrate(
      HostCalibration(
        deviceID: name ?? HostFacts.deviceID, threads: threadCounts, seconds: budget ?? Self.standardSeconds, seed: seed
      ),
      appender: appender)
  }

  /// Measures and fits, with progress on a terminal; ctrl-C ends the measuring.
  static func calibrate(
    _ job: HostCalibration, appender: MeasurementAppender? = nil
  ) async throws -> HostCalibration.Result {
    let result = try await Interrupt.cancelling {
      try await MeasuringThread.run(cores: []) { flag in
        do {
          return try job.run(flag: flag, progress: { Console.progress($0.text) }) { row in try appender?.append(row) }
        } catch is CalibrationError where flag.isSet {
          Console.endProgress()
          Console.complain("stopped before enough was measured to fit a twin to: no file is written")
          throw ExitCode(Failure.interrupted)
        }
      }
    }
    Console.endProgress()
    return result
  }
}
