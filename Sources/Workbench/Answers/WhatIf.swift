import Architectures
import CoSearch
import Foundation
import Twins

/// What a choice becomes where its device changes: the same model's costs, and the best model then.
struct WhatIf: Sendable {
  struct Change: Sendable {
    /// As people write it, such as `memory.bandwidth=2x`.
    var name: String
    /// Costs of the same model; nil where it no longer fits.
    var costs: CostEstimate?
    /// The most accurate within the budgets on the changed device; nil where nothing is.
    var best: Candidate?
    var bestID: String?
  }

  let device: String
  let confidence: Double
  let before: CostEstimate?
  let changes: [Change]

  /// How the device as it is is called.
  static let unchanged = "as it is"
  static let standard = ["memory.bandwidth=2x", "memory.bandwidth=0.5x", "clock=1.5x", "memory.capacity=0.5x"]

  /// - Parameter overrides: changes, one at a time; those that a device gives no fact for are left out.
  init(
    _ architecture: Architecture, device: Int, _ setup: SearchSetup, overrides: [String] = WhatIf.standard,
    seed: UInt64,
    threads: Int
  ) async throws {
    self.device = setup.problem.devices[device]
    confidence = setup.problem.confidence
    before = try? setup.twins[device].predict(architecture, level: setup.evaluator.accuracyLevel).costs
    // What the best is now, found in the same way.
    let now = try await DeviceChoice.bestModels(setup, devices: [device], seed: seed, threads: threads).first?.candidate
    var changes = [
      Change(
        name: Self.unchanged, costs: before, best: now,
        bestID: now.map { setup.space.architecture(of: $0.point).id })
    ]
    for name in overrides {
      guard let changed = try? setup.changing(device: device, by: [Override(parsing: name)]) else { continue }
      let found = try await DeviceChoice.bestModels(changed, devices: [0], seed: seed, threads: threads).first
      let best = found?.candidate
      changes.append(
        Change(
          name: name,
          costs: try? changed.twins[0].predict(architecture, level: setup.evaluator.accuracyLevel).costs, best: best,
          bestID: best.map { changed.space.architecture(of: $0.point).id }))
    }
    self.changes = changes
  }

  var text: String {
    guard changes.count > 1, let before else { return "" }
    var table = TextTable([
      .init("change"), .init("latency"), .init("energy"), .init("latency against now", right: true),
      .init("best model then"), .init("accuracy", right: true),
    ])
    for change in changes {
      let ratio = change.costs.map { $0.latencySeconds.median / before.latencySeconds.median }
      table.add([
        change.name, change.costs.map { PredictionTable.interval($0.latencySeconds, "s") } ?? "does not fit",
        change.costs.map { PredictionTable.interval($0.energyJoules, "J") } ?? "",
        ratio.map { "× \(Humane.digits($0))" } ?? "", change.bestID ?? "none within the budgets",
        change.best.map { Humane.digits($0.accuracy.median) } ?? "",
      ])
    }
    // A faster device may seem to be worth less: its intervals are wider, and budgets are kept by their far ends.
    let note =
      confidence > 0.5
      ? "budgets are kept with a probability of \(confidence), and what was not measured has wider intervals: they leave less\n"
      : ""
    return "If \(device) changes (by physics, outside of what was measured): the same model, and the best one then\n"
      + table.text + note
  }

  var records: [Record] {
    changes.map { change in
      var record = Record()
      record.add("device", .text(device))
      record.add("change", .text(change.name))
      record.add("latency_s", change.costs.map { PredictionRecord.estimate($0.latencySeconds) } ?? .null)
      record.add("energy_j", change.costs.map { PredictionRecord.estimate($0.energyJoules) } ?? .null)
      record.add("best_architecture_id", FieldValue(change.bestID))
      record.add("best_accuracy", FieldValue(change.best?.accuracy.median))
      return record
    }
  }
}
