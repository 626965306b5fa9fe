/// The embedding: `[index of l] + layers × [index of h, index of the feed-forward stack, index of the
/// heads]`, zero for layers beyond l; 37 numbers for FlexiBERT 2.0.
extension DesignSpace {
  /// `1 + 3 × maximumLayerCount`.
  public var embeddingDimension: Int { 1 + 3 * maximumLayerCount }

  /// The largest value of each number of an embedding.
  public var embeddingMaxima: [Int] {
    let layer = [hiddenSizes.count - 1, feedForwardStackCount - 1, headCombinationCount - 1]
    return [layerCounts.count - 1] + (0..<maximumLayerCount).flatMap { _ in layer }
  }

  /// The embedding of a point of this space.
  public func embedding(of point: DesignPoint) -> [Int] {
    var result = [Int](repeating: 0, count: embeddingDimension)
    result[0] = layerCounts.firstIndex(of: point.layerCount) ?? 0
    for index in 0..<min(point.layerCount, maximumLayerCount) {
      let layer = point[index]
      result[3 * index + 1] = layer.hidden
      result[3 * index + 2] = layer.feedForward
      result[3 * index + 3] = layer.heads
    }
    return result
  }

  /// The point that has this embedding.
  ///
  /// - Throws: ``DesignSpaceError/embedding(index:reason:)`` for a wrong length, a number out of range, or
  ///   one that is not zero beyond the last layer.
  public func point(ofEmbedding embedding: [Int]) throws(DesignSpaceError) -> DesignPoint {
    guard embedding.count == embeddingDimension else {
      throw .embedding(
        index: embedding.count, reason: "expected \(embeddingDimension) numbers, got \(embedding.count)")
    }
    for (index, (value, maximum)) in zip(embedding, embeddingMaxima).enumerated() {
      guard value >= 0, value <= maximum else {
        throw .embedding(index: index, reason: "\(value) is not within 0 to \(maximum)")
      }
    }
    let count = layerCounts[embedding[0]]
    for index in (3 * count + 1)..<max(embeddingDimension, 3 * count + 1) where embedding[index] != 0 {
      throw .embedding(index: index, reason: "\(embedding[index]) beyond layer \(count), where 0 is expected")
    }
    return DesignPoint(
      layers: (0..<count).map {
        DesignPoint.Layer(
          hidden: embedding[3 * $0 + 1], feedForward: embedding[3 * $0 + 2], heads: embedding[3 * $0 + 3])
      })
  }

  /// The point whose embedding is nearest, by Euclidean distance: each number is clamped and rounded, and the
  /// number of layers is the one of least total distance, the zeros beyond it included; of equals the one
  /// listed first.
  ///
  /// Numbers that are missing or NaN count as 0, further ones are ignored.
  public func nearestPoint(toEmbedding embedding: [Double]) -> DesignPoint {
    let maxima = embeddingMaxima
    let target = maxima.indices.map { index -> Double in
      guard index < embedding.count, !embedding[index].isNaN else { return 0 }
      // Infinities would make every distance equal.
      return min(max(embedding[index], -1e9), 1e9)
    }
    let nearest = zip(target, maxima).map { min(max($0.rounded(), 0), Double($1)) }
    var best = 0
    var bestDistance = Double.infinity
    for (index, count) in layerCounts.enumerated() {
      var distance = (target[0] - Double(index)) * (target[0] - Double(index))
      for position in target.indices.dropFirst() {
        let difference = target[position] - (position <= 3 * count ? nearest[position] : 0)
        distance += difference * difference
      }
      if distance < bestDistance {
        bestDistance = distance
        best = index
      }
    }
    return DesignPoint(
      layers: (0..<layerCounts[best]).map {
        DesignPoint.Layer(
          hidden: Int(nearest[3 * $0 + 1]), feedForward: Int(nearest[3 * $0 + 2]),
          heads: Int(nearest[3 * $0 + 3]))
      })
  }
}
