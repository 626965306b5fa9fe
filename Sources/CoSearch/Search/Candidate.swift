import Accuracy
import Architectures
import Twins

/// An architecture on a device, with what is predicted of it.
public struct Candidate: Sendable, Hashable {
  public var point: DesignPoint
  /// Position of the device among the problem's.
  public var deviceIndex: Int
  public var device: String
  public var costs: CostEstimate
  public var accuracy: AccuracyEstimate
  public var parameters: Int
  public var assessment: Assessment
}

/// How a candidate does on a problem.
public struct Assessment: Sendable, Hashable {
  /// Medians, of all five objectives whether the problem names them or not.
  public var values: ObjectiveValues
  /// The problem's one number to minimise, where it has one.
  public var scalar: Double?
  public var isFeasible: Bool
  /// Budgets that do not hold with the problem's confidence.
  public var brokenBudgets: [Budget]
  /// How far beyond the budgets it is with the problem's confidence: Σ ln(use / limit) over those that do not hold, 0 where all hold,
  /// infinite where a use is not known. A shortfall of accuracy counts a tenth a point.
  public var violation: Double
  /// Probability that each budget holds, taken alone, by the intervals of the predictions; 0 or 1 for parameters and memory, which are known.
  public var probabilities: [Budget: Double]

  /// Bounds of the probability that all budgets hold, whatever ties the errors of the measures together (Fréchet); (1, 1) without budgets.
  public var jointProbability: (lower: Double, upper: Double) {
    // In a fixed order: sums of the same numbers in another are not the same to the last bit.
    let each = Budget.allCases.compactMap { probabilities[$0] }
    return (max(0, 1 - each.reduce(0) { $0 + 1 - $1 }), each.min() ?? 1)
  }
}
