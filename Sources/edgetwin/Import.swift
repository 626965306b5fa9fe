import ArgumentParser
import Foundation
import Measurements
import Workbench

import struct Measurements.Measurement

struct Import: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Turn published results into measurements.",
    subcommands: [ImportProTran.self, ImportHAT.self])
}

struct ImportProTran: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "protran",
    abstract: "ProTran's results folders, in the order of measuring.",
    discussion: """
        edgetwin import protran results_cpu_rpi_b1_r1 --output rpi.jsonl
        edgetwin import protran dataset --output - | head -1
      """)

  @Argument(help: ArgumentHelp("Results folders, or folders that hold some.", valueName: "dir"))
  var folders: [String]

  @Option(name: .shortAndLong, help: "File of measurements (JSON Lines), or - for standard output.")
  var output: String

  func run() throws {
    try importRows(from: folders, to: output, ProTranImporter.read)
  }
}

struct ImportHAT: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hat",
    abstract: "HAT's latency tables: the encoder's, with features in place of an architecture.",
    discussion: "  edgetwin import hat wmt14ende_cpu_raspberrypi_all.csv --output hat.jsonl")

  @Argument(help: ArgumentHelp("Tables, whose names say task and device.", valueName: "csv"))
  var files: [String]

  @Option(name: .shortAndLong, help: "File of measurements (JSON Lines), or - for standard output.")
  var output: String

  func run() throws {
    try importRows(from: files, to: output, HATImporter.read)
  }
}

private func importRows(from paths: [String], to output: String, _ read: (String) throws -> [Measurement]) throws {
  try Console.checkFolder(of: output)
  let rows = try paths.flatMap(read)
  try Console.write(MeasurementFile.text(rows), to: output)
  let devices = Dictionary(grouping: rows, by: \.device).map { "\($0.value.count) of \($0.key)" }.sorted()
  Console.say("\(rows.count) measurements: \(devices.joined(separator: ", "))")
}
