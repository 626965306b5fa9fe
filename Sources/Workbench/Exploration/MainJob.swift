import Accuracy
import Architectures
import CoSearch
import Foundation
import Studies
import Twins

/// The main job: what every device can do within the budgets, and the best pairs of model and device by latency.
///
/// Devices are searched one by one: together, the fastest would hide what the others can do.
public struct MainJob: Sendable {
  /// What one device can do.
  public struct DeviceResult: Sendable {
    public var setup: SearchSetup
    public var exploration: Exploration
    public var twin: Twin { setup.twins[0] }
  }

  /// A pair that answers a latency budget: of the most accurate of one power scope, and those that the predictor's leave-one-out
  /// error does not tell from it, the one of least energy. Energies of different scopes do not compare.
  public struct Pick: Sendable {
    public var latencyBudgetSeconds: Double
    public var scope: PowerScope
    public var device: Int
    public var candidate: Candidate
    /// Accuracy of the most accurate that it stands for.
    public var bestAccuracy: Double
  }

  public let results: [DeviceResult]
  /// Latency budgets, rising.
  public let budgets: [Double]
  public let wasCancelled: Bool

  public static let standardBudgets = [0.01, 0.1, 1, 10]

  /// - Parameters:
  ///   - setups: one a device, each with a problem of this device alone.
  ///   - latencyBudgets: seconds; those above a problem's own latency budget are cut to it.
  ///   - secondsEach: time for each device.
  ///   - study: keeps each device's search, and goes on with it; its devices are those of the setups, in order, and its seed counts.
  ///   - progress: called with the device's position before each search.
  /// - Throws: what `Explorer.explore` and the study throw.
  public static func run(
    _ setups: [SearchSetup], latencyBudgets: [Double], extentEach: Explorer.Extent, seed: UInt64, threads: Int,
    study: Study? = nil, progress: @Sendable (Int) -> Void
  ) async throws -> MainJob {
    var results: [DeviceResult] = []
    for (index, setup) in setups.enumerated() where !Task.isCancelled {
      progress(index)
      let exploration =
        if let study {
          try await StudySearch(study, setup, part: "run/\(setup.problem.devices[0])", devices: [index])
            .explore(extentEach, threads: threads, finalists: 8)
        } else {
          try await Explorer(setup.evaluator).explore(extentEach, seed: seed, threads: threads)
        }
      results.append(DeviceResult(setup: setup, exploration: exploration))
    }
    let limit = setups.compactMap(\.problem.budgets.maxLatencySeconds).min() ?? .infinity
    let budgets = Set(latencyBudgets.map { min($0, limit) }).sorted()
    let job = MainJob(results: results, budgets: budgets, wasCancelled: Task.isCancelled)
    if let study, !job.wasCancelled {
      let picks = job.records.enumerated().map {
        StudyDocument(
          kind: .finalist, name: "run", part: $0, schema: StudySearch.finalistSchema, json: $1.json)
      }
      if try study.documents(.finalist, name: "run") != picks { try study.keep(picks, replacing: (.finalist, "run")) }
    }
    return job
  }

  /// The most accurate member of a device's front within a latency.
  public func best(device: Int, within seconds: Double) -> Candidate? {
    results[device].exploration.front.filter { $0.costs.latencySeconds.median <= seconds }
      .max { $0.accuracy.median < $1.accuracy.median }
  }

  /// One for each budget and power scope that any device can keep.
  public var picks: [Pick] {
    let all = results.indices.flatMap { device in results[device].exploration.front.map { (device, $0) } }
    guard let error = results.first?.setup.predictor.leaveOneOutError else { return [] }
    var picks: [Pick] = []
    for budget in budgets {
      for scope in PowerScope.allCases {
        let within = all.filter { device, candidate in
          results[device].twin.device.power.scope == scope && candidate.costs.latencySeconds.median <= budget
        }
        guard let best = within.map(\.1.accuracy.median).max() else { continue }
        let alike = within.filter { $0.1.accuracy.median >= best - error }
        if let frugal = alike.min(by: { $0.1.costs.energyJoules.median < $1.1.costs.energyJoules.median }) {
          picks.append(
            Pick(
              latencyBudgetSeconds: budget, scope: scope, device: frugal.0, candidate: frugal.1, bestAccuracy: best))
        }
      }
    }
    return picks
  }

  /// The pair to look at more closely: of the middle budget that is answered, that of the widest power scope.
  public var winner: Pick? {
    let picks = picks
    let answered = budgets.filter { budget in picks.contains { $0.latencyBudgetSeconds == budget } }
    guard !answered.isEmpty else { return nil }
    return picks.first { $0.latencyBudgetSeconds == answered[answered.count / 2] }
  }

  /// The picks as rows: predictions with `budget_latency_s` and the `best_accuracy` within it.
  public var records: [Record] {
    picks.compactMap { pick in
      guard var record = results[pick.device].setup.record(pick.candidate, isFinalist: true) else { return nil }
      record.fields.insert(
        contentsOf: [
          Record.Field(name: "budget_latency_s", value: .number(pick.latencyBudgetSeconds)),
          Record.Field(name: "best_accuracy", value: .number(pick.bestAccuracy)),
        ], at: 0)
      return record
    }
  }
}
