import Foundation

/// An outcome as samplers compute with it: all lanes to be minimised.
struct Trial: Sendable {
  var proposal: Proposal
  /// What is minimised. For a front by objective: accuracy negated, costs by their logarithm; for a scalar that alone. Zero in unused
  /// lanes, NaN where it failed.
  var coordinates: SIMD8<Double>
  /// The domain's scalar, where the goal is one.
  var scalar: Double
  /// 0 where it is feasible, infinite where it failed.
  var violation: Double
  /// Accuracy, latency, energy, peak power, parameters as coordinates, whether objectives or not; NaN where not known.
  var quantities: SIMD8<Double>

  var isFeasible: Bool { violation == 0 }
  var isFailed: Bool { violation == .infinity }
}

extension SearchDomain {
  /// - Throws: ``SamplerError/foreignProposal``.
  func trial(_ outcome: Outcome) throws(SamplerError) -> Trial {
    guard contains(outcome.proposal) else { throw .foreignProposal }
    var trial = Trial(
      proposal: outcome.proposal, coordinates: SIMD8(repeating: .nan), scalar: .nan, violation: .infinity,
      quantities: SIMD8(repeating: .nan))
    guard let values = outcome.values else { return trial }
    for objective in Objective.allCases {
      guard let value = values[objective] else { continue }
      trial.quantities[objective.lane] = ObjectiveBox.coordinate(objective, value)
    }
    let scalar = outcome.scalar ?? scalarisation?.value(values) ?? .nan
    let coordinates = coordinates(trial.quantities, scalar: scalar)
    // A value that is missing or NaN says nothing: as good as failed.
    guard (coordinates - coordinates) == SIMD8(repeating: 0) else { return trial }
    trial.coordinates = coordinates
    trial.scalar = scalar
    trial.violation = outcome.isFeasible ? 0 : max(outcome.violation ?? excess(values), Self.leastViolation)
    return trial
  }

  /// Lanes of ``Trial/coordinates`` that are used.
  var dimension: Int { goal == .scalar ? 1 : objectives.count }

  /// ``Trial/coordinates`` from ``Trial/quantities``.
  func coordinates(_ quantities: SIMD8<Double>, scalar: Double) -> SIMD8<Double> {
    var coordinates = SIMD8<Double>(repeating: 0)
    if goal == .scalar {
      coordinates[0] = scalar
    } else {
      for (lane, objective) in objectives.enumerated() { coordinates[lane] = quantities[objective.lane] }
    }
    return coordinates
  }

  /// Violation of a trial that is not feasible though its medians are within the budgets.
  private static let leastViolation = 1e-3

  /// Σ ln(median / limit) over the budgets that the medians break, as ``Assessment/violation`` has it at a confidence of 0.5.
  private func excess(_ values: ObjectiveValues) -> Double {
    var sum = 0.0
    for objective in Objective.allCases {
      guard let limit = budgets[objective], let value = values[objective] else { continue }
      sum += max(0, objective == .accuracy ? (limit - value) / 10 : log(value / limit))
    }
    return sum
  }
}

/// Trials that samplers learn from, in the order of telling.
struct TrialHistory: Sendable {
  let domain: SearchDomain
  private(set) var trials: [Trial] = []
  private(set) var seen: SeenProposals

  init(_ domain: SearchDomain) {
    self.domain = domain
    seen = SeenProposals()
  }

  init(_ domain: SearchDomain, pending: [Proposal], history: [Outcome]) throws(SamplerError) {
    self.domain = domain
    seen = SeenProposals(pending: pending, history: history)
    for outcome in history { trials.append(try domain.trial(outcome)) }
  }

  @discardableResult mutating func tell(_ outcome: Outcome) throws(SamplerError) -> Trial {
    let trial = try domain.trial(outcome)
    seen.tell(outcome.proposal)
    trials.append(trial)
    return trial
  }

  mutating func ask(_ proposal: Proposal) { seen.ask(proposal) }

  /// Whether to propose it would repeat something.
  func isNew(_ proposal: Proposal) -> Bool { !seen.contains(proposal) }
}
