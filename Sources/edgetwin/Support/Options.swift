import Architectures
import ArgumentParser
import CoSearch
import Foundation
import Twins
import Workbench

extension RecordFormat: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}
extension SamplingMethod: ExpressibleByArgument {}

/// How records are printed.
struct FormatOption: ParsableArguments {
  @Option(help: "How rows are printed: table (for people), json, jsonl or csv.")
  var format: RecordFormat = .table
}

/// Which twin is asked, and about what.
struct TwinOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("A device's id, or the path of its file, or - for standard input.", valueName: "id-or-file"))
  var device: String

  @Option(help: "Runtime; by default protran where the device has it calibrated, else the first that it has.")
  var runtime: String?

  @Option(help: "Sequences in one call; by default what the twin was fitted on.")
  var batchSize: Int?

  @Option(help: "Tokens in a sequence; likewise.")
  var sequenceLength: Int?

  @Option(help: "fp32, fp16, bf16 or int8; likewise.")
  var precision: Precision?

  @Option(help: "Probability of the intervals, above 0 and below 1.")
  var level: Double = 0.9

  @Option(help: "Threads of the runtime; likewise. Known to twins of native and onnxruntime.")
  var threads: Int?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "What if: a fact by a factor or a value with its unit, such as memory.bandwidth=2x or ram=4GB. May be repeated."
        + " Facts (and other names for them): \(Override.listed).",
      valueName: "path=value"),
    transform: { try Override(parsing: $0) })
  var overrides: [Override] = []

  @Flag(help: "Give figures with a share of the process's start-up; by default steady time.")
  var includeStartup = false

  @Option(help: "State of the device: typical, latest, or the number of a regime (edgetwin devices show ID).")
  var regime: String = "typical"

  func validate() throws {
    guard level > 0, level < 1 else { throw ValidationError("--level must be above 0 and below 1, such as 0.9") }
    guard RegimeChoice(regime) != nil else {
      throw ValidationError("--regime must be typical, latest, or a number from 0")
    }
  }

  /// Standard input can be one of two files.
  func check(architectures: String) throws {
    if device == "-", architectures == "-" {
      throw ValidationError("--device and --architectures cannot both be standard input")
    }
  }

  func request() throws -> PredictionRequest {
    let file = try DeviceLibrary.standard().entry(device).file
    var request = PredictionRequest(
      file: file, runtime: runtime, batchSize: batchSize, sequenceLength: sequenceLength, precision: precision,
      threads: threads, includesStartup: includeStartup, overrides: overrides, level: level)
    if let choice = RegimeChoice(regime) { request.file = try file.moved(to: choice, runtime: request.runtime) }
    return request
  }

  /// Flags that measurement rows make void.
  var settingFlags: [String] {
    [
      batchSize == nil ? nil : "--batch-size", sequenceLength == nil ? nil : "--sequence-length",
      precision == nil ? nil : "--precision", threads == nil ? nil : "--threads",
      includeStartup ? "--include-startup" : nil,
    ].compactMap(\.self)
  }
}

/// Parsers of quantities with their units.
enum Quantities {
  static func seconds(_ text: String) throws -> Double { try positive(text, unit: "s") }
  static func joules(_ text: String) throws -> Double { try positive(text, unit: "J") }
  static func watts(_ text: String) throws -> Double { try positive(text, unit: "W") }
  static func bytes(_ text: String) throws -> Double { try positive(text, unit: "B") }

  private static func positive(_ text: String, unit: String) throws -> Double {
    let value = try Quantity(parsing: text, unit: unit).value
    guard value > 0 else { throw ValidationError("\"\(text)\" must be above 0") }
    return value
  }

  /// A count: `12000000` or `12M`.
  static func count(_ text: String) throws -> Double {
    let factors: [Character: Double] = ["k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9]
    let factor = text.last.flatMap { factors[$0] }
    let number = factor == nil ? text : String(text.dropLast())
    guard let value = Double(number), value.isFinite, value > 0 else {
      throw ValidationError("\"\(text)\" is not a count above 0; write a number such as 12000000 or 12M")
    }
    return value * (factor ?? 1)
  }

  /// Seconds that a search may take: `10`, `10s`, `2min`.
  static func duration(_ text: String) throws -> Double {
    if let value = Double(text), value.isFinite {
      guard value > 0 else { throw ValidationError("\"\(text)\" must be above 0") }
      return value
    }
    if text.hasSuffix("min"), let value = Double(text.dropLast(3)), value > 0, value.isFinite { return value * 60 }
    return try positive(text, unit: "s")
  }
}

/// A comma-separated list, empty items left out.
func listed(_ text: String) -> [String] {
  text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
}
