import Architectures
import Foundation

/// A twin made ready for one design space and one level: the fast path, under a microsecond a candidate.
///
/// Every linear form is a sum over layers, so each candidate is at most twelve look-ups of vectors whose lanes are the forms of all
/// measures and the summaries; nothing is allocated for a candidate. Agrees with `Twin.costs(of:level:)`.
public struct CompiledTwin: Sendable {
  public let twin: Twin
  public let level: Double
  private let tables: CompiledTables
  private let measures: [CompiledMeasure]
  private let ranges: [FeatureRange]
  private let powerBounds: PowerBounds

  /// - Parameters:
  ///   - space: what the design points are points of.
  ///   - level: of the intervals, such as 0.9.
  public init(_ twin: Twin, space: DesignSpace = .flexibert2, level: Double = 0.9) {
    self.twin = twin
    self.level = level
    let lanes = CompiledLanes(model: twin.model)
    tables = CompiledTables(space: space, twin: twin, lanes: lanes)
    measures = [twin.model.latency, twin.model.energy, twin.model.peakPower].enumerated().map { index, model in
      CompiledMeasure(model, lanes: lanes.forms[index], level: level, widening: twin.logWidening)
    }
    ranges = FeatureRange.all(of: twin.model.fit, settings: twin.settings)
    powerBounds = PowerBounds(
      twin.device.power, isMeasured: twin.model.peakPower.spread.basis == .conformal)
  }

  /// A peak power that no prediction is below: that of the idle device, as far as predictions are held to it.
  package var leastPowerWatts: Double { powerBounds.isMeasured ? 0 : powerBounds.idleWatts }

  /// Points whose sums are kept at once: a few tens of kilobytes.
  private static let chunk = 256

  /// Predicts every point; `costs` is resized to as many. A point without layers has no cost: NaN.
  public func predict(_ points: [DesignPoint], into costs: inout [CostEstimate]) {
    let empty = Estimate(median: .nan, lower: .nan, upper: .nan)
    if costs.count != points.count {
      costs = [CostEstimate](
        repeating: CostEstimate(latencySeconds: empty, energyJoules: empty, peakPowerWatts: empty), count: points.count)
    }
    points.withUnsafeBufferPointer { points in
      costs.withUnsafeMutableBufferPointer { costs in
        withUnsafeTemporaryAllocation(of: CompiledLanes.Vector.self, capacity: Self.chunk) { sums in
          var start = 0
          while start < points.count {
            let count = min(Self.chunk, points.count - start)
            tables.sum(UnsafeBufferPointer(rebasing: points[start..<start + count]), into: sums)
            for index in 0..<count { costs[start + index] = finish(sums[index]) }
            start += count
          }
        }
      }
    }
  }

  public func predict(_ point: DesignPoint) -> CostEstimate {
    var costs: [CostEstimate] = []
    predict([point], into: &costs)
    return costs[0]
  }

  @inline(__always)
  private func finish(_ additive: CompiledLanes.Vector) -> CostEstimate {
    var sum = additive
    let bytes = sum[CompiledLanes.parameterBytes]
    let embedding = sum[CompiledLanes.embeddingParameterBytes]
    var startup = tables.startup.constant
    startup += tables.startup.embedding * embedding
    startup += tables.startup.encoder * (bytes - embedding)
    for term in tables.functions {
      let value = term.function.value(of: term.function.isOfEncoder ? bytes - embedding : bytes)
      sum += term.weights * value
      startup += term.startupWeights * value
    }
    let summaries = SummaryValues(
      parameterBytes: bytes, heads: sum[CompiledLanes.heads],
      convolutionHeads: sum[CompiledLanes.convolutionHeads], layers: sum[CompiledLanes.layers],
      productFLOPs: sum[CompiledLanes.productFLOPs])
    let excess = FeatureRange.excess(of: summaries, ranges: ranges)
    let steady = !twin.settings.includesStartup
    let latency = measures[0].logMedian(sum, summaries: summaries, logSeconds: 0)
    let energy = measures[1].logMedian(sum, summaries: summaries, logSeconds: 0)
    let steadyLatency = latency + (steady ? measures[0].logSteadyShare(sum, startup: startup) : 0)
    let steadyEnergy = energy + (steady ? measures[1].logSteadyShare(sum, startup: startup) : 0)
    // A peak is no lower than the mean, as in `Twin.costs`.
    let peak = max(measures[2].logMedian(sum, summaries: summaries, logSeconds: latency), steadyEnergy - steadyLatency)
    let power = measures[2].estimate(peak, excess: excess)
    return CostEstimate(
      latencySeconds: measures[0].estimate(steadyLatency, excess: excess),
      energyJoules: measures[1].estimate(steadyEnergy, excess: excess),
      peakPowerWatts: powerBounds.limit(power, measured: measures[2].measured(power.median)))
  }
}
