import Architectures
import ArgumentParser
import Boards
import Calibration
import Foundation
import Measurements
import Twins
import Workbench

import struct Measurements.Measurement

struct Calibrate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Fit a twin to measurements of a device, and say how good it is.",
    discussion: """
        edgetwin calibrate m.jsonl --device rpi4-cpu --runtime protran \\
          --output rpi4-cpu.yaml --report report.json
        edgetwin calibrate --board local --output this.yaml

      Rows of other devices and runtimes are left aside. At least 4 rows of one setting are needed; from 9 rows up \
      intervals are conformal. With --board local this machine is measured: its kernels one by one, then at most 32 \
      models to fit the native twin on, then a few that the twin has not seen. Ctrl-C ends the measuring and fits what \
      there is.
      """)

  @Argument(help: ArgumentHelp("Measurements (JSON Lines), or - for standard input.", valueName: "m.jsonl"))
  var rows: String?

  @Option(help: ArgumentHelp("A device's id, or the path of its file.", valueName: "id-or-file"))
  var device: String?

  @Option(help: "Runtime that was measured, such as protran; with --board native.")
  var runtime: String?

  @Option(help: "Measure this machine: local.")
  var board: String?

  @OptionGroup(title: "Measuring this machine") var host: HostOptions

  @Option(name: .shortAndLong, help: "Device file to write, with the fitted coefficients; - is standard output.")
  var output: String

  @Option(help: "File for the whole report (JSON).")
  var report: String?

  @Option(help: "Seed of the folds.")
  var seed: UInt64 = 0

  func validate() throws {
    guard board == nil else {
      guard rows == nil, device == nil else {
        throw ValidationError("give measurements and --device, or --board local, not both")
      }
      guard runtime == nil || runtime == "native" else {
        throw ValidationError("--board measures the runtime native; measure others with edgetwin measure")
      }
      return
    }
    guard rows != nil, device != nil, runtime != nil else {
      throw ValidationError("give measurements, --device and --runtime, or --board local to measure this machine")
    }
    if rows == "-", device == "-" {
      throw ValidationError("the measurements and --device cannot both be standard input")
    }
    if host.isGiven { throw ValidationError("--threads, --budget, --measurements and --name need --board local") }
  }

  func run() async throws {
    for path in [output, report ?? "-"] { try Console.checkFolder(of: path) }
    if let board {
      guard board == "local" else { throw BoardError.unknownBoard(board) }
      return try await calibrateHost()
    }
    guard let rows, let device, let runtime else { return }
    let entry = try DeviceLibrary.standard().entry(device)
    let series = try MeasuredSeries(file: rows, device: entry.file.device.id, runtime: runtime)
    let calibrator = Calibrator(
      file: entry.file, runtime: runtime, seed: seed, program: "edgetwin \(Program.version)")
    let (file, found) = try series.locating { try calibrator.calibrate(series.rows) }
    try write(file, found)
    Console.say(found.summary.trimmingCharacters(in: .newlines))
  }

  /// Both texts are made before either file is touched.
  private func write(_ file: DeviceFile, _ found: CalibrationReport) throws {
    let yaml = try file.encodedYAML()
    let json = try report.map { _ in
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return String(decoding: try encoder.encode(found), as: UTF8.self) + "\n"
    }
    if let report, let json { try Console.write(json, to: report) }
    try Console.write(yaml, to: output)
  }

  private func calibrateHost() async throws {
    let result = try await host.calibrate(seed: seed)
    try write(result.file, result.report)
    Console.say(result.text)
    if result.file.device.roofs?.products.isEmpty ?? true {
      Console.complain(
        "no kernel was timed in so short a time, so that the twin rests on its rows alone: give --budget 1min or more")
    }
    if result.wasStopped {
      Console.complain("stopped before the end: the twin is fitted to \(result.rows.count) rows")
      throw ExitCode(Failure.interrupted)
    }
  }
}
