import Architectures
import Twins

/// What a twin predicts of an architecture: medians, and the values that budgets are compared with.
package struct PredictedCosts: Sendable, Hashable {
  package var latencySeconds: Double
  package var energyJoules: Double
  package var peakPowerWatts: Double
  package var memoryBytes: Double
  package var parameters: Int
  /// Latency, energy and peak power that are kept with the confidence asked for: the medians at 0.5.
  package var keptLatencySeconds: Double
  package var keptEnergyJoules: Double
  package var keptPeakPowerWatts: Double
}

/// Limits that a child must keep; nil where there is none.
package struct CostLimits: Sendable, Hashable {
  package var latencySeconds: Double?
  package var energyJoules: Double?
  package var peakPowerWatts: Double?
  package var memoryBytes: Double?
  package var parameters: Double?

  package init(
    latencySeconds: Double? = nil, energyJoules: Double? = nil, peakPowerWatts: Double? = nil,
    memoryBytes: Double? = nil, parameters: Double? = nil
  ) {
    self.latencySeconds = latencySeconds
    self.energyJoules = energyJoules
    self.peakPowerWatts = peakPowerWatts
    self.memoryBytes = memoryBytes
    self.parameters = parameters
  }

  /// Each cost that has a limit, as a multiple of it.
  package func ratios(_ costs: PredictedCosts) -> [Double] {
    let pairs: [(Double, Double?)] = [
      (costs.keptLatencySeconds, latencySeconds), (costs.keptEnergyJoules, energyJoules),
      (costs.keptPeakPowerWatts, peakPowerWatts), (costs.memoryBytes, memoryBytes),
      (Double(costs.parameters), parameters),
    ]
    return pairs.compactMap { cost, limit in limit.map { cost / $0 } }
  }

  /// The largest of ``ratios(_:)``: 1 or less is within the budget; 0 without any limit.
  package func excess(_ costs: PredictedCosts) -> Double { ratios(costs).max() ?? 0 }
}

/// Predicts what architectures cost; nil for one that the device cannot hold.
package struct CostModel: Sendable {
  package var costs: @Sendable (Architecture) throws -> PredictedCosts?

  package init(_ costs: @escaping @Sendable (Architecture) throws -> PredictedCosts?) { self.costs = costs }

  /// By a twin, at its settings.
  ///
  /// - Parameter confidence: probability with which each budget is kept, from 0.5 on.
  package init(_ twin: Twin, confidence: Double = 0.5) {
    self.init { architecture in
      let prediction: Prediction
      do {
        prediction = try twin.predict(architecture, level: confidence > 0.5 ? 2 * confidence - 1 : 0.9)
      } catch TwinError.doesNotFit {
        return nil
      }
      let costs = prediction.costs
      func kept(_ estimate: Estimate) -> Double { confidence > 0.5 ? estimate.upper : estimate.median }
      return PredictedCosts(
        latencySeconds: costs.latencySeconds.median, energyJoules: costs.energyJoules.median,
        peakPowerWatts: costs.peakPowerWatts.median, memoryBytes: prediction.memoryBytes,
        parameters: prediction.parameters, keptLatencySeconds: kept(costs.latencySeconds),
        keptEnergyJoules: kept(costs.energyJoules), keptPeakPowerWatts: kept(costs.peakPowerWatts))
    }
  }
}
