import Architectures
import Foundation
import Measurements
import Numerics

import struct Measurements.Measurement

/// Measures many architectures with one runtime, and makes the rows.
///
/// Models are taken in groups that fit into the memory together; within a group their repeats are interleaved, and its rows are handed
/// over when it is done.
public struct MeasurementRun {
  /// The device that rows name.
  public var device: String
  public var runtime: any BoardRuntime
  public var settings: RunSettings
  public var measurer: SeriesMeasurer
  /// Cores that the measuring thread is bound to; empty where it is not.
  public var cores: [Int]
  /// What every row says besides, such as the program's version.
  public var environment: [String: String]
  public var tree: SystemTree
  /// Memory that one group may take; nil is half of what is available.
  public var memoryBudgetBytes: Double?
  public var groupLimit: Int
  public var now: () -> Date

  public init(
    device: String, runtime: any BoardRuntime, settings: RunSettings, measurer: SeriesMeasurer, cores: [Int] = [],
    environment: [String: String] = [:], tree: SystemTree = SystemTree(), memoryBudgetBytes: Double? = nil,
    groupLimit: Int = 32, now: @escaping () -> Date = { Date() }
  ) {
    self.device = device
    self.runtime = runtime
    self.settings = settings
    self.measurer = measurer
    self.cores = cores
    self.environment = environment
    self.tree = tree
    self.memoryBudgetBytes = memoryBudgetBytes
    self.groupLimit = groupLimit
    self.now = now
  }

  /// Of fewer models, what all have in common cannot be told from what each scatters by.
  private static let shiftModels = 5

  /// How it went.
  public struct Report: Sendable {
    public var measured = 0
    /// Positions of architectures that could not be measured, and why.
    public var failures: [(index: Int, error: BoardError)] = []
    public var wasStopped = false
    public var repeats = 0
    public var outlierRepeats = 0
    /// Models whose warm-up ended before they were steady.
    public var unsteady = 0
    /// Of the groups, the largest change.
    public var drift: Drift?
    public var noiseFloor: NoiseFloor?
    public var seconds = 0.0
    /// Steps of one call by the position of the architecture, where they were asked for; and the rows of these.
    public var profiles: [Int: (steps: [TimedKernel], row: Measurement)] = [:]
  }

  /// - Parameters:
  ///   - firstOrder: `order` of the first row.
  ///   - emit: called with each row, and the position of its architecture.
  /// - Throws: what `emit` throws.
  public func measure(
    _ architectures: [Architecture], firstOrder: Int = 0, emit: (Int, Measurement) throws -> Void
  ) throws -> Report {
    var report = Report()
    let start = measurer.clock.now()
    var waiting = Array(architectures.indices)[...]
    var floors: [NoiseFloor] = []
    while !waiting.isEmpty, !measurer.shouldStop() {
      let group = nextGroup(&waiting, architectures, &report)
      guard !group.isEmpty else { continue }
      var one = measurer
      let done = report.measured + report.failures.count
      one.progress = { part, of in
        // Each architecture counts as much as the others, whatever its group.
        let share = of > 0 ? Double(part) / Double(of) * Double(group.count) : 0
        measurer.progress(Int(Double(done) + share), architectures.count)
      }
      let began = now()
      let result = one.measure(group.map(\.workload))
      let state = MachineState(tree, cores: cores.isEmpty ? nil : cores)
      for (position, item) in group.enumerated() {
        if let error = result.failures[position] { report.failures.append((item.index, error)) }
        guard let measured = result.results[position] else { continue }
        var row = self.row(architectures[item.index], measured, began: began)
        row.order = firstOrder + report.measured
        row.environment = environment.merging(state.environment) { own, _ in own }
          .merging(item.workload.environment) { _, own in own }
          .merging(Self.facts(measured, group: result, cores: cores)) { _, own in own }
        row.environment[Measurement.statisticKey] = measurer.plan.statistic.rawValue
        try emit(item.index, row)
        report.measured += 1
        if !measured.profile.isEmpty { report.profiles[item.index] = (measured.profile, row) }
        report.repeats += measured.summary.repeats
        report.outlierRepeats += measured.summary.outlierRounds.count
        if !measured.warmUp.isSteady { report.unsteady += 1 }
      }
      if let drift = result.drift, abs(drift.change) >= abs(report.drift?.change ?? 0) { report.drift = drift }
      if let floor = result.noiseFloor { floors.append(floor) }
      report.wasStopped = report.wasStopped || result.wasStopped
    }
    report.wasStopped = report.wasStopped || (!waiting.isEmpty && measurer.shouldStop())
    report.noiseFloor = floors.max { $0.models < $1.models }
    report.seconds = measurer.clock.now() - start
    return report
  }

  /// The next models that fit together; those that cannot run at all are noted.
  private func nextGroup(
    _ waiting: inout ArraySlice<Int>, _ architectures: [Architecture], _ report: inout Report
  ) -> [(index: Int, workload: any RunnableWorkload)] {
    let available = MachineState(tree).availableMemoryBytes ?? .infinity
    let budget = memoryBudgetBytes ?? available / 2
    var group: [(index: Int, workload: any RunnableWorkload)] = []
    var bytes = 0.0
    while let index = waiting.first, group.count < groupLimit {
      do {
        let workload = try runtime.workload(architectures[index], settings: settings)
        let need = workload.memoryBytes
        guard need <= available else {
          throw BoardError.cannotRun(
            architecture: architectures[index].id,
            problem:
              "needs about \(Int(need / 1e6)) MB, and \(Int(available / 1e6)) MB are available;"
              + " measure with a smaller --batch-size or --sequence-length, or leave it out")
        }
        // One that is larger than the budget runs alone.
        if !group.isEmpty, bytes + need > budget { break }
        bytes += need
        group.append((index, workload))
      } catch {
        report.failures.append(
          (
            index,
            error as? BoardError ?? .cannotRun(architecture: architectures[index].id, problem: "\(error)")
          ))
      }
      waiting = waiting.dropFirst()
    }
    return group
  }

  private func row(_ architecture: Architecture, _ measured: WorkloadResult, began: Date) -> Measurement {
    let summary = measured.summary
    let batch = Double(settings.batchSize)
    let middle = Statistics.median(measured.repeats.map(\.atSeconds))
    var row = Measurement(
      architecture: architecture, device: device, runtime: runtime.name, batchSize: settings.batchSize,
      sequenceLength: settings.sequenceLength, precision: settings.precision, threads: settings.threads)
    let callSeconds =
      switch measurer.plan.statistic {
      case .median: summary.medianSeconds
      case .fastest: summary.fastestSeconds
      }
    row.latencySeconds = callSeconds / batch
    row.batchLatencySeconds = callSeconds
    row.latencyP95Seconds = summary.p95Seconds / batch
    row.spreadSeconds = summary.hasSpread ? summary.spreadSeconds / batch : nil
    row.measuredAt = ISO8601DateFormatter().string(from: began.addingTimeInterval(middle))
    if let meter = measurer.meter, let joules = summary.callJoules, joules > 0 {
      row.energyJoules = joules / batch
      row.peakPowerWatts = summary.peakWatts
      row.powerScope = meter.scope
      row.idleIncluded = meter.idleIncluded
      row.samplingIntervalSeconds = summary.samplingIntervalSeconds
      row.meter = meter.name
    }
    return row
  }

  /// What a row says of how it was measured.
  static func facts(_ measured: WorkloadResult, group: SeriesResult, cores: [Int]) -> [String: String] {
    let summary = measured.summary
    var facts = [
      "repeats": "\(summary.repeats)",
      "calls": "\(summary.calls)",
      "call_p99_s": "\(summary.p99Seconds)",
      "call_fastest_s": "\(summary.fastestSeconds)",
      "call_median_s": "\(summary.medianSeconds)",
      "disturbed_repeats": "\(summary.disturbedRepeats)",
      "outlier_repeats": "\(summary.outlierRounds.count)",
      "outlier_calls": "\(summary.outlierCalls)",
      "involuntary_switches": "\(summary.involuntarySwitches)",
      "warm_up_calls": "\(measured.warmUp.calls)",
      "warm_up_s": String(format: "%.3f", measured.warmUp.seconds),
      "steady": measured.warmUp.isSteady ? "yes" : "no",
    ]
    if !summary.outlierRounds.isEmpty {
      facts["outlier_rounds"] = summary.outlierRounds.map(String.init).joined(separator: " ")
    }
    if let pace = summary.fastestPaceSeconds { facts[Measurement.paceKey] = String(format: "%.4g", pace) }
    let paces = measured.repeats.compactMap(\.paceSeconds?.upperBound)
    if !paces.isEmpty { facts[Measurement.typicalPaceKey] = String(format: "%.4g", Statistics.median(paces)) }
    if !cores.isEmpty { facts["pinned_cores"] = cores.map(String.init).joined(separator: " ") }
    if let drift = group.drift {
      facts["drift"] = String(
        format: "%+.4f over %.0f s, Spearman %.2f, p %.2g", drift.change, drift.seconds, drift.spearman,
        drift.probability)
    }
    if let floor = group.noiseFloor {
      facts["noise_floor"] = String(format: "%.4f", floor.median)
      if floor.models >= Self.shiftModels {
        facts["shift"] = String(format: "%+.4f", floor.shift)
        facts["shift_error"] = String(format: "%.4f", floor.shiftError)
      }
    }
    return facts
  }
}
