import Numerics

/// How samples of a space are spread.
public enum SamplingMethod: String, Sendable, Hashable, CaseIterable {
  /// Latin hypercube.
  case lhs
  case sobol
  case halton
  case hammersley
  /// Independent, each index uniform.
  case random
}

/// How far the points of a sample are from each other.
public struct PairwiseDistance: Sendable, Hashable {
  public var mean: Double
  /// Standard deviation over the pairs, divided by their number.
  public var spread: Double
  public var minimum: Double
}

extension DesignSpace {
  /// `count` points: those of the method in a unit cube of ``embeddingDimension`` dimensions, each coordinate
  /// u of k choices mapped to the index `⌊u·k⌋`. Coordinates of layers beyond the drawn number of layers have
  /// no effect.
  ///
  /// The deterministic sequences (Sobol, Halton, Hammersley) are shifted modulo 1 by a vector drawn from the
  /// seed (Cranley and Patterson 1976); seed 0 leaves them as they are. Points may repeat in small spaces.
  ///
  /// - Throws: ``DesignSpaceError/sampling(reason:)`` for a negative count, or more points than a Sobol
  ///   sequence has.
  public func sample(
    count: Int, seed: UInt64, method: SamplingMethod = .lhs
  ) throws(DesignSpaceError) -> [DesignPoint] {
    guard count >= 0 else { throw .sampling(reason: "\(count) points cannot be drawn") }
    switch method {
    case .lhs:
      return LatinHypercube.points(count: count, dimensions: embeddingDimension, seed: seed).map(point(at:))
    case .sobol: return try sequence(.sobol, count, seed)
    case .halton: return try sequence(.halton, count, seed)
    case .hammersley: return try sequence(.hammersley(count: max(count, 1)), count, seed)
    case .random:
      return (0..<count).map { index in
        var random = CounterRandom(seed: seed, stream: UInt64(index))
        return randomPoint(using: &random)
      }
    }
  }

  private func sequence(
    _ kind: QuasiRandomSequence.Kind, _ count: Int, _ seed: UInt64
  ) throws(DesignSpaceError) -> [DesignPoint] {
    var random = CounterRandom(seed: seed)
    let shift = (0..<embeddingDimension).map { _ in seed == 0 ? 0 : random.nextUniform() }
    do {
      var sequence = try QuasiRandomSequence(kind, dimensions: embeddingDimension)
      var result: [DesignPoint] = []
      result.reserveCapacity(count)
      for _ in 0..<count {
        var unit = try sequence.next()
        for index in unit.indices {
          unit[index] += shift[index]
          if unit[index] >= 1 { unit[index] -= 1 }
        }
        result.append(point(at: unit))
      }
      return result
    } catch {
      throw .sampling(reason: "\(error)")
    }
  }

  /// The point at a place of the unit cube; coordinates are clamped, missing ones count as 0.
  public func point(at unit: [Double]) -> DesignPoint {
    func choice(_ index: Int, of count: Int) -> Int {
      guard index < unit.count, unit[index] > 0 else { return 0 }
      return unit[index] < 1 ? Int(unit[index] * Double(count)) : count - 1
    }
    var point = DesignPoint(layerCount: layerCounts[choice(0, of: layerCounts.count)])
    for index in 0..<point.layerCount {
      point[index] = DesignPoint.Layer(
        hidden: choice(3 * index + 1, of: hiddenSizes.count),
        feedForward: choice(3 * index + 2, of: feedForwardStackCount),
        heads: choice(3 * index + 3, of: headCombinationCount))
    }
    return point
  }

  /// A point with every index uniform: the number of layers first, then each layer's choices.
  public func randomPoint(using random: inout CounterRandom) -> DesignPoint {
    var point = DesignPoint(layerCount: layerCounts[random.nextIndex(below: layerCounts.count)])
    for index in 0..<point.layerCount { point[index] = randomLayer(using: &random) }
    return point
  }

  func randomLayer(using random: inout CounterRandom) -> DesignPoint.Layer {
    DesignPoint.Layer(
      hidden: random.nextIndex(below: hiddenSizes.count),
      feedForward: random.nextIndex(below: feedForwardStackCount),
      heads: random.nextIndex(below: headCombinationCount))
  }

  /// The figure by which ProTran compares samplers: the Euclidean distance between the embeddings of two
  /// points, over all pairs. Here every number of an embedding is divided by its largest value in the space
  /// first, as else the head combinations (0…21 804) would drown the other choices. NaN for fewer than two
  /// points.
  public func pairwiseDistance(of points: [DesignPoint]) -> PairwiseDistance {
    let scale = embeddingMaxima.map { $0 > 0 ? 1 / Double($0) : 0 }
    let rows = points.map { zip(embedding(of: $0), scale).map { Double($0) * $1 } }
    var distances: [Double] = []
    for i in rows.indices {
      for j in 0..<i {
        var sum = 0.0
        for k in scale.indices { sum += (rows[i][k] - rows[j][k]) * (rows[i][k] - rows[j][k]) }
        distances.append(sum.squareRoot())
      }
    }
    let mean = Statistics.mean(distances)
    let variance = Statistics.mean(distances.map { ($0 - mean) * ($0 - mean) })
    return PairwiseDistance(mean: mean, spread: variance.squareRoot(), minimum: distances.min() ?? .nan)
  }
}
