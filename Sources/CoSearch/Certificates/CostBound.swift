import Accuracy
import Architectures
import Twins

/// Bounds the costs of all models of a space on a device from below, and finds models near the bound.
///
/// A measure is `exp(level + residual)` times a weighted geometric mean of forms `s_f`, each a sum over layers. For numbers λ whose
/// weighted geometric mean is 1, `Σ w_f λ_f s_f ≥ Π s_f^{w_f}`, with equality where `λ_f ∝ 1/s_f`. Every model has its own such λ. In a box of
/// ratios `ln(s_f/s_1)` of width h around the box's centre, the weighted sum at the centre exceeds the mean by a factor of at most
/// exp(h²/8) (Hoeffding's lemma); its minimum over the whole space is had exactly, by ``LayerwiseMinimum``. So boxes of ratios, and
/// of the summaries that the residual is a function of, are split until the best box's bound is near the best model found. Limits
/// of accuracy, parameters, heads enter by Lagrange's multipliers, which keep bounds valid.
public struct CostBound: Sendable {
  private let evaluator: CandidateEvaluator
  private let parts: TwinParts
  private let minimiser: LayerwiseMinimum
  private let accuracy: AccuracyStructure
  private let device: Int

  /// - Returns: nil where the device's costs are not a twin's: then there is no structure to use.
  public init?(_ evaluator: CandidateEvaluator, device: Int) {
    guard evaluator.devices.indices.contains(device), let costing = evaluator.devices[device] as? TwinCosting else {
      return nil
    }
    self.evaluator = evaluator
    self.device = device
    parts = costing.parts(evaluator.space)
    accuracy = AccuracyStructure(evaluator.predictor, space: evaluator.space)
    minimiser = LayerwiseMinimum(parts, accuracy: accuracy, space: evaluator.space)
  }

  /// The highest accuracy that any model of the space is predicted.
  var greatestAccuracy: Double {
    evaluator.space.layerCounts.reduce(0) { max($0, accuracy.greatestScore(layers: $1)) }
  }

  /// A peak power in watts that no model of the space is predicted below.
  var leastPowerWatts: Double { parts.leastPowerWatts }

  /// - Parameters:
  ///   - tolerance: the gap to stop at.
  ///   - maximumBoxes: where that takes too long.
  ///   - known: models that may be near the least already, beside those of ``StructuredSeeds``: the nearer, the fewer boxes.
  public func certificate(
    _ query: CostQuery, tolerance: Double = 0.01, maximumBoxes: Int = 2_000, known: [DesignPoint] = []
  ) -> CostCertificate {
    var search = BoxSearch(evaluator, parts, minimiser, accuracy, query)
    for point in known + (StructuredSeeds(evaluator, device: query.device)?.points() ?? []) { search.attempt(point) }
    search.descend()
    return search.run(tolerance: tolerance, maximumBoxes: maximumBoxes)
  }
}
