import Architectures

/// Parameter counts of a space's points by table: the exact whole numbers of `Architecture.parameterCount`.
public struct ParameterTable: Sendable {
  public let convention: ParameterCount.Convention
  /// Head kinds of each combination, and the position of its number of heads.
  private let combinations: [HeadCombination]
  private let countIndices: [UInt8]
  /// By hidden size and number of heads: projections, distances and norms; then a head of each kind.
  private let base: [Int]
  private let kinds: [SIMD8<Int32>]
  private let headCountCount: Int
  /// By hidden size and stack.
  private let feedForward: [Int]
  private let stackCount: Int
  /// By hidden size and the next.
  private let joins: [Int]
  private let embeddings: [Int]
  private let poolers: [Int]
  private let hiddenCount: Int

  public init(space: DesignSpace, convention: ParameterCount.Convention) {
    self.convention = convention
    let (sizes, counts) = (space.hiddenSizes, space.headCounts)
    combinations = (0..<space.headCombinationCount).map(space.headCombination)
    countIndices = combinations.map { UInt8(clamping: counts.firstIndex(of: $0.headCount) ?? 0) }
    hiddenCount = sizes.count
    headCountCount = counts.count
    stackCount = space.feedForwardStackCount

    // Read off whole architectures, so that the formula stands in one place.
    func layer(_ h: Int, _ n: Int, _ stack: [Int]) -> ParameterCount.Layer {
      Self.count(space, [(h, n, stack)], convention).layers[0]
    }
    base = sizes.flatMap { h in
      counts.map { n in
        let part = layer(h, n, [1])
        return part.projections + part.relativeDistances + part.norms
      }
    }
    kinds = sizes.flatMap { h in
      counts.map { n in
        var kinds = SIMD8<Int32>(repeating: 0)
        for operation in HeadOperation.allCases {
          kinds[Int(operation.rawValue)] = Int32(clamping: operation.parameterCount(headSize: h / n))
        }
        return kinds
      }
    }
    feedForward = sizes.flatMap { h in
      (0..<space.feedForwardStackCount).map { layer(h, 1, space.feedForwardStack($0)).feedForward }
    }
    joins = sizes.flatMap { h in
      sizes.map { next in Self.count(space, [(h, 1, [1]), (next, 1, [1])], convention).layers[0].join }
    }
    embeddings = sizes.map { Self.count(space, [($0, 1, [1])], convention).embeddings }
    poolers = sizes.map { Self.count(space, [($0, 1, [1])], convention).pooler }
  }

  /// Parameters of a point of the space.
  public func count(of point: DesignPoint) -> Int {
    let layers = point.layerCount
    if layers == 0 { return 0 }
    var total = embeddings[point[0].hidden] + poolers[point[layers - 1].hidden]
    for index in 0..<layers {
      let layer = point[index]
      let shape = layer.hidden * headCountCount + Int(countIndices[layer.heads])
      let own = SIMD8<Int32>(truncatingIfNeeded: combinations[layer.heads].counts) &* kinds[shape]
      total += base[shape] + Int(own.wrappedSum()) + feedForward[layer.hidden * stackCount + layer.feedForward]
      if index + 1 < layers { total += joins[layer.hidden * hiddenCount + point[index + 1].hidden] }
    }
    return total
  }

  private static func count(
    _ space: DesignSpace, _ layers: [(h: Int, n: Int, stack: [Int])], _ convention: ParameterCount.Convention
  ) -> ParameterCount {
    Architecture(
      vocabularySize: space.vocabularySize, maximumPositions: space.maximumPositions,
      typeVocabularySize: space.typeVocabularySize, position: space.position,
      layers: layers.map { layer in
        Architecture.Layer(
          hiddenSize: layer.h, headSize: layer.h / layer.n,
          heads: Array(repeating: .scaledDotProduct, count: layer.n), feedForward: layer.stack)
      }
    ).parameterCount(convention)
  }
}
