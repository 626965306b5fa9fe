import Architectures
import Numerics
import Testing

@Suite struct SamplingTests {
  let space = DesignSpace.flexibert2

  @Test(arguments: SamplingMethod.allCases) func samplesAreValidAndReproducible(method: SamplingMethod) throws {
    let points = try space.sample(count: 200, seed: 5, method: method)
    #expect(points.count == 200 && points.allSatisfy(space.contains))
    #expect(Set(points).count == 200)
    #expect(try space.sample(count: 200, seed: 5, method: method) == points)
    #expect(try space.sample(count: 200, seed: 6, method: method) != points)
    #expect(Set(points.map(\.layerCount)) == [2, 4, 6, 8, 10, 12])
    #expect(try space.sample(count: 0, seed: 5, method: method).isEmpty)
    #expect(throws: DesignSpaceError.self) { try space.sample(count: -1, seed: 5, method: method) }
  }

  /// Of twice as many samples as choices every choice of a Latin hypercube appears about equally often.
  @Test func latinHypercubeBalancesEveryChoice() throws {
    let points = try space.sample(count: 240, seed: 1, method: .lhs)
    for count in space.layerCounts { #expect(points.filter { $0.layerCount == count }.count == 40) }
    for hidden in 0..<4 { #expect(points.filter { $0[0].hidden == hidden }.count == 60) }
  }

  /// Random point i does not depend on how many are drawn.
  @Test func randomSamplesAreKeyedByTheirNumber() throws {
    let many = try space.sample(count: 50, seed: 9, method: .random)
    #expect(try space.sample(count: 20, seed: 9, method: .random) == Array(many.prefix(20)))
  }

  @Test func corners() {
    #expect(space.embedding(of: space.point(at: [])) == [Int](repeating: 0, count: 37))
    #expect(space.embedding(of: space.point(at: [Double](repeating: 1, count: 37))) == space.embeddingMaxima)
    #expect(space.contains(space.point(at: [.nan, -1, 2])))
  }

  @Test func pairwiseDistanceOfKnownPoints() throws {
    let zero = space.point(at: [])
    var first = zero
    first[0] = DesignPoint.Layer(hidden: 3, feedForward: 0, heads: 0)
    var both = first
    both[1] = DesignPoint.Layer(hidden: 3, feedForward: 0, heads: 0)
    let distance = space.pairwiseDistance(of: [zero, first, both])
    let values = [1, 1, 2.0.squareRoot()]
    let mean = values.reduce(0, +) / 3
    #expect(abs(distance.mean - mean) < 1e-12)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 3
    #expect(abs(distance.spread - variance.squareRoot()) < 1e-12)
    #expect(distance.minimum == 1)
    #expect(space.pairwiseDistance(of: [zero]).mean.isNaN)
  }

  @Test func neighboursAreDistinctValidAndCountedByHand() throws {
    let small = try smallSpace()
    // One layer: size 1, stacks of [32, 16] 4 (replaced 2, removed 2), heads of (1, 1): swapped 2, removed 2;
    // layers 1.
    let point = DesignPoint(layers: [DesignPoint.Layer(hidden: 0, feedForward: 3, heads: 3)])
    let neighbours = small.neighbours(of: point)
    #expect(neighbours.count == 1 + 4 + 4 + 1)
    #expect(neighbours.contains(DesignPoint(layers: [point[0], point[0]])))

    for point in try space.sample(count: 5, seed: 3, method: .random) {
      let neighbours = space.neighbours(of: point)
      #expect(Set(neighbours).count == neighbours.count && !neighbours.contains(point))
      #expect(neighbours.allSatisfy(space.contains))
    }
  }

  /// What can be reached in one step can be left in one step.
  @Test func neighbourhoodIsSymmetricButForLayers() throws {
    let small = try smallSpace()
    for point in try small.sample(count: 20, seed: 3, method: .random) {
      for neighbour in small.neighbours(of: point) where neighbour.layerCount == point.layerCount {
        #expect(small.neighbours(of: neighbour).contains(point))
      }
    }
  }

  @Test func randomNeighboursComeFromTheSameSetAndCoverIt() throws {
    let small = try smallSpace()
    for point in try small.sample(count: 10, seed: 4, method: .random) {
      let all = Set(small.neighbours(of: point))
      var random = CounterRandom(seed: 8)
      var drawn: Set<DesignPoint> = []
      for _ in 0..<3000 { drawn.insert(small.randomNeighbour(of: point, using: &random)) }
      // A width inserted beside its equal gives the same stack, never the point itself.
      #expect(drawn == all)
    }
    var random = CounterRandom(seed: 9)
    for point in try space.sample(count: 10, seed: 4, method: .random) {
      let all = Set(space.neighbours(of: point))
      for _ in 0..<200 { #expect(all.contains(space.randomNeighbour(of: point, using: &random))) }
    }
  }

  @Test(arguments: [0, 0.05, 0.3, 1]) func mutantsAreValidAndDiffer(rate: Double) throws {
    var random = CounterRandom(seed: 2)
    for point in try space.sample(count: 300, seed: 4, method: .random) {
      let mutant = space.mutate(point, using: &random, rate: rate)
      #expect(space.contains(mutant) && mutant != point)
      if rate == 0 { #expect(space.neighbours(of: point).contains(mutant)) }
    }
  }

  @Test func childrenTakeLayersOfTheirParents() throws {
    var random = CounterRandom(seed: 2)
    let parents = try space.sample(count: 200, seed: 4, method: .random)
    for (first, second) in zip(parents, parents.dropFirst()) {
      let child = space.crossover(first, second, using: &random)
      #expect(space.contains(child) && [first.layerCount, second.layerCount].contains(child.layerCount))
      for index in 0..<child.layerCount {
        let isFirst = index < first.layerCount && child[index] == first[index]
        let isSecond = index < second.layerCount && child[index] == second[index]
        #expect(isFirst || isSecond)
      }
    }
  }

  @Test func aSpaceOfOnePointHasNoNeighbours() throws {
    let single = try DesignSpace(
      DesignSpace.Choices(
        layerCounts: [1], hiddenSizes: [64], headCounts: [2], operations: [.discreteCosine],
        feedForwardWidths: [8], maximumFeedForwardStack: 1))
    let point = single.point(at: [])
    var random = CounterRandom(seed: 1)
    #expect(single.cardinality == 1 && single.neighbours(of: point).isEmpty)
    #expect(single.mutate(point, using: &random, rate: 1) == point)
  }
}
