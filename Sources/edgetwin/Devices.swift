import ArgumentParser
import Foundation
import Twins
import Workbench

struct Devices: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the devices that there are twins of, show one, or compare two.",
    discussion: """
        edgetwin devices
        edgetwin devices --format json
        edgetwin devices show rpi4-cpu
        edgetwin devices diff rpi4-cpu new/rpi4-cpu.yaml

      Device files are looked for in $\(DeviceLibrary.variable), else beside the installed program, else in the nearest \
      folder device-models above it. Anything with a slash, or that ends in .yaml, is a path.
      """,
    subcommands: [DevicesList.self, DevicesShow.self, DevicesDiff.self], defaultSubcommand: DevicesList.self)
}

struct DevicesList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the devices: what they run, and how far their twins are off.")

  @OptionGroup var output: FormatOption

  func run() throws {
    let entries = try DeviceLibrary.standard().entries()
    if output.format == .table {
      try Console.write(DeviceRecord.table(entries))
    } else {
      try Console.write(entries.map(DeviceRecord.record), format: output.format)
    }
  }
}

struct DevicesShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a device: its facts, and what each runtime's twin was fitted on.")

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json, yaml
  }

  @Argument(help: ArgumentHelp("A device's id, or the path of its file.", valueName: "id-or-file"))
  var device: String

  @Option(help: "table (for people), json or yaml (the device file as it was read).")
  var format: Format = .table

  func run() throws {
    let entry = try DeviceLibrary.standard().entry(device)
    switch format {
    case .table: try Console.write(DeviceFacts.text(entry))
    case .yaml: try Console.write(entry.file.encodedYAML())
    case .json:
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      try Console.write(String(decoding: encoder.encode(entry.file), as: UTF8.self) + "\n")
    }
  }
}

struct DevicesDiff: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Two twins, or two versions of one, side by side: facts, coefficients, and predictions over a sample.",
    discussion: """
        edgetwin devices diff jetson-nano-cpu rpi4-cpu
        edgetwin devices diff device-models/rpi4-cpu.yaml new.yaml \\
          --count 500 --format json
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json
  }

  @Argument(help: ArgumentHelp("The first: a device's id, or the path of its file.", valueName: "a"))
  var first: String

  @Argument(help: ArgumentHelp("The second.", valueName: "b"))
  var second: String

  @Option(help: "Runtime of both; by default that of each device.")
  var runtime: String?

  @Option(help: "Sequences in one call, of both; by default each twin's own.")
  var batchSize: Int?

  @Option(help: "Tokens in a sequence, of both; likewise.")
  var sequenceLength: Int?

  @Option(help: "Architectures to predict.")
  var count = 100

  @Option(help: "Seed of the sample.")
  var seed: UInt64 = 1

  @Option(help: "Probability of the intervals.")
  var level = 0.9

  @Option(help: "table (for people) or json.")
  var format: Format = .table

  func validate() throws {
    guard (0...100_000).contains(count) else { throw ValidationError("--count must be from 0 to 100000") }
    guard level > 0, level < 1 else { throw ValidationError("--level must be above 0 and below 1, such as 0.9") }
  }

  func run() throws {
    let library = DeviceLibrary.standard()
    func twin(_ name: String) throws -> Twin {
      try PredictionRequest(
        file: library.entry(name).file, runtime: runtime, batchSize: batchSize, sequenceLength: sequenceLength
      ).twin()
    }
    let comparison = try DeviceComparison(twin(first), twin(second), count: count, seed: seed, level: level)
    try Console.write(format == .json ? comparison.record.json + "\n" : comparison.text)
  }
}
