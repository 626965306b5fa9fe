/// Pairs of tokens that merge: how early, and into what.
///
/// One open-addressing table, so that a look-up is one probe of memory for most pairs.
struct MergeTable: Sendable {
  struct Merge: Sendable, Equatable {
    /// Merges of lower rank come first.
    var rank: Int32
    var token: Int32
  }

  private static let free = UInt64.max
  private var keys: [UInt64]
  private var merges: [Merge]
  private let shift: UInt64

  /// - Parameter capacity: most pairs.
  init(capacity: Int) {
    var bits: UInt64 = 4
    while 1 << bits < 2 * capacity { bits += 1 }
    keys = [UInt64](repeating: Self.free, count: 1 << Int(bits))
    merges = [Merge](repeating: Merge(rank: 0, token: 0), count: 1 << Int(bits))
    shift = 64 - bits
  }

  private func slot(_ key: UInt64) -> Int {
    let mask = keys.count - 1
    var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> shift)
    while keys[slot] != Self.free, keys[slot] != key { slot = (slot + 1) & mask }
    return slot
  }

  private static func key(_ first: Int32, _ second: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: first)) << 32 | UInt64(UInt32(bitPattern: second))
  }

  /// Of equal pairs the last counts. At most as many pairs as the capacity may be inserted.
  mutating func insert(_ first: Int32, _ second: Int32, _ merge: Merge) {
    let slot = slot(Self.key(first, second))
    keys[slot] = Self.key(first, second)
    merges[slot] = merge
  }

  @inline(__always)
  subscript(first: Int32, second: Int32) -> Merge? {
    let slot = slot(Self.key(first, second))
    return keys[slot] == Self.free ? nil : merges[slot]
  }
}
