import Numerics
import Testing

@testable import CoSearch

@Suite struct HypervolumeTests {
  /// Random points of the unit cube.
  static func points(_ count: Int, dimension: Int, seed: UInt64) -> [[Double]] {
    var random = CounterRandom(seed: seed)
    return (0..<count).map { _ in (0..<dimension).map { _ in random.nextUniform() } }
  }

  /// Volume of the union of boxes by inclusion and exclusion: another way to the same number, for few points.
  static func inclusionExclusion(_ points: [[Double]], _ reference: [Double]) -> Double {
    var total = 0.0
    for subset in 1..<(1 << points.count) {
      let chosen = points.indices.filter { subset >> $0 & 1 == 1 }.map { points[$0] }
      var volume = 1.0
      for lane in reference.indices {
        volume *= max(0, reference[lane] - (chosen.map { $0[lane] }.max() ?? 0))
      }
      total += chosen.count % 2 == 1 ? volume : -volume
    }
    return total
  }

  @Test func knownAnswers() {
    #expect(Hypervolume.exact([], reference: [1, 1]) == 0)
    #expect(Hypervolume.exact([[0.25]], reference: [1]) == 0.75)
    // A staircase by hand: 3·1 + 2·1 + 1·2.
    #expect(Hypervolume.exact([[1, 3], [2, 2], [3, 0]], reference: [4, 4]) == 3 + 2 + 2)
    // Two boxes of 2·1·1 and 1·2·1 that share 1.
    #expect(Hypervolume.exact([[0, 1, 1], [1, 0, 1]], reference: [2, 2, 2]) == 3)
    // A corner of each axis: 1 + 3·(1·1·1) of a cube of side 2.
    #expect(Hypervolume.exact([[1, 1, 0], [1, 0, 1], [0, 1, 1]], reference: [2, 2, 2]) == 4)
    // What is not better than the reference everywhere adds nothing, nor does what is dominated or repeated.
    #expect(Hypervolume.exact([[1, 1], [1, 1], [1.5, 1.5], [0, 5], [2, 0]], reference: [2, 2]) == 1)
  }

  @Test func badInputIsNotANumber() {
    #expect(Hypervolume.exact([[1, 2]], reference: [3]).isNaN)
    #expect(Hypervolume.exact([[.nan, 2]], reference: [3, 3]).isNaN)
    #expect(Hypervolume.exact([], reference: []).isNaN)
  }

  @Test(arguments: 1...6) func agreesWithInclusionAndExclusion(dimension: Int) {
    let reference = [Double](repeating: 0.9, count: dimension)
    for trial in 0..<20 {
      let points = Self.points(9, dimension: dimension, seed: UInt64(100 * dimension + trial))
      let exact = Hypervolume.exact(points, reference: reference)
      #expect(abs(exact - Self.inclusionExclusion(points, reference)) < 1e-12)
    }
  }

  @Test func agreesWithMonteCarloInFourDimensions() throws {
    let points = Self.points(120, dimension: 4, seed: 3)
    let samples = try QuasiRandomSequence.points(.sobol, count: 40_000, dimensions: 4)
    let inside = samples.count { sample in
      points.contains { point in zip(point, sample).allSatisfy { $0 <= $1 } }
    }
    let exact = Hypervolume.exact(points, reference: [1, 1, 1, 1])
    #expect(abs(exact - Double(inside) / 40_000) < 0.005)
  }

  @Test func doesNotDependOnTheOrder() {
    let points = Self.points(80, dimension: 5, seed: 8)
    let reference = [Double](repeating: 1, count: 5)
    let forward = Hypervolume.exact(points, reference: reference)
    let backward = Hypervolume.exact(points.reversed(), reference: reference)
    #expect(abs(forward - backward) < 1e-12 && forward > 0)
  }
}

@Suite struct ParetoArchiveTests {
  static let samples = try? SamplePoints(dimension: 3, count: 4_096)

  static func vectors(_ count: Int, seed: UInt64) -> [SIMD8<Float>] {
    HypervolumeTests.points(count, dimension: 3, seed: seed).map { row in
      var vector = SIMD8<Float>(repeating: 0)
      for (lane, value) in row.enumerated() { vector[lane] = Float(value) }
      return vector
    }
  }

  /// Sample points that at least one, and exactly one, of the members covers, counted afresh.
  static func recount(_ archive: ParetoArchive, _ samples: SamplePoints) -> (covered: Int, alone: [Int]) {
    var covered = 0
    var alone = [Int](repeating: 0, count: archive.members.count)
    for point in samples.points {
      let owners = archive.members.indices.filter { all(archive.members[$0].vector .<= point) }
      if !owners.isEmpty { covered += 1 }
      if owners.count == 1 { alone[owners[0]] += 1 }
    }
    return (covered, alone)
  }

  @Test(arguments: [5, 20, 1000]) func invariants(capacity: Int) throws {
    let samples = try #require(Self.samples)
    var archive = ParetoArchive(dimension: 3, capacity: capacity, samples: samples)
    var held: Set<Int> = []
    var volume = 0.0
    for (index, vector) in Self.vectors(600, seed: UInt64(capacity)).enumerated() {
      if let left = archive.insert(vector, payload: index) {
        held.insert(index)
        for payload in left { #expect(held.remove(payload) != nil) }
      }
      #expect(archive.volume >= volume, "the volume never shrinks")
      volume = archive.volume
      #expect(archive.members.count <= capacity)
      if index % 100 == 99 {
        let (covered, alone) = Self.recount(archive, samples)
        #expect(archive.coveredCount == covered)
        #expect(archive.members.map(\.contribution) == alone)
        #expect(Set(archive.members.map(\.payload)) == held)
        for (i, a) in archive.members.enumerated() {
          for b in archive.members[(i + 1)...] {
            #expect(!Dominance.dominates(a.vector, b.vector) && !Dominance.dominates(b.vector, a.vector))
          }
        }
      }
    }
    #expect(archive.members.count > 4)
  }

  @Test func uncoveredSamplesSayWhatInsertionWouldAdd() throws {
    let samples = try #require(Self.samples)
    var archive = ParetoArchive(dimension: 3, capacity: 50, samples: samples)
    for (index, vector) in Self.vectors(40, seed: 9).enumerated() { _ = archive.insert(vector, payload: index) }
    var uncovered = UncoveredSamples()
    archive.gatherUncovered(into: &uncovered)
    #expect(uncovered.count == samples.points.count - archive.coveredCount)
    for vector in Self.vectors(200, seed: 10) {
      let gain = samples.points.count { point in
        all(vector .<= point) && !archive.members.contains { all($0.vector .<= point) }
      }
      if gain > 0 { #expect(uncovered.gain(of: vector, exceeds: gain - 1)) }
      #expect(!uncovered.gain(of: vector, exceeds: gain))
    }
  }

  @Test func nonDominatedByDefinition() {
    let vectors = Self.vectors(150, seed: 4).map { SIMD8<Double>($0) } + [SIMD8(repeating: 0.5), SIMD8(repeating: 0.5)]
    let kept = Dominance.nonDominated(vectors)
    let expected = vectors.indices.filter { index in
      !vectors.contains { Dominance.dominates($0, vectors[index]) } && !vectors[..<index].contains(vectors[index])
    }
    #expect(kept == expected)
  }
}
