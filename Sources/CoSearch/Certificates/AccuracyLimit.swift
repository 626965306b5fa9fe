import Accuracy
import Foundation
import Twins

/// Models of so many layers that are predicted a score or more, as a convex set of sums over layers: attention weights A, feed-forward
/// weights F and the share t of transform heads with `(ln A + 2 ln F)/3 − penalty·t ≥ need`, each within what the space has.
///
/// Its support function makes the limit part of a Lagrangian bound with three multipliers, whatever half-space is the tightest.
struct AccuracyLimit: Sendable {
  /// Multipliers of A and F, each by the size that is needed, and of t.
  typealias Multipliers = SIMD3<Double>

  private let layers: Double
  private let need: Double
  private let penalty: Double
  private let attention: ClosedRange<Double>
  private let feedForward: ClosedRange<Double>
  private let mostShare: Double
  /// exp(need): the unit of A and F.
  private let size: Double

  /// - Returns: nil where every model reaches the score.
  init?(_ accuracy: AccuracyStructure, score: Double, layers: Int) {
    let need = accuracy.need(score: score, layers: layers)
    guard need > -.infinity, layers > 0 else { return nil }
    self.need = need
    self.layers = Double(layers)
    penalty = accuracy.penalty
    func range(_ values: [Double]) -> ClosedRange<Double> {
      let (least, most) = (values.min() ?? 1, values.max() ?? 1)
      return Double(layers) * least...Double(layers) * most
    }
    attention = range(accuracy.attention)
    feedForward = range(accuracy.feedForward)
    size = exp(need)
    let room = (log(attention.upperBound) + 2 * log(feedForward.upperBound)) / 3 - need
    mostShare = room < 0 ? -1 : penalty > 0 ? min(1, room / penalty) : 1
  }

  /// Whether no model of the space is so accurate.
  var isOutOfReach: Bool { !(mostShare >= 0) || !size.isFinite }

  /// What is added to the weights of the sums.
  func weights(_ multipliers: Multipliers) -> LayerSums {
    LayerSums(
      twin: TwinParts.Vector(repeating: 0),
      accuracy: SIMD4(-multipliers.x / size, -multipliers.y / size, multipliers.z / layers, 0))
  }

  /// The least `x·A + y·F − z·t` of the set (A and F in units of the size), and where it is.
  func support(_ multipliers: Multipliers) -> (value: Double, at: SIMD3<Double>) {
    func at(_ share: Double) -> SIMD3<Double> {
      let cube = exp(3 * (need + penalty * share))
      let low = max(attention.lowerBound, cube / (feedForward.upperBound * feedForward.upperBound))
      // More attention than goes with the least feed-forward weights buys nothing.
      let most = max(attention.lowerBound, cube / (feedForward.lowerBound * feedForward.lowerBound))
      let high = max(low, min(attention.upperBound, most))
      let (x, y) = (multipliers.x, multipliers.y)
      // Where x·A is half of y·F.
      let ratio = x > 0 ? y / (2 * x) : y > 0 ? .infinity : 0.25
      let a = min(max(pow(cube, 1.0 / 3) * pow(ratio, 2.0 / 3), low), high)
      let f = min(max((cube / a).squareRoot(), feedForward.lowerBound), feedForward.upperBound)
      return SIMD3(a / size, f / size, share)
    }
    func value(_ point: SIMD3<Double>) -> Double {
      multipliers.x * point.x + multipliers.y * point.y - multipliers.z * point.z
    }
    // Convex in the share.
    var (low, high) = (0.0, mostShare)
    if multipliers.z > 0, penalty > 0 {
      for _ in 0..<60 {
        let (left, right) = (low + 0.382 * (high - low), low + 0.618 * (high - low))
        if value(at(left)) <= value(at(right)) { high = right } else { low = left }
      }
    } else if multipliers.z > 0 {
      low = high
    } else {
      high = low
    }
    let point = at((low + high) / 2)
    // What the search for the share may be off by.
    let slack = 1e-9 * (multipliers.x * point.x + multipliers.y * point.y + multipliers.z)
    return (value(point) - slack, point)
  }

  /// How the dual function rises with the multipliers, where the support is at `point` and the cheapest model has these sums.
  func slopes(_ point: SIMD3<Double>, _ sums: LayerSums) -> Multipliers {
    Multipliers(
      point.x - sums.accuracy.x / size, point.y - sums.accuracy.y / size, sums.accuracy.z / layers - point.z)
  }
}
