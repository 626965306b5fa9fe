/// How often each word occurs: bytes in one arena, found by open addressing, so that counting millions of words allocates next to nothing.
/// Words keep the order in which they first came.
struct WordCounts {
  private(set) var counts: [Int] = []
  private var arena: [UInt8] = []
  private var starts: [Int] = [0]
  /// Number of a word plus one; 0 where the slot is free.
  private var table = [Int32](repeating: 0, count: 1 << 12)

  var wordCount: Int { counts.count }

  func word(_ index: Int) -> ArraySlice<UInt8> { arena[starts[index]..<starts[index + 1]] }

  mutating func add(_ word: UnsafeBufferPointer<UInt8>) {
    if 2 * counts.count >= table.count { grow() }
    var slot = Int(truncatingIfNeeded: Self.hash(word)) & (table.count - 1)
    while table[slot] != 0 {
      let index = Int(table[slot]) - 1
      if isWord(index, word) {
        counts[index] += 1
        return
      }
      slot = (slot + 1) & (table.count - 1)
    }
    arena.append(contentsOf: word)
    starts.append(arena.count)
    counts.append(1)
    table[slot] = Int32(counts.count)
  }

  private func isWord(_ index: Int, _ word: UnsafeBufferPointer<UInt8>) -> Bool {
    let start = starts[index]
    guard starts[index + 1] - start == word.count else { return false }
    for offset in 0..<word.count where arena[start + offset] != word[offset] { return false }
    return true
  }

  /// FNV-1a, its high bits folded in.
  private static func hash(_ word: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in word { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return hash ^ hash >> 29
  }

  private mutating func grow() {
    table = [Int32](repeating: 0, count: table.count * 4)
    for index in counts.indices {
      var slot = arena.withUnsafeBufferPointer {
        Int(truncatingIfNeeded: Self.hash(UnsafeBufferPointer(rebasing: $0[starts[index]..<starts[index + 1]])))
          & (table.count - 1)
      }
      while table[slot] != 0 { slot = (slot + 1) & (table.count - 1) }
      table[slot] = Int32(index) + 1
    }
  }
}
