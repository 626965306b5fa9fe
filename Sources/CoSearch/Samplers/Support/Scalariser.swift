import Foundation
import Numerics

/// One number a trial, to be minimised: the problem's scalar, or for a front an augmented Chebyshev distance to the best values seen
/// with weights drawn at random (Knowles, "ParEGO", IEEE Trans. Evol. Comp. 10(1), 2006). Feasible trials come before
/// infeasible ones, which follow by their violation.
struct Scalariser: Sendable {
  private let domain: SearchDomain
  private let low: SIMD8<Double>
  private let inverseRange: SIMD8<Double>
  private let weights: SIMD8<Double>
  /// Of the worst feasible trial: what an infeasible one starts from.
  private(set) var worst: Double

  private static let augmentation = 0.05

  /// - Parameter trials: what the scale of the objectives is taken from.
  init(_ domain: SearchDomain, _ trials: [Trial], using random: inout CounterRandom) {
    self.domain = domain
    let known = trials.filter { !$0.isFailed }
    let feasible = known.filter(\.isFeasible)
    let scale = feasible.count > 1 ? feasible : known
    var low = SIMD8<Double>(repeating: .infinity)
    var high = SIMD8<Double>(repeating: -.infinity)
    for trial in scale {
      low = pointwiseMin(low, trial.coordinates)
      high = pointwiseMax(high, trial.coordinates)
    }
    var inverse = SIMD8<Double>(repeating: 0)
    var weights = SIMD8<Double>(repeating: 0)
    var total = 0.0
    for lane in 0..<domain.dimension {
      inverse[lane] = high[lane] > low[lane] ? 1 / (high[lane] - low[lane]) : 0
      // Exponential numbers over their sum are uniform on the simplex.
      weights[lane] = -Elementary.log(1 - random.nextUniform())
      total += weights[lane]
    }
    self.low = scale.isEmpty ? SIMD8(repeating: 0) : low
    inverseRange = inverse
    self.weights = weights / max(total, 1e-12)
    worst = 0
    worst = feasible.map { value($0) }.max() ?? 1
  }

  /// Of a trial that did not fail, feasible or not.
  private func value(_ trial: Trial) -> Double {
    domain.goal == .scalar ? trial.scalar : distance(trial.coordinates)
  }

  /// The distance of coordinates, for a front.
  func distance(_ coordinates: SIMD8<Double>) -> Double {
    let scaled = (coordinates - low) * inverseRange * weights
    return scaled.max() + Self.augmentation * scaled.sum()
  }

  /// To be minimised; finite also where a trial failed.
  func loss(_ trial: Trial) -> Double {
    if trial.isFeasible { return value(trial) }
    let violation = trial.isFailed ? 10 : min(trial.violation, 10)
    return worst + (1 + violation) * max(abs(worst), 0.01)
  }
}
