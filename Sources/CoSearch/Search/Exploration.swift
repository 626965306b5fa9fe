import Architectures
import Numerics
import Twins

/// What a search found.
public struct Exploration: Sendable {
  /// Candidates that no other dominates, the best of the first objective first. Empty where nothing is feasible.
  public let front: [Candidate]
  /// The best by the problem's scalar, where it has one; it need not be in the front, whose objectives may be others.
  public let bestByScalar: Candidate?
  /// Candidates evaluated.
  public let evaluations: Int
  public let seconds: Double
  /// True where the task was cancelled before the search had what it was granted.
  public let wasCancelled: Bool
  /// The box of ``hypervolume``; the same for every search of the problem.
  public let box: ObjectiveBox
  /// Share of ``box`` that ``front`` dominates; exact.
  public let hypervolume: Double
  /// How the front grew.
  public let trace: [TracePoint]
  /// Why nothing is feasible; nil where something is.
  public let infeasibility: Infeasibility?
  /// Power scopes of the devices in the front: energies and powers of different scopes do not compare.
  public let powerScopes: [PowerScope]

  /// The front at one moment.
  public struct TracePoint: Sendable, Hashable {
    public var evaluations: Int
    public var seconds: Double
    public var frontCount: Int
    /// Share of the box, exact up to three objectives; from four on estimated on 65 536 quasi-random points.
    public var hypervolume: Double
  }

  /// A moment of a running search.
  public struct Progress: Sendable {
    public var evaluations: Int
    public var seconds: Double
    public var frontCount: Int
    public var feasibleCount: Int
  }
}

/// Which budgets keep a problem from having an answer.
public struct Infeasibility: Sendable, CustomStringConvertible {
  public struct BudgetReport: Sendable {
    public var budget: Budget
    public var limit: Double
    /// The best that was found for this budget alone, with the problem's confidence, in the budget's unit.
    public var attainable: Double
    /// Who attained it.
    public var candidate: Candidate
    /// Whether this budget alone can be kept.
    public var isAttainable: Bool
  }

  /// Tightest first: the largest ratio of the attainable value to the limit.
  public var budgets: [BudgetReport]
  /// The candidate that misses the budgets by least, in all; nil where none could be evaluated.
  public var closest: Candidate?

  public var description: String {
    var lines: [String] = []
    if let tightest = budgets.first {
      for report in budgets where !report.isAttainable {
        lines.append(
          "\(report.budget.rawValue): \(Self.short(report.limit)) cannot be met; the best found is "
            + "\(Self.short(report.attainable)) on \(report.candidate.device)")
      }
      if lines.isEmpty {
        lines.append(
          "each budget can be met alone, not all together; the tightest is \(tightest.budget.rawValue): "
            + "\(Self.short(tightest.limit)), with \(Self.short(tightest.attainable)) the best found")
      }
    }
    if let closest {
      let broken = closest.assessment.brokenBudgets.map(\.rawValue).joined(separator: ", ")
      lines.append("the closest candidate is on \(closest.device) and breaks \(broken)")
    }
    return lines.isEmpty ? "no candidate could be evaluated" : lines.joined(separator: "; ")
  }

  private static func short(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return "\(value)" }
    let digits = 3 - Int(Elementary.log(abs(value)) / Elementary.log(10).rounded(.down))
    var scale = 1.0
    for _ in 0..<min(max(digits, 0), 12) { scale *= 10 }
    return "\((value * scale).rounded() / scale)"
  }
}
