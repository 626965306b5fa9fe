import Architectures
import Numerics

/// A point to make children of.
struct Parent: Sendable {
  var point: DesignPoint
  /// Its normalised coordinates, infinite where they are not comparable: a child that these dominate adds no volume.
  var vector: SIMD8<Float>
}

/// What a generation's tasks share: the search's state as it was at its start.
struct Snapshot: Sendable {
  var generation: Int
  var box: ObjectiveBox
  var uncovered = UncoveredSamples()
  var threshold = 0
  /// Parents by device, and of all devices.
  var parents: [[Parent]]
  var allParents: [Parent] = []
  /// Smallest coordinate of each objective among feasible candidates, and smallest scalar.
  var bestCoordinates = SIMD8<Double>(repeating: .infinity)
  var bestScalar = Double.infinity
  /// Largest violation that still enters the pool of infeasible candidates; negative where the pool is closed.
  var worstViolation = -1.0
}

/// A candidate that may enter the archive or lead an objective.
struct Found: Sendable {
  var point: DesignPoint
  var device: Int
  var coordinates: SIMD8<Double>
  var scalar: Double
  /// 0 where it is feasible.
  var violation: Double
}

/// What came of a chunk.
struct ChunkResult: Sendable {
  var found: [Found] = []
  var evaluations = 0
  var feasibleCount = 0
  /// Least ratio of use to limit by lane of ``Budget``, with who attained it.
  var leastRatios = SIMD8<Double>(repeating: .infinity)
  var leastPoints: [Budget: (point: DesignPoint, device: Int)] = [:]
}

/// Points to evaluate on one device, and how they come about.
struct Chunk: Sendable {
  enum Kind: Sendable {
    /// Seeds of these numbers.
    case seeds(Range<Int>)
    /// Models that the device's twin is the best of, by their numbers.
    case structured(Range<Int>)
    /// Children, the first having this number in its generation.
    case children(first: Int)
  }

  var device: Int
  var count: Int
  var kind: Kind
}

/// Evaluates chunks of a generation; the result depends on the chunk, the snapshot and the seed, not on who asks or when.
struct ChunkRunner: Sendable {
  let evaluator: CandidateEvaluator
  let variation: Variation
  let seeds: Seeds
  /// By device; none where its costs are not a twin's.
  var structured: [[DesignPoint]] = []
  let seed: UInt64

  func run(_ chunk: Chunk, _ snapshot: Snapshot) -> ChunkResult {
    let (points, parents) = points(of: chunk, snapshot)
    return evaluator.sift(points, parents: parents, device: chunk.device, snapshot)
  }

  /// The points of a chunk, and the vectors of the parents they come from.
  private func points(of chunk: Chunk, _ snapshot: Snapshot) -> ([DesignPoint], [SIMD8<Float>]) {
    let none = SIMD8<Float>(repeating: .infinity)
    switch chunk.kind {
    case .seeds(let numbers): return (numbers.map(seeds.point), Array(repeating: none, count: numbers.count))
    case .structured(let numbers):
      return (Array(structured[chunk.device][numbers]), Array(repeating: none, count: numbers.count))
    case .children(let first):
      let own = snapshot.parents[chunk.device]
      let all = snapshot.allParents
      var points: [DesignPoint] = []
      var vectors: [SIMD8<Float>] = []
      points.reserveCapacity(chunk.count)
      vectors.reserveCapacity(chunk.count)
      for number in first..<first + chunk.count {
        var random = CounterRandom(
          seed: seed, stream: UInt64(truncatingIfNeeded: snapshot.generation) << 32 | UInt64(truncatingIfNeeded: number)
        )
        guard !all.isEmpty else {
          points.append(evaluator.space.randomPoint(using: &random))
          vectors.append(none)
          continue
        }
        // A tenth of the parents come from other devices.
        let source = own.isEmpty || random.nextUniform() < 0.1 ? all : own
        let parent = source[random.nextIndex(below: source.count)]
        let mate = source[random.nextIndex(below: source.count)]
        points.append(variation.child(of: parent.point, mate: mate.point, using: &random))
        vectors.append(parent.vector)
      }
      return (points, vectors)
    }
  }
}

extension CandidateEvaluator {
  /// Judges points on one device, and keeps those that may matter to a search as the snapshot has it.
  /// - Parameter parents: vectors of what the points were made of; what these dominate adds nothing.
  func sift(
    _ points: [DesignPoint], parents: [SIMD8<Float>], device: Int, _ snapshot: Snapshot
  ) -> ChunkResult {
    var workspace = Workspace()
    var result = ChunkResult()
    result.evaluations = points.count
    var best = snapshot.bestCoordinates
    var bestScalar = snapshot.bestScalar
    var worstViolation = snapshot.worstViolation
    var violation = 0.0
    visit(points, device: device, &workspace) { index, budget, ratio in
      if !(ratio <= 1) { violation += ratio.isFinite ? Elementary.log(ratio) : .infinity }
      if ratio < result.leastRatios[budget.lane] {
        result.leastRatios[budget.lane] = ratio
        result.leastPoints[budget] = (points[index], device)
      }
    } body: { index, quantities in
      let coordinates = ObjectiveBox.coordinates(judge.objectives, quantities)
      let violated = violation
      violation = 0
      // A twin that answers with NaN says nothing.
      guard (coordinates - coordinates) == SIMD8(repeating: 0), violated < .infinity else { return }
      if violated > 0 {
        guard violated <= worstViolation else { return }
        worstViolation = min(worstViolation, max(violated * 4, violated + 1))
        result.found.append(
          Found(
            point: points[index], device: device, coordinates: coordinates, scalar: .infinity, violation: violated
          ))
        return
      }
      result.feasibleCount += 1
      let scalar = judge.hasScalar ? judge.scalar(quantities) ?? .infinity : .infinity
      let leads = any(coordinates .< best) || scalar < bestScalar
      if !leads {
        let vector = SIMD8<Float>(snapshot.box.normalised(coordinates))
        if all(parents[index] .<= vector) { return }
        if snapshot.allParents.contains(where: { all($0.vector .<= vector) }) { return }
        guard snapshot.uncovered.gain(of: vector, exceeds: snapshot.threshold) else { return }
      }
      if leads {
        best = pointwiseMin(best, coordinates)
        bestScalar = min(bestScalar, scalar)
      }
      result.found.append(
        Found(point: points[index], device: device, coordinates: coordinates, scalar: scalar, violation: 0))
    }
    return result
  }
}
