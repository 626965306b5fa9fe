/// What came of a trial, as a sampler is told it.
public struct Outcome: Sendable, Hashable, Codable {
  public var proposal: Proposal
  /// What is known, in the units of ``Objective``; nil where the trial failed.
  public var values: ObjectiveValues?
  /// The problem's one number, where it has one.
  public var scalar: Double?
  public var isFeasible: Bool
  /// Σ ln(use / limit) over the budgets that do not hold, 0 where it is feasible (``Assessment/violation``); nil where it is not known.
  public var violation: Double?

  public init(
    proposal: Proposal, values: ObjectiveValues?, scalar: Double?, isFeasible: Bool, violation: Double? = nil
  ) {
    self.proposal = proposal
    self.values = values
    self.scalar = scalar
    self.isFeasible = isFeasible
    self.violation = violation
  }

  public init(proposal: Proposal, assessment: Assessment) {
    self.init(
      proposal: proposal, values: assessment.values, scalar: assessment.scalar, isFeasible: assessment.isFeasible,
      violation: assessment.violation.isFinite ? assessment.violation : nil)
  }

  /// A trial that gave nothing.
  public static func failed(_ proposal: Proposal) -> Outcome {
    Outcome(proposal: proposal, values: nil, scalar: nil, isFeasible: false)
  }

  public var isFailed: Bool { values == nil }
}
