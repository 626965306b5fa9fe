import Architectures
import ArgumentParser
import Boards
import Foundation
import Measurements
import Twins
import Workbench

struct Measure: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure architectures on this machine.",
    discussion: """
        edgetwin measure --architectures a.jsonl --batch-size 1 \\
          --sequence-length 128 --threads 1 --repeats 10 --output m.jsonl
        edgetwin measure --architectures a.jsonl --runtime onnxruntime \\
          --output m.jsonl
        edgetwin measure --architectures a.jsonl --output m.jsonl --resume

      Threads are bound to cores, each model runs until it is steady, and repeats of all models are interleaved. A row \
      tells in its environment how far it can be trusted. Ctrl-C ends with what has been measured; --resume goes on \
      from there. Rows are written a group of models at a time (at most 32, those whose repeats are interleaved): a process \
      that is killed loses the group that it was measuring, no more. Times do not depend on the weights, which are made up.
      """)

  @Option(help: "File of architectures, or - for standard input.")
  var architectures: String

  @Option(help: "local: this machine.")
  var board: String = "local"

  @OptionGroup(title: "What is run") var what: RunOptions
  @OptionGroup(title: "How it is measured") var how: ProtocolOptions

  @Option(name: .shortAndLong, help: "File for the measurements (JSON Lines); - is standard output.")
  var output: String = "-"

  @Flag(help: "Go on behind the rows that the output file has, and leave out what they measured.")
  var resume = false

  func run() async throws {
    guard board == "local" else { throw BoardError.unknownBoard(board) }
    try Console.checkFolder(of: output)
    let work = try what.work()
    let source = InputBytes.name(of: architectures)
    let rows = try ArchitectureRow.read(architectures)
    let models = try rows.map { row in
      let model = try row.model(source: source)
      try model.checkLength(work.settings.sequenceLength, source: source, line: row.line)
      return model
    }
    let appender = try MeasurementAppender(path: output, resumes: resume)
    let known = appender.existing.filter(work.matches)
    let done = Set(known.compactMap { $0.architecture?.id })
    let waiting = models.indices.filter { !done.contains(models[$0].id) }
    if waiting.count < models.count {
      Console.say("\(models.count - waiting.count) of \(models.count) are measured already")
    }
    let chosen = waiting.map { models[$0] }
    let firstOrder = (appender.existing.compactMap(\.order).max() ?? -1) + 1
    let job = how.job(work)
    let report = try await Interrupt.cancelling {
      try await job.measure(chosen, firstOrder: firstOrder) { _, row in try appender.append(row) }
    }
    Console.endProgress()
    for failure in report.failures {
      Console.complain("\(source):\(rows[waiting[failure.index]].line): \(failure.error)")
    }
    if report.measured > 0 { Console.say(report.summary) }
    if report.wasStopped {
      Console.complain("stopped before the end: \(report.measured) of \(chosen.count) were measured")
      throw ExitCode(Failure.interrupted)
    }
    if !report.failures.isEmpty { throw ExitCode(1) }
  }
}

extension Architecture {
  /// - Throws: `InputFileError` where the model has fewer positions than a sequence has tokens.
  func checkLength(_ length: Int, source: String, line: Int) throws {
    guard length > maximumPositions else { return }
    throw InputFileError(
      source: source, line: line, field: "maximum_positions",
      problem:
        "architecture \(id) takes at most \(maximumPositions) tokens; give --sequence-length \(maximumPositions) or less"
    )
  }
}
