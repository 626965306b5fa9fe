import Architectures
import Foundation

/// A twin made ready for one design space and one level: the fast path, under a microsecond a candidate.
///
/// Every linear form is a sum over layers, so each candidate is at most twelve look-ups of vectors whose lanes are the forms of all
/// measures and the summaries; nothing is allocated for a candidate. Agrees with `Twin.costs(of:level:)`.
public struct CompiledTwin: Sendable {
  public let twin: Twin
  public let level: Double
  private let space: DesignSpace
  private let tables: CompiledTables
  private let measures: [CompiledMeasure]
  private let ranges: [FeatureRange]
  private let combinations: [HeadCombination]
  private let headCountIndex: [Int]

  /// - Parameters:
  ///   - space: what the design points are points of.
  ///   - level: of the intervals, such as 0.9.
  public init(_ twin: Twin, space: DesignSpace = .flexibert2, level: Double = 0.9) {
    self.twin = twin
    self.level = level
    self.space = space
    let lanes = CompiledLanes(model: twin.model)
    tables = CompiledTables(space: space, twin: twin, lanes: lanes)
    measures = [twin.model.latency, twin.model.energy, twin.model.peakPower].enumerated().map { index, model in
      CompiledMeasure(model, lanes: lanes.forms[index], level: level, widening: twin.logWidening)
    }
    ranges = FeatureRange.all(of: twin.model.fit)
    combinations = space.headCombinations
    var headCountIndex = [Int](repeating: 0, count: 256)
    for (index, count) in space.headCounts.enumerated() { headCountIndex[count] = index }
    self.headCountIndex = headCountIndex
  }

  /// Predicts every point; `costs` is resized to as many.
  public func predict(_ points: [DesignPoint], into costs: inout [CostEstimate]) {
    let empty = Estimate(median: 0, lower: 0, upper: 0)
    if costs.count != points.count {
      costs = [CostEstimate](
        repeating: CostEstimate(latencySeconds: empty, energyJoules: empty, peakPowerWatts: empty), count: points.count)
    }
    costs.withUnsafeMutableBufferPointer { costs in
      withReader { reader in
        for index in points.indices { costs[index] = estimate(points[index], reader) }
      }
    }
  }

  public func predict(_ point: DesignPoint) -> CostEstimate { withReader { estimate(point, $0) } }

  /// Pointers into the tables, fetched once a batch.
  private struct Reader {
    var ends: UnsafeBufferPointer<CompiledLanes.Vector>
    var attention: UnsafeBufferPointer<CompiledLanes.Vector>
    var heads: UnsafeBufferPointer<CompiledLanes.Vector>
    var feedForward: UnsafeBufferPointer<CompiledLanes.Vector>
    var joins: UnsafeBufferPointer<CompiledLanes.Vector>
    var combinations: UnsafeBufferPointer<HeadCombination>
    var headCountIndex: UnsafeBufferPointer<Int>
  }

  private func withReader<R>(_ body: (Reader) -> R) -> R {
    tables.ends.withUnsafeBufferPointer { ends in
      tables.attention.withUnsafeBufferPointer { attention in
        tables.heads.withUnsafeBufferPointer { heads in
          tables.feedForward.withUnsafeBufferPointer { feedForward in
            tables.joins.withUnsafeBufferPointer { joins in
              combinations.withUnsafeBufferPointer { combinations in
                headCountIndex.withUnsafeBufferPointer { headCountIndex in
                  body(
                    Reader(
                      ends: ends, attention: attention, heads: heads, feedForward: feedForward, joins: joins,
                      combinations: combinations, headCountIndex: headCountIndex))
                }
              }
            }
          }
        }
      }
    }
  }

  @inline(__always)
  private func estimate(_ point: DesignPoint, _ reader: Reader) -> CostEstimate {
    let count = point.layerCount
    guard count > 0 else {
      let none = Estimate(median: .nan, lower: .nan, upper: .nan)
      return CostEstimate(latencySeconds: none, energyJoules: none, peakPowerWatts: none)
    }
    let hiddenCount = tables.hiddenCount
    var layer = point[0]
    var sum = reader.ends[layer.hidden * hiddenCount + point[count - 1].hidden]
    for index in 0..<count {
      let hidden = layer.hidden
      let combination = reader.combinations[layer.heads]
      let shape = hidden * tables.headCountCount + reader.headCountIndex[combination.headCount]
      sum += reader.attention[shape]
      let kinds = shape * tables.kindCount
      for kind in 0..<tables.kindCount {
        let heads = combination.counts[kind]
        if heads > 0 { sum += Double(heads) * reader.heads[kinds + kind] }
      }
      sum += reader.feedForward[hidden * tables.stackCount + layer.feedForward]
      if index + 1 < count {
        layer = point[index + 1]
        sum += reader.joins[hidden * hiddenCount + layer.hidden]
      }
    }
    return finish(sum)
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
      let value = term.function.value(of: bytes)
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
    let peak = measures[2].logMedian(sum, summaries: summaries, logSeconds: latency)
    return CostEstimate(
      latencySeconds: measures[0].estimate(
        latency + (steady ? measures[0].logSteadyShare(sum, startup: startup) : 0), excess: excess),
      energyJoules: measures[1].estimate(
        energy + (steady ? measures[1].logSteadyShare(sum, startup: startup) : 0), excess: excess),
      peakPowerWatts: measures[2].estimate(peak, excess: excess))
  }
}
