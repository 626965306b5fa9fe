import Architectures
import ArgumentParser
import Foundation
import Measurements
import Studies
import Twins
import Workbench

struct StudyAnswers: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "answers", abstract: "Answer what people ask of a study's front.",
    discussion: """
        edgetwin study answers s.db
        edgetwin study answers s.db --architectures a.json --devices rpi4-cpu
        edgetwin study answers s.db --set memory.bandwidth=2x --format json

      Where the front bends, and what a little more of a cost buys; what each budget costs; which choices matter; where the \
      time goes; how sure it is that one beats another; the best device for a model, the best model for a device; what \
      changes where the device does. Budgets, devices and changes are searched anew, a few seconds in all.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json
  }

  @Argument(help: "File of the study.")
  var file: String

  @Option(help: "File of architectures whose best device is wanted; by default the study's first choice.")
  var architectures: String?

  @Option(
    help: ArgumentHelp("Devices whose best model is wanted; by default all.", valueName: "a,b"), transform: listed)
  var devices: [String]?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("What if: a change of the first choice's device. May be repeated.", valueName: "path=value"))
  var changes: [String] = []

  @Option(help: "Threads; by default one a core.")
  var threads: Int?

  @Option(help: "table (for people) or json (one object).")
  var format: Format = .table

  func validate() throws {
    if let threads, !(1...1_024).contains(threads) { throw ValidationError("--threads must be from 1 to 1024") }
    for change in changes { _ = try Override(parsing: change) }
  }

  func run() async throws {
    let study = try Study.open(file)
    defer { study.close() }
    let models = try architectures.map { path in
      let source = InputBytes.name(of: path)
      return try ArchitectureRow.read(path).map { try $0.model(source: source, space: study.definition.space) }
    }
    let questions = Answers.Questions(
      models: models ?? [], devices: devices, changes: changes.isEmpty ? nil : changes)
    let threadCount = threads ?? max(ProcessInfo.processInfo.activeProcessorCount, 1)
    let answers = try await Answers(study, questions, threads: threadCount)
    switch format {
    case .table: try Console.write(answers.text)
    case .json: try Console.write(answers.record.json + "\n")
    }
  }
}
