import Architectures
import ArgumentParser
import Foundation
import Measurements
import Twins
import Workbench

struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show where an architecture's time and energy go on a device: kernels, layers, roof, what binds.",
    discussion: """
        edgetwin explain --device rpi4-cpu --architectures a.json
        edgetwin explain --device a100 --architectures a.json --format json
        edgetwin explain --device rpi4-cpu --architectures a.json --set clock=2x

      Of several architectures each is explained in turn. A measurement is explained at its own settings.

      Kernels that a device leaves to its host are marked where its file names them, in their own line:
        operations: {host_only: [softmax, fourier], source: who says so}
      Their names: \(KernelClass.allCases.map(\.rawValue).joined(separator: ", ")).
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json, jsonl
  }

  @OptionGroup var twin: TwinOptions

  @Option(help: "File of an architecture or a measurement, or - for standard input.")
  var architectures: String

  @Option(help: "table (for people), json (an object; of several architectures a list) or jsonl.")
  var format: Format = .table

  func validate() throws { try twin.check(architectures: architectures) }

  func run() throws {
    let request = try twin.request()
    var predictor = try RowPredictor(request)
    let rows = try ArchitectureRow.read(architectures)
    let source = InputBytes.name(of: architectures)
    if let note = predictor.note(on: rows) { Console.say(note) }
    var records: [Record] = []
    var texts: [String] = []
    for row in rows {
      let architecture = try row.model(source: source)
      let twin = try predictor.twin(for: row, source: source)
      let explanation = try Explanation(twin: twin, architecture: architecture, level: request.level)
      if format == .table {
        texts.append(ExplanationText(explanation, twin: twin, architecture: architecture).full)
      } else {
        records.append(ExplanationRecord.record(explanation, twin: twin))
      }
    }
    switch format {
    case .table: try Console.write(texts.joined(separator: "\n\n"))
    case .json where records.count == 1: try Console.write(records[0].json + "\n")
    case .json: try Console.write(records, format: .json)
    case .jsonl: try Console.write(records, format: .jsonl)
    }
  }
}
