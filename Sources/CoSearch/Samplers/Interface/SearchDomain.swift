import Architectures

/// All that a black-box sampler knows of a problem: what may be asked, and what is wanted.
public struct SearchDomain: Sendable, Hashable {
  /// What a sampler works towards.
  public enum Goal: Sendable, Hashable {
    /// A front of all objectives.
    case front
    /// The least value of the problem's scalar.
    case scalar
  }

  public let space: DesignSpace
  public let deviceCount: Int
  public let objectives: [Objective]
  public let budgets: Budgets
  public let scalarisation: Scalarisation?
  /// The worst values that count; nil where the problem does not say.
  public let referencePoint: ObjectiveValues
  public let goal: Goal

  /// - Parameters:
  ///   - space: the one that the problem names.
  ///   - goal: nil takes the scalar where the problem has one.
  public init(_ problem: Problem, space: DesignSpace, goal: Goal? = nil) {
    self.space = space
    deviceCount = max(problem.devices.count, 1)
    objectives = problem.objectives
    budgets = problem.budgets
    scalarisation = problem.scalar
    referencePoint = problem.referencePoint
    self.goal = problem.scalar == nil ? .front : goal ?? .scalar
  }

  /// True where a proposal is of the space and the devices.
  public func contains(_ proposal: Proposal) -> Bool {
    guard (0..<deviceCount).contains(proposal.device), space.layerCounts.contains(proposal.point.layerCount) else {
      return false
    }
    return proposal.point.layers.allSatisfy {
      $0.hidden < space.hiddenSizes.count && $0.feedForward < space.feedForwardStackCount
        && $0.heads < space.headCombinationCount
    }
  }
}
