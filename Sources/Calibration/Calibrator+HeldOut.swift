import Foundation
import Measurements
import Numerics
import Twins

import struct Measurements.Measurement

extension Calibrator {
  /// What a calibration on some rows says of another row.
  public struct HeldOutEstimate: Sendable, Hashable {
    /// For a device in an unknown state: what `predict` gives.
    public var unknown: Estimate
    /// With the state known by the row's place in the series.
    public var known: Estimate
  }

  /// Calibrates on some rows and predicts others, for benchmarks and what-if studies of the calibration itself.
  /// - Parameters:
  ///   - training: indices into `rows`, all of this device and runtime.
  ///   - withIntervals: without them the inner cross-validation is saved and bounds come from the prior.
  ///   - level: of the bounds.
  /// - Returns: an estimate a measure for every test row; nil where the training rows hold no such measure.
  public func heldOut(
    _ rows: [Measurement], training: [Int], test: [Int], withIntervals: Bool = true, level: Double = 0.9
  ) throws -> [(latency: HeldOutEstimate?, energy: HeldOutEstimate?, peakPower: HeldOutEstimate?)] {
    let (series, _) = try series(rows)
    let all = data(series, datasheet: datasheetTwin(series))
    let data = all.selecting(training)
    let fit = try TwinFit(data)
    let validation =
      withIntervals && training.count >= TwinModelBuilder.minimumConformalRows
      ? try CrossValidation(data, seed: seed) : nil
    let builder = TwinModelBuilder(
      data: data, fit: fit, validation: validation, datasheet: datasheetTwin(series))
    let model = try builder.model(
      provenance: FitProvenance(
        rows: training.count, dataHash: "", seed: seed, program: program, ranges: [:],
        settings: series.fittedSettings))
    let evaluator = Evaluator(model: model, includesStartup: true)
    func estimate(
      _ median: Double, _ measure: MeasureModel, shift: Double, scores: CrossValidation.Scores?
    ) -> HeldOutEstimate {
      let bounds = measure.spread.offsets(level: level)
      let knownBounds = scores.map { $0.spread(levels: [0]).offsets(level: level) } ?? bounds
      let known = median * exp(shift)
      return HeldOutEstimate(
        unknown: Estimate(median: median, lower: median * exp(bounds.lower), upper: median * exp(bounds.upper)),
        known: Estimate(median: known, lower: known * exp(knownBounds.lower), upper: known * exp(knownBounds.upper)))
    }
    let features = fit.features(all)
    return test.map { row in
      let medians = evaluator.medians(features: features[row])
      let order = all.orders[row]
      return (
        estimate(
          medians.latencySeconds, model.latency, shift: fit.latency.level(at: order) - fit.latency.typicalLevel,
          scores: validation?.latency),
        fit.energy.map {
          estimate(
            medians.energyJoules, model.energy, shift: $0.level(at: order) - $0.typicalLevel,
            scores: validation?.energy)
        },
        fit.peakPower.map { _ in
          estimate(medians.peakPowerWatts, model.peakPower, shift: 0, scores: validation?.peakPower)
        }
      )
    }
  }
}
