/// The words that byte-level BPE never merges across, as GPT-2 cuts them:
/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+` (Radford et al. 2019, encoder.py), without a regular
/// expression: one pass over the bytes.
struct ByteLevelWords {
  private enum Kind: UInt8 {
    case letter
    case number
    case space
    case other
  }

  let bytes: UnsafeBufferPointer<UInt8>
  private var position: Int
  private let end: Int

  init(_ bytes: UnsafeBufferPointer<UInt8>, in range: Range<Int>) {
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
  }

  /// The next word's bytes; nil after the last. Words cover the text without gaps.
  mutating func next() -> Range<Int>? {
    guard position < end else { return nil }
    let start = position
    position = wordEnd(start)
    return start..<position
  }

  private func wordEnd(_ start: Int) -> Int {
    if bytes[start] == UInt8(ascii: "'"), let end = contractionEnd(start) { return end }
    var body = start
    if bytes[start] == 0x20, start + 1 < end { body += 1 }
    let (kind, length) = kind(at: body)
    if kind != .space { return runEnd(of: kind, from: body + length) }
    return spaceEnd(start)
  }

  private func contractionEnd(_ start: Int) -> Int? {
    guard start + 1 < end else { return nil }
    let second = bytes[start + 1]
    switch second {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return start + 2
    case UInt8(ascii: "r"), UInt8(ascii: "v"):
      return start + 2 < end && bytes[start + 2] == UInt8(ascii: "e") ? start + 3 : nil
    case UInt8(ascii: "l"): return start + 2 < end && bytes[start + 2] == second ? start + 3 : nil
    default: return nil
    }
  }

  private func runEnd(of kind: Kind, from start: Int) -> Int {
    var position = start
    while position < end {
      let (own, length) = self.kind(at: position)
      guard own == kind else { break }
      position += length
    }
    return position
  }

  /// A run of white space leaves its last character to the word after it.
  private func spaceEnd(_ start: Int) -> Int {
    var position = start
    var last = start
    while position < end {
      let (kind, length) = kind(at: position)
      guard kind == .space else { return last > start ? last : position }
      last = position
      position += length
    }
    return position
  }

  @inline(__always)
  private func kind(at position: Int) -> (Kind, Int) {
    let byte = bytes[position]
    if byte < 0x80 { return (Self.ascii[Int(byte)], 1) }
    let (scalar, length) = UTF8Scalar.read(bytes, at: position)
    return (scalar.map(Self.kind) ?? .other, min(length, end - position))
  }

  private static let ascii: [Kind] = (UInt32(0)..<128).map { Unicode.Scalar($0).map(kind) ?? .other }

  private static func kind(_ scalar: Unicode.Scalar) -> Kind {
    if scalar.properties.isWhitespace { return .space }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return .letter
    case .decimalNumber, .letterNumber, .otherNumber: return .number
    default: return .other
    }
  }
}
