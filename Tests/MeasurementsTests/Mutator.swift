/// Damages files in the ways that files get damaged, and in those that people think of who want to crash a reader.
///
/// Seeded: the same seed gives the same damage.
struct Mutator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// SplitMix64.
  private mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(bound, 1))) }

  private mutating func pick<T>(_ items: [T]) -> T { items[below(items.count)] }

  private static let numbers = [
    "0", "-0", "-1", "1", "1.5", "1e400", "-1e400", "NaN", "Infinity", "-Infinity",
    "1000000000000000000000000000000",
    "9223372036854775807", "-9223372036854775808", "9223372036854775808", "1e18", "9.3e18", "1e-320",
    "1000000", "1000001",
    "4294967296", "00", "0x7fffffff", ".nan", ".inf", "1_000", "1e", "--1", "", "99999", "2147483648",
  ]
  private static let tokens = [
    "null", "true", "\"\"", "[]", "{}", "[[]]", "{\"a\":1}", "\"x\"", "\"sa_sdp_0\"", "\"sa_sdp_-1\"",
    "\"_\"",
    "\"sa_sdp_99999999999999999999\"", "\\u0000", "\\ud800", "\\udc00\\ud800", "&a", "*a", "? ", "- - - - ",
    "!!binary ", "!<x> ",
    "%YAML 9.9\n", "---\n", "...\n", "\t", "|\n", ">-\n", "'", "\"", ",", ":", "\\", "#", "\r", "\u{0}",
    "\u{FEFF}", "é", "😀",
    "\u{2028}", "<<: ", "edgetwin.measurement/1", "edgetwin.architecture/99999999999999999999", "\n",
  ]
  private static let names = [
    "schema", "layers", "hidden_size", "head_size", "heads", "feed_forward", "position", "architecture",
    "model_dict", "features",
    "embedding", "performance", "environment", "l", "o", "h", "f", "latency_s", "energy_j", "order",
    "batch_size", "device",
    "hidden_act", "num_attention_heads", "latency_mean_encoder", "encoder_embed_dim",
  ]

  /// A copy of `sample` with one to four damages.
  mutating func damage(_ sample: [UInt8]) -> [UInt8] {
    var bytes = sample
    for _ in 0...below(4) { damageOnce(&bytes) }
    return bytes
  }

  private mutating func range(in bytes: [UInt8], longest: Int) -> Range<Int> {
    let start = below(bytes.count + 1)
    return start..<min(bytes.count, start + below(longest))
  }

  /// The runs of bytes that satisfy `isPart`.
  private func runs(in bytes: [UInt8], where isPart: (UInt8) -> Bool) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var start: Int?
    for index in 0...bytes.count {
      let inside = index < bytes.count && isPart(bytes[index])
      if inside, start == nil { start = index }
      if !inside, let first = start {
        result.append(first..<index)
        start = nil
      }
    }
    return result
  }

  private mutating func damageOnce(_ bytes: inout [UInt8]) {
    let isDigit: (UInt8) -> Bool = { $0 &- 0x30 < 10 || $0 == 0x2E }
    let isWord: (UInt8) -> Bool = { $0 &- 0x61 < 26 || $0 == 0x5F || $0 &- 0x30 < 10 }
    switch below(16) {
    case 0:
      if !bytes.isEmpty { bytes[below(bytes.count)] ^= 1 << UInt8(below(8)) }
    case 1:
      if !bytes.isEmpty { bytes[below(bytes.count)] = UInt8(below(256)) }
    case 2: bytes.removeLast(below(bytes.count))
    case 3: bytes.removeSubrange(range(in: bytes, longest: 80))
    case 4:
      let chunk = Array(bytes[range(in: bytes, longest: 200)])
      bytes.insert(contentsOf: chunk, at: below(bytes.count + 1))
    case 5, 6, 7, 8:
      let found = runs(in: bytes, where: isDigit)
      if !found.isEmpty { bytes.replaceSubrange(pick(found), with: Array(pick(Self.numbers).utf8)) }
    case 9, 10:
      let found = runs(in: bytes, where: isWord)
      if !found.isEmpty {
        let word = below(2) == 0 ? pick(Self.tokens) : pick(Self.names)
        bytes.replaceSubrange(pick(found), with: Array(word.utf8))
      }
    case 11: bytes.insert(contentsOf: Array(pick(Self.tokens).utf8), at: below(bytes.count + 1))
    case 12:
      let found = runs(in: bytes, where: isWord)
      guard found.count > 1 else { return }
      let (a, b) = (pick(found), pick(found))
      let word = Array(bytes[a])
      bytes.replaceSubrange(b, with: word)
    case 13:
      let unit = pick(["[", "{\"a\":", "{a: ", "- ", "? ", "(", "\"", "]", "}", " ", "-"])
      let count = pick([1, 2, 60, 65, 300, below(50) == 0 ? 100_000 : 1_000])
      bytes.insert(
        contentsOf: Array(String(repeating: unit, count: count).utf8),
        at: below(2) == 0 ? 0 : below(bytes.count + 1))
    case 14:
      let found = runs(in: bytes) { $0 != 0x0A }
      guard !found.isEmpty else { return }
      let line = pick(found)
      if below(2) == 0 {
        bytes.removeSubrange(line)
      } else {
        bytes.insert(contentsOf: bytes[line], at: line.lowerBound)
      }
    default:
      let mark = pick([0x2C, 0x3A, 0x22, 0x5B, 0x5D, 0x7B, 0x7D, 0x0A] as [UInt8])
      let places = bytes.indices.filter { bytes[$0] == mark }
      if !places.isEmpty {
        bytes[pick(places)] = pick([0x2C, 0x3A, 0x22, 0x5B, 0x5D, 0x7B, 0x7D, 0x20] as [UInt8])
      }
    }
  }
}
