import ArgumentParser
import Boards
import CoSearch
import Foundation
import Measurements
import Studies
import Twins
import Workbench

struct Run: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The main job: the best pairs of model and device, by latency; measured, trained and refined here.",
    discussion: """
        edgetwin run
        edgetwin run --max-energy 0.5J --latencies 5ms,50ms
        edgetwin run --devices rpi4-cpu,ncs2 --seconds 60 --format jsonl

        edgetwin run --confirm --format jsonl
        edgetwin run --study s.db
        edgetwin run --task sst2 --train SST-2/train.tsv --dev SST-2/dev.tsv --output run

      Searches the whole space on every calibrated device, each on its own, for the time given; then measures some of \
      the finalists of this machine (the device local) on it, and compares. Its twin is made the first time, in half a \
      minute, and kept; edgetwin calibrate --board local makes a better one.

      Then a small model in the manner of its fastest finalist is trained for a task (two and a half minutes in all), \
      grown and pruned within the latency that the twin says, and measured beside its root. The task is WordNet's, \
      where Debian's wordnet-base is installed, or --task.

      With --study it can be stopped at any moment, also while it trains and refines, and run again: it goes on from \
      there, in the folder --output or beside the study's file.

      Where --devices, --evaluations or a format for programs is given, this machine takes part only with --confirm, \
      --refine, --task or --output.
      """)

  @OptionGroup(title: "Where to look") var place: PlaceOptions
  @OptionGroup(title: "Budgets") var budgets: BudgetOptions

  @Option(
    help: ArgumentHelp("Latency budgets to answer, comma-separated; by default 10ms,100ms,1s,10s.", valueName: "a,b"),
    transform: { try listed($0).map(Quantities.seconds) })
  var latencies: [Double] = MainJob.standardBudgets

  @Option(help: "Seconds to search, over all devices.", transform: Quantities.duration)
  var seconds: Double = 14

  @Option(help: "Candidates for each device, in place of a time; the result is then the same on every machine.")
  var evaluations: Int?

  @Option(help: "Seed of the search; by default 1, or the study's.")
  var seed: UInt64?

  @OptionGroup var study: StudyOption

  @Option(help: "Threads; by default one a core.")
  var threads: Int?

  @Option(help: "Probability of the intervals.")
  var level: Double = 0.9

  @Flag(
    inversion: .prefixedNo, help: "Search on this machine too, and measure its finalists against their predictions.")
  var confirm: Bool?

  @Option(help: "Finalists of this machine to measure.")
  var finalists = 3

  @OptionGroup(title: "Train and refine") var refinement: RunRefinementOptions
  @OptionGroup var output: FormatOption

  /// Whether nothing was asked for that leaves this machine out.
  private var isPlain: Bool {
    output.format == .table && place.devices == nil && evaluations == nil && place.runtime == nil
  }
  private var confirms: Bool { confirm ?? isPlain }
  private var refines: Bool {
    refinement.isAskedFor || (refinement.refine == nil && isPlain && confirm != false)
  }

  func validate() throws {
    guard level > 0, level < 1 else { throw ValidationError("--level must be above 0 and below 1, such as 0.9") }
    guard !latencies.isEmpty else { throw ValidationError("--latencies names none; write 10ms,1s") }
    if !(1...100).contains(finalists) { throw ValidationError("--finalists must be from 1 to 100") }
    if place.runtime != nil, place.runtime != "native" {
      if confirm == true { throw ValidationError("--confirm measures the runtime native") }
      if refinement.isAskedFor { throw ValidationError("--refine measures the runtime native") }
    }
    if let evaluations, evaluations < 1 { throw ValidationError("--evaluations must be 1 or more") }
    if let threads, !(1...1_024).contains(threads) { throw ValidationError("--threads must be from 1 to 1024") }
  }

  func run() async throws {
    let library = DeviceLibrary.standard()
    let isBlank = try study.file.map { try Study.isBlank($0) } ?? true
    let inputs =
      try refines ? refinement.inputs(studyFile: study.file, plan: isBlank ? nil : study.plan()) : nil
    // A study has its devices, this machine among them or not: its twin is made for a new one only.
    let cache = HostTwinCache()
    let host: String? =
      if !confirms, inputs == nil {
        nil
      } else if isBlank {
        try await HostFinalists.twinFile(seed: seed ?? 1)
      } else {
        cache.file() == nil ? nil : cache.path
      }
    let opened = try study.opened(
      isProblemGiven: !isBlank && (place.isGiven || budgets.isGiven || latencies != MainJob.standardBudgets), seed: seed
    ) { try askedSetups(library, host: host) }
    let setups =
      if let opened {
        try opened.setup.byDevice()
      } else {
        try askedSetups(library, host: host)
      }
    let devices = setups.map { $0.problem.devices[0] }
    let hostIndex =
      confirms || inputs != nil ? setups.firstIndex { $0.twins[0].device.id == HostFacts.deviceID } : nil
    let (latencies, seed) = (latencies, seed ?? opened?.study.definition.seed ?? 1)
    let session = try (opened?.study).map { try StudySession($0) }
    let extent: Explorer.Extent =
      evaluations.map { .evaluations($0) } ?? .seconds(seconds / Double(max(devices.count, 1)))
    let threadCount = threads ?? max(ProcessInfo.processInfo.activeProcessorCount, 1)
    let job = try await Interrupt.cancelling {
      try await MainJob.run(
        setups, latencyBudgets: latencies, extentEach: extent, seed: seed, threads: threadCount, study: opened?.study
      ) { index in
        let name = index == hostIndex ? "this machine" : devices[index]
        Console.progress("searching on \(name), \(index + 1) of \(devices.count)")
      }
    }
    Console.endProgress()
    if output.format == .table {
      try Console.write(job.text + (explanation(job) ?? "") + job.captions)
    } else {
      try Console.write(job.records, format: output.format)
      Console.say(job.captions.trimmingCharacters(in: .newlines))
    }
    if let hostIndex, !job.wasCancelled, job.results.indices.contains(hostIndex) {
      let result = job.results[hostIndex]
      if confirms {
        try await HostFinalists(result: result, count: finalists, level: level, study: opened?.study)
          .confirm(format: output.format)
      }
      if let inputs {
        try await HostRefinement(
          result: result, inputs: inputs, finalists: finalists, seed: seed, threads: threadCount,
          study: opened?.study
        ).run(format: output.format)
      }
    } else if inputs != nil, !job.wasCancelled {
      Console.say("nothing is trained and refined: this machine is none of the study's devices")
    }
    try session?.end(job.wasCancelled ? "stopped" : "done")
    opened?.study.close()
    if job.wasCancelled {
      Console.complain("stopped before the end: this is what was found so far")
      throw ExitCode(Failure.interrupted)
    }
    if job.picks.isEmpty { throw ExitCode(1) }
  }

  /// One a device, each with a problem of this device alone.
  private func askedSetups(_ library: DeviceLibrary, host: String?) throws -> [SearchSetup] {
    var devices = try place.devices ?? PlaceOptions.standardDevices(library)
    if let host { devices.insert(host, at: 0) }
    return try devices.map { device in
      var problem = Problem(devices: [])
      place.apply(to: &problem)
      budgets.apply(to: &problem)
      // What is slower than every budget that is to be answered is not looked for.
      if problem.budgets.maxLatencySeconds == nil { problem.budgets.maxLatencySeconds = latencies.max() }
      problem.devices = [device]
      return try SearchSetup(
        problem, document: nil, library: library, runtime: device == host ? "native" : place.runtime, level: level)
    }
  }

  /// Where time and energy go for the pair in the middle.
  private func explanation(_ job: MainJob) -> String? {
    guard let winner = job.winner else { return nil }
    let setup = job.results[winner.device].setup
    let architecture = setup.space.architecture(of: winner.candidate.point)
    let twin = setup.twins[0]
    guard let explanation = try? Explanation(twin: twin, architecture: architecture, level: level) else { return nil }
    return "Where time and energy go for \(architecture.id) on \(twin.device.id) (edgetwin explain shows all):\n"
      + ExplanationText(explanation, twin: twin, architecture: architecture).brief + "\n"
  }
}
