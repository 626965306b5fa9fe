import Architectures

/// Which matrix products to time on a device, so that the roofs hold the shapes that a design space's models are made of.
public struct RoofPlan: Sendable {
  public struct Shape: Sendable, Hashable {
    public var m: Int
    public var k: Int
    public var n: Int
    /// One of many that run side by side on single threads: worth measuring on one thread only.
    public var isOfHead: Bool
    /// With the residual sum and the layer norm that end a layer's halves.
    public var isNormalised: Bool

    public init(m: Int, k: Int, n: Int, isOfHead: Bool, isNormalised: Bool = false) {
      self.m = m
      self.k = k
      self.n = n
      self.isOfHead = isOfHead
      self.isNormalised = isNormalised
    }

    public var flops: Double { 2 * Double(m) * Double(k) * Double(n) }
  }

  /// The shapes of ``space``'s models at the reference length; of fewer tokens all as well, since it is there that shapes differ most in
  /// what is left over from whole tiles; of more tokens every third, and what lies between is interpolated. Ascending in FLOPs, without
  /// repeats.
  public let shapes: [Shape]

  private static let thinning = 3

  /// - Parameters:
  ///   - tokens: numbers of tokens of a whole call (batch × length) that linear maps will see, the reference first.
  ///   - lengths: sequence lengths that heads will see, the reference first.
  public init(
    space: DesignSpace = .flexibert2, tokens: [Int] = [128, 32, 64, 256, 512, 2048],
    lengths: [Int] = [128, 32, 64, 256]
  ) {
    var maps: [Shape] = []
    var headSizes: [Int] = []
    func add(_ k: Int, _ n: Int, isNormalised: Bool = false) {
      maps.append(Shape(m: 0, k: k, n: n, isOfHead: false, isNormalised: isNormalised))
    }
    for h in space.hiddenSizes {
      for count in space.headCounts {
        let d = h / count
        if d > 0 && !headSizes.contains(d) { headSizes.append(d) }
        add(h, 3 * count * d)
        add(count * d, h, isNormalised: true)
      }
      for next in space.hiddenSizes where next != h { add(h, next) }
      for f in space.feedForwardWidths {
        add(h, f)
        add(f, h, isNormalised: true)
      }
    }
    for f in space.feedForwardWidths { for g in space.feedForwardWidths { add(f, g) } }
    headSizes.sort()
    var shapes: [Shape] = []
    for (index, m) in tokens.enumerated() {
      for (position, map) in maps.enumerated()
      where m <= tokens.first ?? 0 || (position + index) % Self.thinning == 0 {
        shapes.append(Shape(m: m, k: map.k, n: map.n, isOfHead: false, isNormalised: map.isNormalised))
      }
    }
    for (index, n) in lengths.enumerated() {
      for (position, d) in headSizes.enumerated() where index == 0 || (position + index) % Self.thinning == 0 {
        for (k, columns) in [(d, n), (d, 2 * n - 1), (n, d), (d, d), (d, 2 * d), (2 * n, d)] {
          shapes.append(Shape(m: n, k: k, n: columns, isOfHead: true))
        }
        // Transforms that are folded by their symmetries.
        shapes.append(Shape(m: max(n / 2, 1), k: max(n / 2, 1), n: d, isOfHead: true))
      }
      for taps in [5, 9, 13] where index == 0 { shapes.append(Shape(m: n, k: 64, n: taps, isOfHead: true)) }
    }
    var seen = Set<Shape>()
    self.shapes = shapes.filter { seen.insert($0).inserted }.sorted {
      ($0.flops, $0.m, $0.k, $0.n, $0.isNormalised ? 1 : 0) < ($1.flops, $1.m, $1.k, $1.n, $1.isNormalised ? 1 : 0)
    }
  }

  /// A head to time whole.
  public struct Head: Sendable, Hashable {
    public var headSize: Int
    public var length: Int

    public init(headSize: Int, length: Int) {
      self.headSize = headSize
      self.length = length
    }
  }

  /// Every head size of a space at every length: the smaller a head, the less its parts say of it.
  public static func heads(space: DesignSpace = .flexibert2, lengths: [Int] = [128, 32, 64, 256]) -> [Head] {
    let sizes = Set(space.hiddenSizes.flatMap { h in space.headCounts.map { h / $0 } }).filter { $0 > 0 }.sorted()
    return lengths.flatMap { length in sizes.map { Head(headSize: $0, length: length) } }
  }
}
