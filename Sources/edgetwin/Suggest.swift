import Architectures
import ArgumentParser
import Calibration
import Foundation
import Measurements
import Workbench

struct Suggest: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what to measure next: the architectures that make the twin surest of all the others.",
    discussion: """
        edgetwin suggest m.jsonl --device rpi4-cpu --runtime protran --count 4
        edgetwin suggest m.jsonl --device rpi4-cpu --runtime protran --count 4 \\
          --candidates a.jsonl

      Prints {"id","gain","reason","architecture"} as JSON Lines, the most worth first. A gain is the share of the \
      prediction variance that goes; the file of measurements may be empty.
      """)

  @Argument(help: ArgumentHelp("Measurements (JSON Lines), or - for standard input.", valueName: "m.jsonl"))
  var measurements: String

  @Option(help: ArgumentHelp("A device's id, or the path of its file.", valueName: "id-or-file"))
  var device: String

  @Option(help: "Runtime to be measured, such as protran.")
  var runtime: String

  @Option(help: "How many to suggest.")
  var count: Int

  @Option(help: "File of architectures to choose from; by default 1000 of the space, by Latin hypercube.")
  var candidates: String?

  @Option(help: "Seed of the candidates that are drawn, and of ties.")
  var seed: UInt64 = 1

  private static let standardCandidates = 1_000

  func validate() throws {
    guard (1...100_000).contains(count) else { throw ValidationError("--count must be from 1 to 100000") }
    if [measurements, candidates, device].count(where: { $0 == "-" }) > 1 {
      throw ValidationError("only one of the measurements, --candidates and --device can be standard input")
    }
  }

  func run() throws {
    let file = try DeviceLibrary.standard().entry(device).file
    let series = try MeasuredSeries(
      file: measurements, device: file.device.id, runtime: runtime, allowsNone: true)
    let space = DesignSpace.flexibert2
    let choices: [Architecture]
    if let candidates {
      let source = InputBytes.name(of: candidates)
      choices = try ArchitectureRow.read(candidates).map { try $0.model(source: source) }
    } else {
      choices = try space.sample(count: max(Self.standardCandidates, 2 * count), seed: seed).map(
        space.architecture(of:))
    }
    let suggestions = try series.locating {
      try Suggester(file: file, runtime: runtime, seed: seed).suggest(
        measured: series.rows, candidates: choices, count: count)
    }
    try Console.write(
      suggestions.lazy.map { suggestion in
        var record = Record()
        record.add("id", .text(suggestion.architecture.id))
        record.add("gain", .number(suggestion.gain))
        record.add("reason", .text(suggestion.reason))
        record.add("architecture", .object(ArchitectureRecord.record(suggestion.architecture)))
        return record
      }, format: .jsonl)
    if suggestions.count < count {
      Console.say("only \(suggestions.count) of the candidates are not measured yet")
    }
  }
}
