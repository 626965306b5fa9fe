import Accuracy
import CoSearch
import Foundation
import Numerics
import Twins

/// A quantity that is known by a median and a central interval: normal on either side of the median, costs by their logarithm, so that
/// the interval's two bounds are met.
struct Uncertain: Sendable, Hashable {
  private let centre: Double
  private let below: Double
  private let above: Double
  private let isLogarithmic: Bool

  /// A cost of a twin.
  init(_ estimate: Estimate, level: Double) {
    let edge = Distributions.normalQuantile((1 + level) / 2)
    isLogarithmic = true
    centre = log(estimate.median)
    below = max(log(estimate.median / estimate.lower) / edge, 0)
    above = max(log(estimate.upper / estimate.median) / edge, 0)
  }

  /// A predicted score.
  init(_ estimate: AccuracyEstimate, level: Double) {
    let edge = Distributions.normalQuantile((1 + level) / 2)
    isLogarithmic = false
    centre = estimate.median
    below = max((estimate.median - estimate.lower) / edge, 0)
    above = max((estimate.upper - estimate.median) / edge, 0)
  }

  /// A quantity that is known.
  init(exactly value: Double) {
    isLogarithmic = false
    centre = value
    below = 0
    above = 0
  }

  private func scaled(_ value: Double) -> Double { isLogarithmic ? log(max(value, 1e-300)) : value }

  /// Probability of being at most `value`.
  func probability(atMost value: Double) -> Double {
    let distance = scaled(value) - centre
    let width = distance < 0 ? below : above
    if width == 0 { return distance < 0 ? 0 : 1 }
    return Distributions.normalCDF(distance / width)
  }

  func quantile(_ probability: Double) -> Double {
    let normal = Distributions.normalQuantile(probability)
    let value = centre + normal * (normal < 0 ? below : above)
    return isLogarithmic ? exp(value) : value
  }

  /// Probability of being less than `other`, were the two independent; equals share.
  func probability(lessThan other: Uncertain) -> Double {
    let count = 400
    let less = (0..<count).reduce(0.0) { sum, step in
      let value = other.quantile((Double(step) + 0.5) / Double(count))
      let (atMost, width) = (probability(atMost: value), below + above)
      // Two known values that are equal beat each other half the time.
      return sum + (width == 0 && scaled(value) == centre ? 0.5 : atMost)
    }
    return less / Double(count)
  }
}

/// How sure a choice is: how probably one finalist beats another, and keeps its budgets.
///
/// The errors of two predictions are taken as independent. On one device they are partly the same, and then the truth is farther from a
/// half than what is said here.
struct Chances: Sendable {
  let candidate: Candidate
  private let levels: (costs: Double, accuracy: Double)

  init(_ candidate: Candidate, evaluator: CandidateEvaluator) {
    self.candidate = candidate
    levels = (evaluator.devices[candidate.deviceIndex].intervalLevel, evaluator.accuracyLevel)
  }

  func value(_ objective: Objective) -> Uncertain {
    switch objective {
    case .accuracy: Uncertain(candidate.accuracy, level: levels.accuracy)
    case .latency: Uncertain(candidate.costs.latencySeconds, level: levels.costs)
    case .energy: Uncertain(candidate.costs.energyJoules, level: levels.costs)
    case .peakPower: Uncertain(candidate.costs.peakPowerWatts, level: levels.costs)
    case .parameters: Uncertain(exactly: Double(candidate.parameters))
    }
  }

  /// Probability that this one is better in an objective.
  func beats(_ other: Chances, in objective: Objective) -> Double {
    let less = value(objective).probability(lessThan: other.value(objective))
    return objective.direction == .maximize ? 1 - less : less
  }

  /// Probability of keeping a limit on an objective.
  func keeps(_ limit: Double, in objective: Objective) -> Double {
    let atMost = value(objective).probability(atMost: limit)
    return objective.direction == .maximize ? 1 - atMost : atMost
  }

  /// Of keeping all budgets on objectives: at least what is left when the chances of breaking each add up (Bonferroni), whatever the
  /// errors have in common. Nil where there is no such budget.
  func keepsAll(_ budgets: Budgets) -> (least: Double, each: [(objective: Objective, probability: Double)])? {
    let each = Objective.allCases.compactMap { objective in
      budgets[objective].map { (objective: objective, probability: keeps($0, in: objective)) }
    }
    guard !each.isEmpty else { return nil }
    return (max(1 - each.reduce(0) { $0 + 1 - $1.probability }, 0), each)
  }
}
