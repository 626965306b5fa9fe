import Accuracy
import Architectures
import Foundation
import Twins

/// Models near the front, read off the structure of a twin: for each number of layers and each way to weigh the objectives, the model
/// that is exactly the best of the whole space by a linear approximation of the logarithms of costs and of the effective size, made anew
/// at each solution; and models between successive solutions, some layers of the one and the rest of the other.
struct StructuredSeeds: Sendable {
  private let evaluator: CandidateEvaluator
  private let parts: TwinParts
  private let minimiser: LayerwiseMinimum
  private let penalty: Double
  /// Ways to weigh latency, energy and parameters.
  private let directions: [SIMD3<Double>]

  /// Worth of a unit of ln(effective size) in units of ln(cost).
  private static let worths = [0, 0.15, 0.25, 0.35, 0.45, 0.6, 0.8, 1.1, 1.6, 3]
  private static let refinements = 2

  /// - Returns: nil where the device's costs are not a twin's.
  init?(_ evaluator: CandidateEvaluator, device: Int) {
    guard let costing = evaluator.devices[device] as? TwinCosting else { return nil }
    self.evaluator = evaluator
    parts = costing.parts(evaluator.space)
    let accuracy = AccuracyStructure(evaluator.predictor, space: evaluator.space)
    penalty = accuracy.penalty
    minimiser = LayerwiseMinimum(parts, accuracy: accuracy, space: evaluator.space)
    directions = Self.directions(evaluator.problem)
  }

  /// Each cost alone, and between each two of them, of the costs that the problem asks for; peak power goes with latency and energy.
  private static func directions(_ problem: Problem) -> [SIMD3<Double>] {
    var axes: [SIMD3<Double>] = []
    let asked = Set(problem.objectives)
    if asked.contains(.latency) || asked.contains(.peakPower) { axes.append(SIMD3(1, 0, 0)) }
    if asked.contains(.energy) { axes.append(SIMD3(0, 1, 0)) }
    if asked.contains(.parameters) { axes.append(SIMD3(0, 0, 1)) }
    if axes.isEmpty { axes = [SIMD3(1, 0, 0)] }
    var result = axes
    for (index, axis) in axes.enumerated() {
      for other in axes[(index + 1)...] { result.append((axis + other) / 2) }
    }
    return result
  }

  /// Without repeats.
  func points() -> [DesignPoint] {
    var result: [DesignPoint] = []
    var seen: Set<DesignPoint> = []
    func take(_ point: DesignPoint) {
      if seen.insert(point).inserted { result.append(point) }
    }
    for layers in evaluator.space.layerCounts {
      for direction in directions {
        var solution = minimiser.minimum(start, layers: layers)
        take(solution.point)
        for worth in Self.worths {
          for _ in 0..<Self.refinements {
            let next = minimiser.minimum(weights(at: solution.sums, direction, worth, layers), layers: layers)
            if next.point == solution.point { break }
            for point in Self.between(solution.point, next.point) { take(point) }
            take(next.point)
            solution = next
          }
        }
      }
    }
    return result
  }

  /// The cheapest of all: where the sweep begins.
  private var start: LayerSums {
    var twin = TwinParts.Vector(repeating: 0)
    twin[TwinParts.parameterBytesLane] = 1
    return LayerSums(twin: twin, accuracy: SIMD4(repeating: 0))
  }

  /// Gradient of `direction · ln(costs) − worth · ln(effective size)` at these sums.
  private func weights(
    at sums: LayerSums, _ direction: SIMD3<Double>, _ worth: Double, _ layers: Int
  ) -> LayerSums {
    var weights = LayerSums.zero
    let bytes = sums.twin[TwinParts.parameterBytesLane]
    for measure in 0..<2 where direction[measure] > 0 {
      for form in parts.measure(measure, parameterBytes: bytes).forms {
        let value = form.constant + (form.lanes * sums.twin).sum()
        if value > 0 { weights.twin += direction[measure] * form.weight / value * form.lanes }
      }
    }
    weights.twin[TwinParts.parameterBytesLane] += direction.z / max(bytes, 1)
    weights.accuracy = SIMD4(
      -worth / (3 * max(sums.accuracy.x, 1)), -2 * worth / (3 * max(sums.accuracy.y, 1)),
      worth * penalty / Double(layers), 0)
    return weights
  }

  /// From one model to another of as many layers, a layer at a time; where hidden sizes agree, also feed-forward stacks or heads alone.
  private static func between(_ from: DesignPoint, _ to: DesignPoint) -> [DesignPoint] {
    var result: [DesignPoint] = []
    let count = from.layerCount
    guard to.layerCount == count else { return [] }
    var (whole, stacks, heads) = (from, from, from)
    for index in 0..<count {
      whole[index] = to[index]
      result.append(whole)
      guard from[index].hidden == to[index].hidden else { continue }
      stacks[index] = DesignPoint.Layer(
        hidden: from[index].hidden, feedForward: to[index].feedForward, heads: from[index].heads)
      heads[index] = DesignPoint.Layer(
        hidden: from[index].hidden, feedForward: from[index].feedForward, heads: to[index].heads)
      result.append(stacks)
      result.append(heads)
    }
    return result
  }
}
