/// Word pieces by their UTF-8 bytes, for the longest piece that a text begins with.
///
/// A trie whose edges live in one open-addressing table: a step costs one look-up, and a search stops at the first
/// byte that no piece goes on with. Pieces that begin a word and pieces that continue one (`##…`) have a root
/// each.
struct PieceTrie: Sendable {
  static let initialRoot: Int32 = 0
  static let continuationRoot: Int32 = 1

  /// Number of the piece that ends at a node; -1 where none does.
  private var pieces: [Int32] = [-1, -1]
  /// `node * 256 + byte + 1` of each edge; 0 where the slot is free.
  private var keys: [UInt64]
  private var targets: [Int32]
  private var edges = 0
  private var shift: UInt64

  init() {
    let bits = 10
    keys = [UInt64](repeating: 0, count: 1 << bits)
    targets = [Int32](repeating: 0, count: 1 << bits)
    shift = UInt64(64 - bits)
  }

  /// Adds a piece; of equal ones the last stays.
  mutating func insert(_ bytes: some Sequence<UInt8>, root: Int32, piece: Int32) {
    var node = root
    for byte in bytes {
      if let next = step(from: node, byte) {
        node = next
      } else {
        let next = Int32(pieces.count)
        pieces.append(-1)
        addEdge(Self.key(node, byte), next)
        node = next
      }
    }
    // An empty piece would match everywhere without taking a byte.
    if node > Self.continuationRoot { pieces[Int(node)] = piece }
  }

  /// The longest piece that `bytes[start...]` begins with, and its length in bytes.
  func longestMatch(_ bytes: [UInt8], from start: Int, root: Int32) -> (piece: Int32, length: Int)? {
    var node = root
    var found: (piece: Int32, length: Int)?
    var position = start
    while position < bytes.count, let next = step(from: node, bytes[position]) {
      node = next
      position += 1
      let piece = pieces[Int(node)]
      if piece >= 0 { found = (piece, position - start) }
    }
    return found
  }

  private static func key(_ node: Int32, _ byte: UInt8) -> UInt64 { UInt64(node) << 8 + UInt64(byte) + 1 }

  private func slot(_ key: UInt64) -> Int {
    let mask = keys.count - 1
    var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> shift)
    while keys[slot] != 0, keys[slot] != key { slot = (slot + 1) & mask }
    return slot
  }

  private func step(from node: Int32, _ byte: UInt8) -> Int32? {
    let key = Self.key(node, byte)
    let slot = slot(key)
    return keys[slot] == key ? targets[slot] : nil
  }

  private mutating func addEdge(_ key: UInt64, _ target: Int32) {
    if edges * 2 >= keys.count { grow() }
    let slot = slot(key)
    keys[slot] = key
    targets[slot] = target
    edges += 1
  }

  private mutating func grow() {
    let old = zip(keys, targets).filter { $0.0 != 0 }
    shift -= 1
    keys = [UInt64](repeating: 0, count: keys.count * 2)
    targets = [Int32](repeating: 0, count: keys.count)
    for (key, target) in old {
      let slot = slot(key)
      keys[slot] = key
      targets[slot] = target
    }
  }
}
