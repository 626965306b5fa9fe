import Architectures
import ArgumentParser
import CoSearch
import Foundation
import Studies
import Workbench

struct Explore: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Search a design space and devices for the best pairs within budgets.",
    discussion: """
        edgetwin explore --max-latency 20ms --max-energy 0.2J --max-power 10W
        edgetwin explore --devices rpi4-cpu,ncs2 --objectives accuracy,latency
        edgetwin explore --problem p.yaml --evaluations 1000000 --format jsonl
        edgetwin explore --study s.db --problem p.yaml --evaluations 10000000
        edgetwin explore --problem p.yaml --evaluations 500 --sampler screened-evolution

      The table shows finalists; json, jsonl and csv give the whole front, the best of the first objective first. Flags \
      go before what the problem's file says. Ctrl-C ends the search with what it has. With --study it can be stopped in \
      any way and run again: it goes on, and with --evaluations comes to the same result as if it had not been stopped.
      """)

  @Option(help: "File of a problem (YAML), or - for standard input.")
  var problem: String?

  @OptionGroup(title: "Where to look") var place: PlaceOptions

  @Option(
    help: ArgumentHelp(
      "Comma-separated: accuracy, latency, energy, peak_power, parameters; by default accuracy,latency,energy.",
      valueName: "a,b"),
    transform: parsedObjectives)
  var objectives: [Objective]?

  @OptionGroup(title: "Budgets") var budgets: BudgetOptions
  @OptionGroup(title: "Effort") var effort: ExtentOptions

  @Option(
    help: ArgumentHelp(
      """
      What looks for them: \(Explore.whiteBox) uses what the twins are made of; the others see only what each trial comes to, on one \
      thread: \(StudyAsking.samplerNames.joined(separator: ", ")).
      """, valueName: "name"))
  var sampler = Explore.whiteBox

  /// The search that uses the twins' structure.
  private static let whiteBox = "white-box"

  @OptionGroup var study: StudyOption

  @Option(help: "Probability of the intervals.")
  var level: Double = 0.9

  @Option(help: "Finalists to show.")
  var finalists = 8

  @Option(help: "File for the hypervolume trace (JSON Lines).")
  var trace: String?

  @OptionGroup var output: FormatOption

  func validate() throws {
    guard level > 0, level < 1 else { throw ValidationError("--level must be above 0 and below 1, such as 0.9") }
    guard (0...1_000).contains(finalists) else { throw ValidationError("--finalists must be from 0 to 1000") }
    guard sampler == Explore.whiteBox || StudyAsking.samplerNames.contains(sampler) else {
      throw ValidationError(
        "no sampler is called \"\(sampler)\"; there are "
          + ([Explore.whiteBox] + StudyAsking.samplerNames).joined(separator: ", "))
    }
    if sampler != Explore.whiteBox, study.file != nil {
      throw ValidationError(
        "explore --study keeps the search by the twins' structure; for a sampler in a study there are"
          + " edgetwin study create --sampler \(sampler) and edgetwin study run")
    }
  }

  func run() async throws {
    if let trace { try Console.checkFolder(of: trace) }
    let extent = effort.extent(orSeconds: 10)
    let (seed, threads, finalists) = (effort.seed, effort.threadCount, finalists)
    let progress: @Sendable (Exploration.Progress) -> Void = { progress in
      Console.progress(
        "\(Humane.count(Double(progress.evaluations))) candidates, \(Int(progress.seconds)) s,"
          + " \(progress.frontCount) on the front")
    }
    let isProblemGiven = problem != nil || objectives != nil || place.isGiven || budgets.isGiven
    let opened = try study.opened(isProblemGiven: isProblemGiven, seed: seed) { [try self.setup()] }
    let setup = try opened?.setup ?? self.setup()
    let result: Exploration
    if let opened {
      defer { opened.study.close() }
      let session = try StudySession(opened.study)
      let search = StudySearch(opened.study, setup)
      let before = try search.evaluationsBefore()
      if before > 0 { Console.say("going on behind \(Humane.count(Double(before))) candidates") }
      result = try await Interrupt.cancelling {
        try await search.explore(extent, threads: threads, finalists: finalists, progress: progress)
      }
      try session.end(result.wasCancelled ? "stopped" : "done")
    } else if sampler != Explore.whiteBox {
      let search = SamplerSearch(setup.evaluator, kind: try SamplerKind(named: sampler))
      result = try await Interrupt.cancelling {
        try await search.explore(extent, seed: seed ?? 1, progress: progress)
      }
    } else {
      result = try await Interrupt.cancelling {
        try await Explorer(setup.evaluator).explore(extent, seed: seed ?? 1, threads: threads, progress: progress)
      }
    }
    Console.endProgress()
    if let trace { try Console.write(ExplorationText.trace(result), to: trace) }
    try write(result, setup)
    if result.wasCancelled {
      Console.complain("stopped before the end: this is what was found so far")
      throw ExitCode(Failure.interrupted)
    }
    if result.front.isEmpty { throw ExitCode(1) }
  }

  /// What the flags and the problem's file ask for.
  private func setup() throws -> SearchSetup {
    let library = DeviceLibrary.standard()
    let document = try problem.map(ProblemDocument.init(file:))
    var asked = document?.problem ?? Problem(devices: [])
    place.apply(to: &asked)
    if asked.devices.isEmpty { asked.devices = try PlaceOptions.standardDevices(library) }
    asked.objectives = objectives ?? asked.objectives
    budgets.apply(to: &asked)
    // Devices from flags are relative to the working folder, and what is wrong with them is wrong usage.
    return try SearchSetup(
      asked, document: place.devices == nil ? document : nil, library: library, runtime: place.runtime, level: level)
  }

  private func write(_ result: Exploration, _ setup: SearchSetup) throws {
    let chosen = result.finalists(count: finalists)
    if let infeasibility = result.infeasibility { Console.complain("nothing is feasible: \(infeasibility)") }
    if output.format == .table {
      try Console.write(ExplorationText.table(result, finalists: chosen, setup: setup))
      return
    }
    var rows = result.front
    if let best = result.bestByScalar, !rows.contains(best) { rows.append(best) }
    let records = rows.compactMap { setup.record($0, isFinalist: chosen.contains($0)) }
    try Console.write(records, format: output.format)
    for caption in setup.captions(rows.map(\.deviceIndex)) { Console.say(caption) }
    Console.say(ExplorationText.effort(result))
  }
}
