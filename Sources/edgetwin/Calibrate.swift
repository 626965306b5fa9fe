import Architectures
import ArgumentParser
import Calibration
import Foundation
import Measurements
import Twins
import Workbench

import struct Measurements.Measurement

struct Calibrate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Fit a twin to measurements of a device, and say how good it is.",
    discussion: """
        edgetwin calibrate m.jsonl --device rpi4-cpu --runtime protran \\
          --output rpi4-cpu.yaml --report report.json

      Rows of other devices and runtimes are left aside. At least 4 rows of one setting are needed; from 9 rows up \
      intervals are conformal.
      """)

  @Argument(help: ArgumentHelp("Measurements (JSON Lines), or - for standard input.", valueName: "m.jsonl"))
  var measurements: String

  @Option(help: ArgumentHelp("A device's id, or the path of its file.", valueName: "id-or-file"))
  var device: String

  @Option(help: "Runtime that was measured, such as protran.")
  var runtime: String

  @Option(name: .shortAndLong, help: "Device file to write, with the fitted coefficients; - is standard output.")
  var output: String

  @Option(help: "File for the whole report (JSON).")
  var report: String?

  @Option(help: "Seed of the folds.")
  var seed: UInt64 = 0

  func run() throws {
    for path in [output, report ?? "-"] { try Console.checkFolder(of: path) }
    let entry = try DeviceLibrary.standard().entry(device)
    let series = try MeasuredSeries(file: measurements, device: entry.file.device.id, runtime: runtime)
    let calibrator = Calibrator(
      file: entry.file, runtime: runtime, seed: seed, program: "edgetwin \(Program.version)")
    let (file, found) = try series.locating { try calibrator.calibrate(series.rows) }
    // Both texts are made before either file is touched.
    let yaml = try file.encodedYAML()
    let json = try report.map { _ in
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return String(decoding: try encoder.encode(found), as: UTF8.self) + "\n"
    }
    if let report, let json { try Console.write(json, to: report) }
    try Console.write(yaml, to: output)
    Console.say(found.summary.trimmingCharacters(in: .newlines))
  }
}
