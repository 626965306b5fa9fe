import Foundation
import Numerics

/// Processes fitted on trials, with what turns their predictions into a proposal's coordinates.
struct ProposalSurrogate: Sendable {
  struct Prediction: Sendable {
    var proposal: Proposal
    var coordinates: SIMD8<Double>
    var deviations: SIMD8<Double>
    /// Predicted excess over the budgets, and its deviation.
    var slack: Double
    var slackDeviation: Double
    var score = 0.0
  }

  /// Targets that share a process.
  struct Group: Sendable {
    /// Positions of the targets: those of ``lanes``, then the slack where there is one.
    var targets: [Int]
    /// Whether they differ from device to device; else a process sees all as one.
    var dependsOnDevice: Bool

    func device(_ device: Int) -> Int { dependsOnDevice ? device : 0 }
  }

  let features: ProposalFeatures
  let scale: Standardisation
  let processes: [GaussianProcess]
  let groups: [Group]
  let lanes: [Int]
  let modelsQuantities: Bool
  let hasSlack: Bool

  /// - Parameter withDeviations: without, they are 0, and it takes a fraction of the time.
  func prediction(_ proposal: Proposal, _ domain: SearchDomain, withDeviations: Bool) -> Prediction {
    let row = scale(Array(features.row(proposal).prefix(features.modelDimension)))
    let count = lanes.count + (hasSlack ? 1 : 0)
    var means = [Double](repeating: 0, count: count)
    var deviations = [Double](repeating: 0, count: count)
    for (process, group) in zip(processes, groups) {
      let device = group.device(proposal.device)
      if withDeviations {
        let own = process.predict(row, device: device)
        for (position, target) in group.targets.enumerated() {
          means[target] = own.means[position]
          deviations[target] = own.deviations[position]
        }
      } else {
        for (target, mean) in zip(group.targets, process.means(row, device: device)) { means[target] = mean }
      }
    }
    var coordinates = SIMD8<Double>(repeating: 0)
    var spread = SIMD8<Double>(repeating: 0)
    if modelsQuantities {
      var quantities = SIMD8<Double>(repeating: 0)
      var quantitySpread = SIMD8<Double>(repeating: 0)
      for (position, lane) in lanes.enumerated() {
        quantities[lane] = means[position]
        quantitySpread[lane] = deviations[position]
      }
      if domain.goal == .scalar {
        (coordinates[0], spread[0]) = Self.scalar(quantities, quantitySpread, domain)
      } else {
        for (lane, objective) in domain.objectives.enumerated() {
          coordinates[lane] = quantities[objective.lane]
          spread[lane] = quantitySpread[objective.lane]
        }
      }
    } else {
      for lane in 0..<domain.dimension {
        coordinates[lane] = means[lane]
        spread[lane] = deviations[lane]
      }
    }
    return Prediction(
      proposal: proposal, coordinates: coordinates, deviations: spread, slack: hasSlack ? means.last ?? -1 : -1,
      slackDeviation: hasSlack ? deviations.last ?? 0 : 0)
  }

  /// The scalar of predicted quantities, and its deviation to first order.
  private static func scalar(
    _ quantities: SIMD8<Double>, _ spread: SIMD8<Double>, _ domain: SearchDomain
  ) -> (Double, Double) {
    guard let scalarisation = domain.scalarisation else { return (.infinity, 0) }
    var values = ObjectiveValues()
    var variance = 0.0
    for objective in Objective.allCases {
      guard let weight = scalarisation.weights[objective], weight != 0 else { continue }
      let value = ObjectiveBox.value(objective, coordinate: quantities[objective.lane])
      values[objective] = value
      let slope = weight / (scalarisation.scales[objective] ?? 1) * (objective == .accuracy ? 1 : value)
      variance += slope * slope * spread[objective.lane] * spread[objective.lane]
    }
    return (scalarisation.value(values), variance.squareRoot())
  }
}
