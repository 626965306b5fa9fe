import Numerics

/// Where the elements of one axis of a child's tensor come from along the same axis of its parent's.
struct AxisMap: Sendable {
  enum Content: Sendable {
    /// As they are.
    case whole
    /// The parent's index of every element; -1 is a new one.
    case gather([Int])
    /// A matrix [child, parent], row-major, that the parent is multiplied with.
    case projection([Float])
  }

  var content: Content
  var count: Int
  var parentCount: Int

  private init(content: Content, count: Int, parentCount: Int) {
    self.content = content
    self.count = count
    self.parentCount = parentCount
  }

  /// An axis that both have as it is.
  static func whole(_ count: Int) -> AxisMap { AxisMap(content: .whole, count: count, parentCount: count) }

  /// - Parameter indices: the parent's index of every element; nil is a new one.
  static func gather(_ indices: [Int?], parentCount: Int) -> AxisMap {
    let list = indices.map { index in index.flatMap { (0..<parentCount).contains($0) ? $0 : nil } ?? -1 }
    if list.count == parentCount, list.elementsEqual(0..<parentCount) { return .whole(parentCount) }
    return AxisMap(content: .gather(list), count: list.count, parentCount: parentCount)
  }

  /// Leading elements of the parent, in order; what is beyond them is new.
  static func ordered(_ count: Int, parentCount: Int) -> AxisMap {
    gather((0..<count).map { $0 < parentCount ? $0 : nil }, parentCount: parentCount)
  }

  /// Everything is new.
  static func new(_ count: Int) -> AxisMap { .gather([Int?](repeating: nil, count: count), parentCount: 0) }

  /// By identity.
  static func identities(_ child: [Int], in parent: [Int]) -> AxisMap {
    if child == parent { return .whole(child.count) }
    let places = Dictionary(zip(parent, parent.indices), uniquingKeysWith: { first, _ in first })
    return .gather(child.map { places[$0] }, parentCount: parent.count)
  }

  /// A Gaussian random projection: independent normal entries of variance 1 / `count`, so that inner products are kept on average
  /// (Johnson and Lindenstrauss 1984; the convention of scikit-learn). The same seed and stream give the same matrix.
  static func randomProjection(_ count: Int, parentCount: Int, seed: UInt64, stream: UInt64) -> AxisMap {
    var random = CounterRandom(seed: seed, stream: stream, UInt64(count), UInt64(parentCount))
    let scale = 1 / Double(max(count, 1)).squareRoot()
    let values = (0..<count * parentCount).map { _ in Float(scale * random.nextNormal()) }
    return AxisMap(content: .projection(values), count: count, parentCount: parentCount)
  }

  /// The map of an axis of blocks, such as heads of units: `blocks` maps whole blocks, this map the elements within each.
  func blocks(_ blocks: [Int?], parentBlocks: Int) -> AxisMap {
    switch content {
    case .whole where blocks.count == parentBlocks && blocks.indices.allSatisfy({ blocks[$0] == $0 }):
      return .whole(count * blocks.count)
    case .whole, .gather:
      let inner = indices
      let list = blocks.flatMap { block in
        inner.map { unit in block.flatMap { block in unit.map { block * parentCount + $0 } } }
      }
      return .gather(list, parentCount: parentBlocks * parentCount)
    case .projection(let matrix):
      let width = parentBlocks * parentCount
      var values = [Float](repeating: 0, count: blocks.count * count * width)
      for (index, block) in blocks.enumerated() {
        guard let block else { continue }
        for row in 0..<count {
          let start = (index * count + row) * width + block * parentCount
          for column in 0..<parentCount { values[start + column] = matrix[row * parentCount + column] }
        }
      }
      return AxisMap(content: .projection(values), count: blocks.count * count, parentCount: width)
    }
  }

  /// The parent's index of each element; nil for new ones and, in a projection, for those beyond the parent.
  var indices: [Int?] {
    switch content {
    case .whole: (0..<count).map { $0 }
    case .gather(let list): list.map { $0 < 0 ? nil : $0 }
    case .projection: (0..<count).map { $0 < parentCount ? $0 : nil }
    }
  }

  var isProjection: Bool { if case .projection = content { true } else { false } }

  /// This map, or for a projection the leading elements: for vectors of gains, which a projection would make no gains.
  var orderedIfProjection: AxisMap { isProjection ? .ordered(count, parentCount: parentCount) : self }
}
