import Accuracy
import Architectures
import Foundation
import Numerics
import Testing
import Twins

@testable import CoSearch

/// Against enumeration of small spaces.
@Suite struct CostBoundTests {
  static func space(layers: [Int] = [2]) throws -> DesignSpace {
    try DesignSpace(
      DesignSpace.Choices(
        layerCounts: layers, hiddenSizes: [128, 512], headCounts: [2, 4],
        operations: [.scaledDotProduct, .discreteFourier, .convolution9], feedForwardWidths: [256, 1024],
        maximumFeedForwardStack: 2))
  }

  static func evaluator(_ device: String, _ space: DesignSpace) throws -> CandidateEvaluator {
    let file = TwinCostingTests.folder.appending(path: "\(device).yaml")
    let twin = try Twin(
      file: DeviceFile(yaml: String(contentsOf: file, encoding: .utf8), name: file.path), runtime: "protran")
    return try CandidateEvaluator(
      problem: Problem(devices: [device]), space: space,
      devices: [TwinCosting(CompiledTwin(twin, space: space), deviceID: device, space: space)], accuracy: .fitted())
  }

  /// Every point of a space of two layers.
  static func points(_ space: DesignSpace) -> [DesignPoint] {
    var layers: [DesignPoint.Layer] = []
    for hidden in space.hiddenSizes.indices {
      for stack in 0..<space.feedForwardStackCount {
        for heads in 0..<space.headCombinationCount {
          layers.append(DesignPoint.Layer(hidden: hidden, feedForward: stack, heads: heads))
        }
      }
    }
    return layers.flatMap { first in layers.map { DesignPoint(layers: [first, $0]) } }
  }

  @Test func layerwiseMinimumIsTheLeastOfAll() throws {
    let space = try Self.space()
    let evaluator = try Self.evaluator("rpi4-cpu", space)
    let costing = try #require(evaluator.devices[0] as? TwinCosting)
    let minimiser = LayerwiseMinimum(
      costing.parts(space), accuracy: AccuracyStructure(evaluator.predictor, space: space), space: space)
    let points = Self.points(space)
    for stream in 0..<6 {
      var random = CounterRandom(seed: 1, stream: UInt64(stream))
      var weights = LayerSums.zero
      for lane in 0..<16 {
        // Of a size that makes every lane count.
        let scale = abs(minimiser.sums(of: points[100]).twin[lane])
        weights.twin[lane] = (2 * random.nextUniform() - 0.7) / max(scale, 1e-9)
      }
      weights.accuracy = SIMD4(-1e-6, -2e-7, 1, 0) * random.nextUniform()
      let found = minimiser.minimum(weights, layers: 2)
      let least = points.reduce(Double.infinity) { min($0, minimiser.sums(of: $1).dot(weights)) }
      #expect(abs(found.value - least) <= 1e-9 * max(abs(least), 1))
      // At least one layer of the larger size, at most one of the smaller.
      let limited = minimiser.minimum(weights, layers: 2, counts: [0...1, 1...2])
      let rest = points.filter { $0[0].hidden == 1 || $0[1].hidden == 1 }
      let leastOfRest = rest.reduce(Double.infinity) { min($0, minimiser.sums(of: $1).dot(weights)) }
      #expect(abs(limited.value - leastOfRest) <= 1e-9 * max(abs(leastOfRest), 1))
      #expect(rest.contains(limited.point))
      #expect(minimiser.minimum(weights, layers: 2, counts: [0...0, 0...1]).value == .infinity)
      #expect(abs(minimiser.sums(of: found.point).dot(weights) - found.value) <= 1e-9 * max(abs(least), 1))
      #expect(abs(found.sums.dot(weights) - found.value) <= 1e-9 * max(abs(least), 1))
    }
  }

  @Test(arguments: ["rpi4-cpu", "jetson-nano-cpu", "m1-pro-gpu", "ncs2"]) func boundsTheLeastCost(device: String) throws
  {
    let space = try Self.space()
    let evaluator = try Self.evaluator(device, space)
    let bound = try #require(CostBound(evaluator, device: 0))
    let candidates = evaluator.candidates(of: Self.points(space), device: 0)
    for query in [
      CostQuery(device: 0), CostQuery(device: 0, latencyWeight: 0, energyWeight: 1),
      CostQuery(device: 0, latencyWeight: 1, energyWeight: 0.5, minAccuracy: 68),
      CostQuery(device: 0, minParameters: 30e6), CostQuery(device: 0, minAccuracy: 70, maxParameters: 40e6),
    ] {
      let allowed = candidates.filter { candidate in
        candidate.accuracy.median >= query.minAccuracy ?? 0
          && Double(candidate.parameters) >= query.minParameters ?? 0
          && Double(candidate.parameters) <= query.maxParameters ?? .infinity
      }
      func cost(_ candidate: Candidate) -> Double {
        query.latencyWeight * candidate.costs.latencySeconds.median
          + query.energyWeight * candidate.costs.energyJoules.median
      }
      let cheapest = allowed.min { cost($0) < cost($1) }
      let result = bound.certificate(query, known: cheapest.map { [$0.point] } ?? [])
      guard let cheapest else {
        #expect(result.point == nil)
        continue
      }
      #expect(result.lowerBound <= cost(cheapest) * (1 + 1e-9))
      #expect(result.cost == cost(cheapest))
      // Without being told it, what is found is allowed and no cheaper, and the bound holds.
      let alone = bound.certificate(query)
      #expect(alone.lowerBound <= cost(cheapest) * (1 + 1e-9))
      #expect(alone.point.map { point in allowed.contains { $0.point == point } } == true)
      #expect(alone.cost >= cost(cheapest) && alone.cost <= 1.5 * cost(cheapest))
      // What Lagrange's multipliers leave open in a space as coarse as this one.
      #expect(result.gap < 0.4)
      if query.minAccuracy == nil && query.minParameters == nil { #expect(result.gap < 0.15) }
    }
  }

  @Test func noModelOfTheWholeSpaceIsBelowTheBound() throws {
    let evaluator = try Self.evaluator("m1-pro-cpu", .flexibert2)
    let bound = try #require(CostBound(evaluator, device: 0))
    let result = bound.certificate(CostQuery(device: 0, minAccuracy: 74), maximumBoxes: 200)
    #expect(result.lowerBound > 0 && result.cost.isFinite)
    #expect(result.gap < 0.3)
    var random = CounterRandom(seed: 2)
    let points = (0..<20_000).map { _ in DesignSpace.flexibert2.randomPoint(using: &random) }
    for candidate in evaluator.candidates(of: points, device: 0) where candidate.accuracy.median >= 74 {
      #expect(candidate.costs.latencySeconds.median >= result.lowerBound)
    }
    let impossible = bound.certificate(CostQuery(device: 0, minAccuracy: 99.9))
    #expect(impossible.point == nil)
  }

  @Test func boundsTheScalar() throws {
    let space = try Self.space()
    let file = TwinCostingTests.folder.appending(path: "rpi4-cpu.yaml")
    let twin = try Twin(
      file: DeviceFile(yaml: String(contentsOf: file, encoding: .utf8), name: file.path), runtime: "protran")
    var problem = Problem(devices: ["rpi4-cpu"])
    problem.scalar = Scalarisation(
      weights: ObjectiveValues(accuracy: 0.5, latencySeconds: 0.3, energyJoules: 0.1, peakPowerWatts: 0.1),
      scales: ObjectiveValues(accuracy: 100, latencySeconds: 10, energyJoules: 50, peakPowerWatts: 300))
    let evaluator = try CandidateEvaluator(
      problem: problem, space: space,
      devices: [TwinCosting(CompiledTwin(twin, space: space), deviceID: "rpi4-cpu", space: space)], accuracy: .fitted())
    let best = try #require(
      evaluator.candidates(of: Self.points(space), device: 0).min {
        ($0.assessment.scalar ?? .infinity) < ($1.assessment.scalar ?? .infinity)
      })
    let certificate = try #require(ScalarBound(evaluator)).certificate(best: best, tolerance: 0.03)
    #expect(certificate.scalar == best.assessment.scalar)
    #expect(certificate.lowerBound <= certificate.scalar && certificate.gap < 0.1)
    #expect(try ScalarBound(Self.evaluator("rpi4-cpu", space)) == nil)
  }

  @Test func structuredSeedsAreNotBelowTheBound() throws {
    let evaluator = try Self.evaluator("rpi4-cpu", .flexibert2)
    let seeds = try #require(StructuredSeeds(evaluator, device: 0)).points()
    #expect(Set(seeds).count == seeds.count && seeds.count > 50)
    let cheapest = evaluator.candidates(of: seeds, device: 0).filter { $0.accuracy.median >= 75 }
      .min { $0.costs.latencySeconds.median < $1.costs.latencySeconds.median }
    let bound = try #require(CostBound(evaluator, device: 0)).certificate(
      CostQuery(device: 0, minAccuracy: 75), maximumBoxes: 100)
    let found = try #require(cheapest).costs.latencySeconds.median
    #expect(found >= bound.lowerBound)
  }

  @Test func polynomialBoundsHold() {
    let monomials = Monomials(variables: 3, degree: 4)
    var random = CounterRandom(seed: 4)
    for _ in 0..<20 {
      let weights = (0..<monomials.count).map { _ in 2 * random.nextUniform() - 1 }
      let ranges = (0..<3).map { _ -> (low: Double, high: Double) in
        let low = 2 * random.nextUniform() - 1
        return (low, low + 0.5 * random.nextUniform())
      }
      let bound = PolynomialBound(monomials: monomials, weights: weights).minimum(ranges)
      var least = Double.infinity
      for _ in 0..<500 {
        let z = ranges.map { $0.low + ($0.high - $0.low) * random.nextUniform() }
        least = min(least, zip(weights, monomials.values(at: z)).reduce(0) { $0 + $1.0 * $1.1 })
      }
      #expect(bound <= least + 1e-12)
      #expect(least - bound < 2)
    }
  }
}
