import Foundation
import Numerics
import Twins

/// A problem's objectives and budgets, ready to be applied to what is predicted of a candidate.
///
/// It needs no design space, so that architectures outside of any are judged alike.
public struct Judge: Sendable {
  /// Quantities of a candidate in lanes: accuracy, latency, energy, peak power, parameters, memory (twice: for the budget and for the
  /// device's own limit).
  typealias Quantities = SIMD8<Double>

  let objectives: [Objective]
  private let scalarisation: Scalarisation?
  private let budgets: [(budget: Budget, limit: Double)]
  private let confidence: Double
  private let quantile: Double

  public init(_ problem: Problem) {
    objectives = problem.objectives
    scalarisation = problem.scalar
    budgets = Budget.allCases.compactMap { budget in problem.budgets[budget].map { (budget, $0) } }
    confidence = problem.confidence
    quantile = Distributions.normalQuantile(problem.confidence)
  }

  /// Level of the central interval of accuracy whose lower bound is exceeded with the problem's confidence: what `min_accuracy` is
  /// compared with. 0, the median, at a confidence of 0.5.
  public var accuracyLevel: Double { 2 * confidence - 1 }

  var limitsMemory: Bool { budgets.contains { $0.budget == .memory } }
  var needsAccuracyBound: Bool { confidence > 0.5 && budgets.contains { $0.budget == .accuracy } }
  var hasScalar: Bool { scalarisation != nil }

  /// - Parameters:
  ///   - intervalLevel: probability of the intervals of `costs`.
  ///   - accuracy: the median.
  ///   - accuracyBound: lower bound of the interval at ``accuracyLevel``.
  ///   - accuracyProbability: probability of reaching the least accuracy that the problem asks for.
  ///   - memoryBytes: nil where it is not known; a memory budget then does not hold.
  ///   - memoryLimitBytes: of a device that cannot page.
  public func assess(
    costs: CostEstimate, intervalLevel: Double, accuracy: Double, accuracyBound: Double,
    accuracyProbability: (Double) -> Double, parameters: Int, memoryBytes: Double?, memoryLimitBytes: Double?
  ) -> Assessment {
    let memory = memoryBytes ?? (limitsMemory || memoryLimitBytes != nil ? .infinity : 0)
    let quantities = Self.quantities(costs, accuracy, parameters, memory)
    var broken: [Budget] = []
    var violation = 0.0
    forEachRatio(
      quantities, costs, scale(intervalLevel), accuracyBound: accuracyBound, memoryLimitBytes: memoryLimitBytes
    ) { budget, ratio in
      if !(ratio <= 1) {
        broken.append(budget)
        violation += ratio.isFinite ? log(ratio) : .infinity
      }
    }
    let values = Self.values(quantities)
    var probabilities: [Budget: Double] = [:]
    for (budget, limit) in budgets {
      probabilities[budget] =
        switch budget {
        case .accuracy: accuracyProbability(limit)
        case .latency: Self.probability(costs.latencySeconds, atMost: limit, level: intervalLevel)
        case .energy: Self.probability(costs.energyJoules, atMost: limit, level: intervalLevel)
        case .power: Self.probability(costs.peakPowerWatts, atMost: limit, level: intervalLevel)
        case .parameters, .memory, .deviceMemory: quantities[budget.lane] <= limit ? 1 : 0
        }
    }
    if let memoryLimitBytes { probabilities[.deviceMemory] = memory <= memoryLimitBytes ? 1 : 0 }
    return Assessment(
      values: values, scalar: scalarisation?.value(values), isFeasible: broken.isEmpty, brokenBudgets: broken,
      violation: violation, probabilities: probabilities)
  }

  @inline(__always)
  static func quantities(
    _ costs: CostEstimate, _ accuracy: Double, _ parameters: Int, _ memory: Double
  ) -> Quantities {
    Quantities(
      accuracy, costs.latencySeconds.median, costs.energyJoules.median, costs.peakPowerWatts.median,
      Double(parameters), memory, memory, 0)
  }

  static func values(_ quantities: Quantities) -> ObjectiveValues {
    var values = ObjectiveValues()
    for objective in Objective.allCases { values[objective] = quantities[objective.lane] }
    return values
  }

  func scalar(_ quantities: Quantities) -> Double? { scalarisation?.value(Self.values(quantities)) }

  /// How far into the half of an interval of this level the confidence reaches, on a logarithmic scale.
  func scale(_ intervalLevel: Double) -> Double {
    if quantile == 0 { return 0 }
    let edge = Distributions.normalQuantile((1 + intervalLevel) / 2)
    return edge > 0 ? quantile / edge : .infinity
  }

  /// Each budget with the ratio of what it bounds to its limit, above 1 where it does not hold. Points of accuracy are turned into a
  /// ratio by e^(shortfall / 10).
  @inline(__always)
  func forEachRatio(
    _ quantities: Quantities, _ costs: CostEstimate, _ scale: Double, accuracyBound: Double,
    memoryLimitBytes: Double?, _ body: (Budget, Double) -> Void
  ) {
    for (budget, limit) in budgets {
      let value =
        switch budget {
        case .accuracy: accuracyBound
        case .latency: Self.upper(costs.latencySeconds, scale)
        case .energy: Self.upper(costs.energyJoules, scale)
        case .power: Self.upper(costs.peakPowerWatts, scale)
        case .parameters, .memory, .deviceMemory: quantities[budget.lane]
        }
      body(budget, budget == .accuracy ? exp((limit - value) / 10) : value / limit)
    }
    if let memoryLimitBytes { body(.deviceMemory, quantities[Budget.deviceMemory.lane] / memoryLimitBytes) }
  }

  /// That of an estimate whose logarithm is normal on either side of the median, as wide as its interval of this level says.
  static func probability(_ estimate: Estimate, atMost limit: Double, level: Double) -> Double {
    let edge = estimate.median <= limit ? estimate.upper : estimate.lower
    let distance = log(limit / estimate.median)
    let half = abs(log(edge / estimate.median)) / Distributions.normalQuantile((1 + level) / 2)
    guard half > 0, half.isFinite else { return distance >= 0 ? 1 : 0 }
    return Distributions.normalCDF(distance / half)
  }

  /// The quantile of an estimate whose logarithm is normal above the median.
  @inline(__always) private static func upper(_ estimate: Estimate, _ scale: Double) -> Double {
    if scale == 0 { return estimate.median }
    return estimate.median * exp(scale * log(estimate.upper / estimate.median))
  }
}
