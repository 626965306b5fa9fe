import Architectures
import CoSearch
import Foundation
import Twins

/// The best device for a given model, and the best model for a given device.
struct DeviceChoice: Sendable {
  /// One model on one device; ``prediction`` is nil where it does not fit.
  struct Place: Sendable {
    var device: Int
    var prediction: Prediction?
    var assessment: Assessment?
  }

  /// A model on every device of a problem: those that keep all budgets first, then by the scalar where there is one, else by latency.
  static func places(of architecture: Architecture, _ setup: SearchSetup) -> [Place] {
    let places = setup.twins.indices.map { index -> Place in
      let twin = setup.twins[index]
      guard let prediction = try? twin.predict(architecture, level: setup.evaluator.accuracyLevel) else {
        return Place(device: index)
      }
      let assessment = setup.evaluator.assess(
        architecture, device: index,
        costs: twin.costs(of: twin.features(of: architecture), level: setup.evaluator.accuracyLevel),
        memoryBytes: prediction.memoryBytes)
      return Place(device: index, prediction: prediction, assessment: assessment)
    }
    func key(_ place: Place) -> (Int, Double) {
      guard let assessment = place.assessment else { return (2, .infinity) }
      return (assessment.isFeasible ? 0 : 1, assessment.scalar ?? assessment.values.latencySeconds ?? .infinity)
    }
    return places.sorted { key($0) < key($1) }
  }

  static func text(of architecture: Architecture, _ setup: SearchSetup) -> String {
    var table = TextTable([
      .init("device"), .init("latency"), .init("energy"), .init("peak power"), .init("power of the"), .init("budgets"),
    ])
    let places = places(of: architecture, setup)
    for place in places {
      let twin = setup.twins[place.device]
      guard let prediction = place.prediction, let assessment = place.assessment else {
        table.add([twin.device.id, "", "", "", "", "does not fit"])
        continue
      }
      table.add([
        twin.device.id, PredictionTable.interval(prediction.costs.latencySeconds, "s"),
        PredictionTable.interval(prediction.costs.energyJoules, "J"),
        PredictionTable.interval(prediction.costs.peakPowerWatts, "W"), prediction.powerScope.rawValue,
        assessment.isFeasible ? "kept" : "breaks \(assessment.brokenBudgets.map(\.rawValue).joined(separator: ", "))",
      ])
    }
    let order = setup.problem.scalar == nil ? "latency" : "the scalar"
    return "The best device for \(architecture.id): those that keep the budgets first, by \(order)\n" + table.text
  }

  static func records(of architecture: Architecture, _ setup: SearchSetup) -> [Record] {
    places(of: architecture, setup).map { place in
      let twin = setup.twins[place.device]
      var record = Record()
      record.add("architecture_id", .text(architecture.id))
      record.add("device", .text(setup.problem.devices[place.device]))
      record.add("latency_s", place.prediction.map { PredictionRecord.estimate($0.costs.latencySeconds) } ?? .null)
      record.add("energy_j", place.prediction.map { PredictionRecord.estimate($0.costs.energyJoules) } ?? .null)
      record.add("peak_power_w", place.prediction.map { PredictionRecord.estimate($0.costs.peakPowerWatts) } ?? .null)
      record.add("power_scope", .text(twin.device.power.scope.rawValue))
      record.add("feasible", FieldValue(place.assessment?.isFeasible))
      record.add("broken_budgets", FieldValue(place.assessment?.brokenBudgets.map(\.rawValue) ?? []))
      record.add("scalar", FieldValue(place.assessment?.scalar))
      return record
    }
  }

  /// The most accurate model within the budgets on each device, each by a search of its own.
  static func bestModels(
    _ setup: SearchSetup, devices: [Int], seed: UInt64, threads: Int
  ) async throws -> [(device: Int, setup: SearchSetup, candidate: Candidate?)] {
    var results: [(device: Int, setup: SearchSetup, candidate: Candidate?)] = []
    for device in devices {
      let own = try setup.asking(setup.problem, devices: [device])
      let result = try await Explorer(own.evaluator).explore(
        .evaluations(BudgetPrices.evaluations), seed: seed, threads: threads)
      let best =
        result.bestByScalar
        ?? result.front.max { $0.assessment.values.accuracy ?? 0 < $1.assessment.values.accuracy ?? 0 }
      results.append((device, own, best))
    }
    return results
  }
}
