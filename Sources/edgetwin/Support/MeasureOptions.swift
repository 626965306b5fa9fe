import Architectures
import ArgumentParser
import Boards
import Foundation
import Measurements
import ModelFiles
import Twins
import Workbench

import struct Measurements.Measurement

/// What runs the models, and how.
struct RunOptions: ParsableArguments, Sendable {
  enum Runtime: String, ExpressibleByArgument, CaseIterable {
    case native, onnxruntime
  }

  @Option(help: "native (this project's kernels) or onnxruntime.")
  var runtime: Runtime = .native

  @Option(help: "Sequences in one call.")
  var batchSize = 1

  @Option(help: "Tokens in a sequence.")
  var sequenceLength = 128

  @Option(help: "Threads; each is bound to a core.")
  var threads = 1

  @Option(help: "fp32, or what else the runtime has.")
  var precision: Precision = .fp32

  @Option(help: "What rows call this machine.")
  var deviceName = "local"

  func validate() throws {
    guard Settings.batchSizes.contains(batchSize) else { throw ValidationError("--batch-size must be from 1 to 65536") }
    guard Settings.sequenceLengths.contains(sequenceLength) else {
      throw ValidationError("--sequence-length must be from 1 to 65536")
    }
    guard (1...256).contains(threads) else { throw ValidationError("--threads must be from 1 to 256") }
    guard !deviceName.isEmpty, deviceName.utf8.count <= 200 else {
      throw ValidationError("--device-name must have 1 to 200 bytes")
    }
  }

  /// - Throws: `UsageError` for a precision that the runtime does not have.
  func work() throws -> LocalWork {
    try LocalWork(
      runtime: runtime,
      settings: RunSettings(
        batchSize: batchSize, sequenceLength: sequenceLength, threads: threads, precision: precision.rawValue),
      deviceName: deviceName)
  }
}

/// What is run on this machine.
struct LocalWork: Sendable {
  var runtime: RunOptions.Runtime
  var settings: RunSettings
  /// What rows call this machine.
  var deviceName: String

  /// - Throws: `UsageError` for a precision that the runtime does not have.
  init(runtime: RunOptions.Runtime, settings: RunSettings, deviceName: String) throws {
    if runtime == .onnxruntime, settings.precision != "fp32" {
      throw UsageError("the runtime onnxruntime is measured in fp32 only")
    }
    if runtime == .native, !NativeRuntime().precisions.contains(settings.precision) {
      throw UsageError(
        "the native runtime has no \(settings.precision); it has \(NativeRuntime().precisions.joined(separator: ", "))")
    }
    self.runtime = runtime
    self.settings = settings
    self.deviceName = deviceName
  }

  /// What a twin speaks of.
  init(_ twin: Twin, runtime: RunOptions.Runtime) throws {
    let settings = twin.settings
    try self.init(
      runtime: runtime,
      settings: RunSettings(
        batchSize: settings.batchSize, sequenceLength: settings.sequenceLength,
        threads: settings.threads ?? 1,
        precision: settings.precision.rawValue), deviceName: twin.device.id)
  }

  /// Whether a row was measured as is asked for now; rows of other programs do not say what their latency is of the calls.
  func matches(_ row: Measurement, statistic: MeasuringProtocol.Statistic) -> Bool {
    (row.statistic.map { $0 == statistic.rawValue } ?? true) && matches(row)
  }

  private func matches(_ row: Measurement) -> Bool {
    row.device == deviceName && row.runtime == runtime.rawValue && row.batchSize == settings.batchSize
      && row.sequenceLength == settings.sequenceLength && row.precision == settings.precision
      && row.threads == settings.threads && row.latencySeconds != nil
  }

  /// - Parameter cores: of the measuring thread, which the processes that it starts inherit.
  func makeRuntime(cores: [Int]) throws -> any BoardRuntime {
    switch runtime {
    case .native: return NativeRuntime(cores: cores)
    case .onnxruntime:
      return try ONNXRuntime { architecture, path in
        try OnnxExport().write(Model.forTiming(architecture), to: path)
      }
    }
  }
}

/// How far measured figures can be trusted.
struct ProtocolOptions: ParsableArguments, Sendable {
  @Option(help: "Repeats of each model.")
  var repeats = 10

  @Option(help: "Least time of a repeat, such as 50ms.", transform: Quantities.seconds)
  var repeatTime: Double = 0.05

  @Option(
    help: "Wait between two rounds, such as 10min: shows what the machine does over a long time.",
    transform: Quantities.duration)
  var pause: Double?

  @OptionGroup var meterOption: MeterOption

  @Option(help: "Seed of the order.")
  var seed: UInt64 = 1

  @Option(
    help: ArgumentHelp(
      "median (of the calls, as the machine is) or fastest (the call that nothing came in between of). By default the median, but beside a"
        + " twin of calibrate --board local what it was fitted to: fastest.", valueName: "statistic"))
  var latency: MeasuringProtocol.Statistic?

  @Flag(help: "Leave the choice of cores to the system.")
  var noPin = false

  func validate() throws {
    guard (1...10_000).contains(repeats) else { throw ValidationError("--repeats must be from 1 to 10000") }
    guard repeatTime <= 600 else { throw ValidationError("--repeat-time must be at most 600s") }
  }

  /// - Parameter twin: that the times are compared with; nil for none.
  func plan(for twin: Twin? = nil) -> MeasuringProtocol {
    var plan = MeasuringProtocol(
      repeats: repeats, repeatSeconds: repeatTime, pauseSeconds: pause ?? 0, seed: seed)
    plan.statistic = latency ?? twin.map(MeasuringProtocol.Statistic.init(of:)) ?? .median
    return plan
  }

  func job(_ work: LocalWork, twin: Twin? = nil, profiles: Int = 0) -> LocalJob {
    LocalJob(work: work, plan: plan(for: twin), meter: meterOption.meter, isPinned: !noPin, profiles: profiles)
  }
}

extension MeasuringProtocol.Statistic: ExpressibleByArgument {
  /// What a twin's latency is: roofs are the fastest times of kernels, and so are those of the rows that their device was fitted to.
  init(of twin: Twin) { self = twin.device.roofs?.provenance == .measured ? .fastest : .median }
}

extension MeasuringProtocol {
  /// Of the few models that `run` ends with.
  static func ofFinalists(_ twin: Twin) -> MeasuringProtocol {
    var plan = MeasuringProtocol(repeats: 7, repeatSeconds: 0.05)
    plan.statistic = Statistic(of: twin)
    return plan
  }
}

/// Measuring on this machine, with progress on a terminal.
struct LocalJob: Sendable {
  var work: LocalWork
  var plan: MeasuringProtocol
  /// Name of a power meter, `none` or `auto`.
  var meter = "auto"
  var isPinned = true
  /// Calls of each model whose steps are timed.
  var profiles = 0

  /// - Throws: `BoardError`, or what `emit` throws.
  func measure(
    _ architectures: [Architecture], firstOrder: Int = 0, emit: @escaping @Sendable (Int, Measurement) throws -> Void
  ) async throws -> MeasurementRun.Report {
    let allowed = CoreAffinity.allowed
    let threads = work.settings.threads
    let cores = isPinned && !allowed.isEmpty ? CoreAffinity.choice(threads, allowed: allowed) : []
    if !cores.isEmpty, cores.count < threads {
      Console.complain("\(threads) threads share \(cores.count) cores: their times depend on the scheduler")
    }
    return try await MeasuringThread.run(cores: cores) { flag in
      let meter = try chosenMeter()
      var plan = plan
      plan.profiles = profiles
      // Counters of energy are read in steps; a repeat must hold many of them.
      if let meter { plan.repeatSeconds = max(plan.repeatSeconds, 20 * meter.intervalSeconds) }
      var measurer = SeriesMeasurer(plan: plan, meter: meter)
      measurer.shouldStop = { flag.isSet }
      // A thread that is bound to one core would leave no more to the process of another runtime.
      let gauge = try PaceGauge(threads: threads, cores: work.runtime == .native ? cores : [])
      measurer.pace = { gauge.seconds() }
      measurer.progress = { done, of in Console.progress("measured \(done) of \(of)") }
      let runtime = try work.makeRuntime(cores: cores)
      defer { runtime.close() }
      let run = MeasurementRun(
        device: work.deviceName, runtime: runtime, settings: work.settings, measurer: measurer, cores: cores,
        environment: ["program": "edgetwin \(Program.version)"])
      return try run.measure(architectures, firstOrder: firstOrder, emit: emit)
    }
  }

  private func chosenMeter() throws -> (any Meter)? {
    switch meter {
    case "none": nil
    case "auto": Meters.all().first
    default: try Meters.named(meter)
    }
  }
}
