import Architectures
import ArgumentParser
import Boards
import Foundation
import Measurements
import Studies
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
        edgetwin measure --study s.db --resume

      Threads are bound to cores, each model runs until it is steady, and repeats of all models are interleaved. A row \
      tells in its environment how far it can be trusted. Ctrl-C ends with what has been measured; --resume goes on \
      from there. Rows are written a group of models at a time (at most 32, those whose repeats are interleaved): a process \
      that is killed loses the group that it was measuring, no more. Times do not depend on the weights, which are made up.
      """)

  @Option(help: "File of architectures, or - for standard input; with --study by default its finalists.")
  var architectures: String?

  @Option(help: "local: this machine.")
  var board: String = "local"

  @OptionGroup(title: "What is run") var what: RunOptions
  @OptionGroup(title: "How it is measured") var how: ProtocolOptions

  @Option(name: .shortAndLong, help: "File for the measurements (JSON Lines); - is standard output.")
  var output: String = Self.standardOutput

  @Flag(help: "Go on behind the rows that the output file and the study have, and leave out what they measured.")
  var resume = false

  @Option(name: .customLong("study"), help: ArgumentHelp("File of a study that keeps the rows too.", valueName: "s.db"))
  var studyFile: String?

  private static let standardOutput = "-"

  func validate() throws {
    if resume, output == Self.standardOutput, studyFile == nil {
      throw ValidationError("--resume needs --output or --study: what is measured already is read from there")
    }
    guard architectures != nil || studyFile != nil else {
      throw ValidationError("give --architectures, or --study to measure its finalists")
    }
  }

  func run() async throws {
    guard board == "local" else { throw BoardError.unknownBoard(board) }
    try Console.checkFolder(of: output)
    let work = try what.work()
    let study = try studyFile.map { try Study.open($0) }
    defer { study?.close() }
    let (source, lines, models) = try asked(study)
    for (model, line) in zip(models, lines) {
      try model.checkLength(work.settings.sequenceLength, source: source, line: line)
    }
    let appender = try MeasurementAppender(path: output, resumes: resume && output != Self.standardOutput)
    let statistic = how.plan().statistic
    let kept = try resume ? study?.measurements() ?? [] : []
    let known = (appender.existing + kept).filter { work.matches($0, statistic: statistic) }
    let done = Set(known.compactMap { $0.architecture?.id })
    let waiting = models.indices.filter { !done.contains(models[$0].id) }
    if waiting.count < models.count {
      Console.say("\(models.count - waiting.count) of \(models.count) are measured already")
    }
    let chosen = waiting.map { models[$0] }
    let firstOrder = ((appender.existing + kept).compactMap(\.order).max() ?? -1) + 1
    let job = how.job(work)
    let report = try await Interrupt.cancelling {
      try await job.measure(chosen, firstOrder: firstOrder) { _, row in
        // The study first: a killed process then has measured nothing that it does not know of.
        try study?.keep(row)
        try appender.append(row)
      }
    }
    Console.endProgress()
    for failure in report.failures {
      Console.complain("\(source):\(lines[waiting[failure.index]]): \(failure.error)")
    }
    if report.measured > 0 { Console.say(report.summary) }
    if report.wasStopped {
      Console.complain("stopped before the end: \(report.measured) of \(chosen.count) were measured")
      throw ExitCode(Failure.interrupted)
    }
    if !report.failures.isEmpty { throw ExitCode(1) }
  }

  /// What is to be measured, and where it stands.
  private func asked(_ study: Study?) throws -> (source: String, lines: [Int], models: [Architecture]) {
    if let architectures {
      let source = InputBytes.name(of: architectures)
      let rows = try ArchitectureRow.read(architectures)
      return (source, rows.map(\.line), try rows.map { try $0.model(source: source) })
    }
    let finalists = try study?.finalists() ?? []
    var seen: Set<String> = []
    let models = finalists.map(\.architecture).filter { seen.insert($0.id).inserted }
    guard let study, !models.isEmpty else {
      throw InputFileError(
        source: studyFile ?? "",
        problem: "has no finalists yet; edgetwin explore --study finds some, or give --architectures")
    }
    return (study.path, Array(1...models.count), models)
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
