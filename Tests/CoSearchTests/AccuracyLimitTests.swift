import Accuracy
import Architectures
import Foundation
import Numerics
import Testing

@testable import CoSearch

/// The support function of what reaches a score, against models of the space.
@Suite struct AccuracyLimitTests {
  @Test(arguments: [66.0, 72, 75]) func noModelThatReachesTheScoreIsBelowTheSupport(score: Double) throws {
    let space = DesignSpace.flexibert2
    let predictor = try AccuracyPredictor.fitted()
    let compiled = CompiledAccuracy(predictor, space: space, level: 0)
    let structure = AccuracyStructure(predictor, space: space)
    let layers = 8
    let limit = try #require(AccuracyLimit(structure, score: score, layers: layers))
    #expect(!limit.isOutOfReach)
    let size = exp(structure.need(score: score, layers: layers))
    var random = CounterRandom(seed: 3)
    var points: [DesignPoint] = []
    while points.count < 2_000 {
      let point = space.randomPoint(using: &random)
      guard point.layerCount == layers, compiled.estimate(of: point).median >= score else { continue }
      points.append(point)
    }
    let (attention, feedForward) = (structure.attention, structure.feedForward)
    let sums = points.map { point in
      (0..<layers).reduce(SIMD3<Double>(repeating: 0)) { sum, index in
        let layer = point[index]
        let heads = space.headCombination(layer.heads)
        let position = space.headCounts.firstIndex(of: heads.headCount) ?? 0
        let transforms = heads.count(of: .discreteFourier) + heads.count(of: .discreteCosine)
        return sum
          + SIMD3(
            attention[layer.hidden * space.headCounts.count + position] / size,
            feedForward[layer.hidden * space.feedForwardStackCount + layer.feedForward] / size,
            Double(transforms) / Double(heads.headCount) / Double(layers))
      }
    }
    for _ in 0..<40 {
      let multipliers = AccuracyLimit.Multipliers(
        random.nextUniform(), random.nextUniform() * 2, random.nextUniform() < 0.3 ? 0 : random.nextUniform())
      let (value, point) = limit.support(multipliers)
      #expect(
        sums.allSatisfy { multipliers.x * $0.x + multipliers.y * $0.y - multipliers.z * $0.z >= value - 1e-9 })
      // The support is attained on the limit itself.
      #expect(abs(multipliers.x * point.x + multipliers.y * point.y - multipliers.z * point.z - value) < 1e-6)
      let reached = (log(point.x * size) + 2 * log(point.y * size)) / 3 - structure.penalty * point.z
      #expect(reached >= structure.need(score: score, layers: layers) - 1e-6)
    }
  }

  @Test func whatIsOutOfReachIsSaid() throws {
    let structure = AccuracyStructure(try AccuracyPredictor.fitted(), space: .flexibert2)
    let most = structure.greatestScore(layers: 2)
    #expect(try #require(AccuracyLimit(structure, score: most + 0.01, layers: 2)).isOutOfReach)
    #expect(try !#require(AccuracyLimit(structure, score: most - 0.01, layers: 2)).isOutOfReach)
    #expect(AccuracyLimit(structure, score: 1, layers: 2) == nil)
  }
}
