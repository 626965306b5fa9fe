/// A multiset of head operations: how many heads of each kind a layer has. 16 bytes, trivially copied.
public struct HeadCombination: Hashable, Sendable {
  /// Heads of the kind with raw value i in lane i (0…6); lane 7 is 0.
  public var counts: SIMD8<UInt8>

  public init(counts: SIMD8<UInt8>) { self.counts = counts }

  /// Counts beyond 255 of a kind stay at 255: no space has as many.
  public init(_ heads: some Sequence<HeadOperation>) {
    counts = SIMD8(repeating: 0)
    for head in heads where counts[Int(head.rawValue)] < 255 { counts[Int(head.rawValue)] += 1 }
  }

  /// Number of heads.
  @inlinable public var headCount: Int { Int(SIMD8<UInt16>(truncatingIfNeeded: counts).wrappedSum()) }

  @inlinable public func count(of operation: HeadOperation) -> Int { Int(counts[Int(operation.rawValue)]) }
}

/// What a space's indices mean, built once and shared by its copies.
final class DesignSpaceTables: Sendable {
  let stacks: [[Int]]
  /// First index of the stacks of length s at position s − 1, then the number of all stacks.
  let stackStarts: [Int]
  let combinations: [HeadCombination]
  let maximumLayerCount: Int
  /// First index of the combinations of n heads at position n, −1 where n is no choice.
  private let combinationStarts: [Int]
  /// Raw values of the space's operations, in its order.
  private let lanes: [Int]
  /// Lanes of operations that the space does not have.
  private let foreign: SIMD8<UInt8>
  /// Number of multisets of m elements from k kinds at `k·(most + 1) + m`.
  private let multisetCounts: [Int]
  private let most: Int

  init(_ choices: DesignSpace.Choices) {
    maximumLayerCount = choices.layerCounts.max() ?? 0
    lanes = choices.operations.map { Int($0.rawValue) }
    var foreign = SIMD8<UInt8>(repeating: 255)
    for lane in lanes { foreign[lane] = 0 }
    self.foreign = foreign

    var stacks: [[Int]] = []
    var starts: [Int] = []
    var group: [[Int]] = [[]]
    for _ in 0..<choices.maximumFeedForwardStack {
      group = group.flatMap { stack in choices.feedForwardWidths.map { stack + [$0] } }
      starts.append(stacks.count)
      stacks += group
    }
    self.stacks = stacks
    stackStarts = starts + [stacks.count]

    let most = choices.headCounts.max() ?? 0
    self.most = most
    var multisetCounts: [Int] = []
    for kinds in 0...lanes.count {
      for size in 0...most { multisetCounts.append(Self.multisets(of: size, from: kinds)) }
    }
    self.multisetCounts = multisetCounts

    var combinations: [HeadCombination] = []
    var combinationStarts = [Int](repeating: -1, count: most + 1)
    for count in choices.headCounts {
      combinationStarts[count] = combinations.count
      Self.appendCombinations(of: count, lanes: lanes[...], SIMD8(repeating: 0), to: &combinations)
    }
    self.combinations = combinations
    self.combinationStarts = combinationStarts
  }

  /// Appends the multisets of `count` heads in lexicographic order of their sorted heads: most of the first
  /// kind first.
  private static func appendCombinations(
    of count: Int, lanes: ArraySlice<Int>, _ chosen: SIMD8<UInt8>, to result: inout [HeadCombination]
  ) {
    guard let lane = lanes.first else { return }
    var chosen = chosen
    if lanes.count == 1 {
      chosen[lane] = UInt8(count)
      result.append(HeadCombination(counts: chosen))
      return
    }
    for taken in stride(from: count, through: 0, by: -1) {
      chosen[lane] = UInt8(taken)
      appendCombinations(of: count - taken, lanes: lanes.dropFirst(), chosen, to: &result)
    }
  }

  /// `C(size + kinds − 1, kinds − 1)`, saturated at 2³¹.
  static func multisets(of size: Int, from kinds: Int) -> Int {
    if kinds == 0 { return size == 0 ? 1 : 0 }
    var result = 1
    for step in stride(from: 1, to: kinds, by: 1) {
      result = result * (size + step) / step
      if result > 1 << 31 { return 1 << 31 }
    }
    return result
  }

  /// The combinatorial number of a multiset: at each kind, those that have more of it come before.
  func index(of combination: HeadCombination) -> Int? {
    var remaining = combination.headCount
    guard remaining <= most, combinationStarts[remaining] >= 0,
      (combination.counts & foreign) == SIMD8(repeating: 0)
    else { return nil }
    var index = combinationStarts[remaining]
    for (position, lane) in lanes.enumerated() {
      let count = Int(combination.counts[lane])
      let before = remaining - count - 1
      if before >= 0 { index += multisetCounts[(lanes.count - position) * (most + 1) + before] }
      remaining -= count
    }
    return index
  }

  /// The number of the stack of these widths' positions in the list of widths.
  func stackIndex(of positions: some Collection<Int>, widthCount: Int) -> Int? {
    guard positions.count >= 1, positions.count < stackStarts.count else { return nil }
    return stackStarts[positions.count - 1] + positions.reduce(0) { $0 * widthCount + $1 }
  }
}
