import Foundation

/// Bounds a problem's scalar from below over all models and devices.
///
/// The accuracy is cut into slices. In a slice no model gains more than the upper end gives, and none costs less than the least cost of
/// all models that reach the lower end (``CostBound``); peak power counts with what no prediction is below. The slice of the least bound is
/// cut again until the bound is near the best that is known.
public struct ScalarBound: Sendable {
  public struct Certificate: Sendable {
    /// No pair of the problem has a lower scalar, whatever its budgets.
    public var lowerBound: Double
    /// The best that is known.
    public var scalar: Double
    public var slices: Int

    /// How far the scalar is above the bound, as a share of it.
    public var gap: Double { scalar > 0 ? max(0, 1 - lowerBound / scalar) : .infinity }
  }

  private struct Slice {
    var device: Int
    var low: Double
    var high: Double
    var bound: Double
  }

  private let evaluator: CandidateEvaluator
  private let scalarisation: Scalarisation
  private let bounds: [CostBound]
  private static let tolerance = 0.02
  private static let boxes = 48

  /// - Returns: nil where the problem has no scalar, or the costs of a device are not a twin's.
  public init?(_ evaluator: CandidateEvaluator) {
    guard let scalarisation = evaluator.problem.scalar else { return nil }
    let bounds = evaluator.devices.indices.compactMap { CostBound(evaluator, device: $0) }
    guard bounds.count == evaluator.devices.count else { return nil }
    self.evaluator = evaluator
    self.scalarisation = scalarisation
    self.bounds = bounds
  }

  /// - Parameters:
  ///   - best: a candidate whose scalar is known.
  ///   - tolerance: the gap to stop at.
  public func certificate(best: Candidate, tolerance: Double = 0.01, maximumSlices: Int = 400) -> Certificate {
    let scalar = best.assessment.scalar ?? .infinity
    var open = bounds.indices.map { device in
      slice(device, 0, bounds[device].greatestAccuracy, scalar, best)
    }
    var count = open.count
    var lowerBound = open.reduce(Double.infinity) { min($0, $1.bound) }
    while count < maximumSlices {
      guard let next = open.indices.min(by: { open[$0].bound < open[$1].bound }) else { break }
      lowerBound = open[next].bound
      if lowerBound >= scalar * (1 - tolerance) { break }
      let old = open.remove(at: next)
      guard old.high - old.low > 1e-3 else { break }
      let middle = (old.low + old.high) / 2
      for (low, high) in [(old.low, middle), (middle, old.high)] {
        var part = slice(old.device, low, high, scalar, best)
        part.bound = max(part.bound, old.bound)
        open.append(part)
        count += 1
      }
      lowerBound = open.reduce(Double.infinity) { min($0, $1.bound) }
    }
    return Certificate(lowerBound: min(lowerBound, scalar), scalar: scalar, slices: count)
  }

  private func slice(_ device: Int, _ low: Double, _ high: Double, _ scalar: Double, _ best: Candidate) -> Slice {
    func share(_ objective: Objective) -> Double {
      (scalarisation.weights[objective] ?? 0) / (scalarisation.scales[objective] ?? 1)
    }
    var bound = (scalarisation.weights.accuracy ?? 0) - share(.accuracy) * high
    bound += share(.peakPower) * bounds[device].leastPowerWatts
    let query = CostQuery(
      device: device, latencyWeight: share(.latency), energyWeight: share(.energy), minAccuracy: low > 0 ? low : nil)
    if query.latencyWeight > 0 || query.energyWeight > 0, bound < scalar {
      bound +=
        bounds[device].certificate(
          query, tolerance: Self.tolerance, maximumBoxes: Self.boxes, known: [best.point]
        ).lowerBound
    }
    return Slice(device: device, low: low, high: high, bound: bound)
  }
}
