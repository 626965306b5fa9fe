/// What becomes of the words that ``BasicTokenizer`` finds.
protocol WordSink {
  mutating func append(_ byte: UInt8)
  mutating func append(_ scalar: Unicode.Scalar)
  /// The word is complete; nothing happens where it is empty.
  mutating func endWord()
  mutating func special(_ id: Int32)
}

/// BERT's basic tokeniser: a text is cleaned, CJK ideographs are spaced out, accents stripped and letters lower-cased where asked for,
/// and words are split at white space and punctuation.
struct BasicTokenizer: Sendable {
  let folding: ScalarFolding
  /// Tokens that are not split where they are written out.
  let specials: [(bytes: [UInt8], id: Int32)]

  /// Hands every byte, scalar and special token of a text to `sink`, and ends its last word.
  @inline(__always)
  func scan(_ bytes: UnsafeBufferPointer<UInt8>, into sink: inout some WordSink) {
    var position = 0
    while position < bytes.count {
      position = read(bytes, at: position, into: &sink)
    }
    sink.endWord()
  }

  /// Handles the scalar or special token at `position`; returns where the next begins.
  @inline(__always)
  private func read(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int, into sink: inout some WordSink) -> Int {
    let byte = bytes[position]
    guard byte < 0x80 else { return readScalar(bytes, at: position, into: &sink) }
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      sink.append(byte)
    case UInt8(ascii: "A")...UInt8(ascii: "Z"):
      sink.append(folding.lowercase ? byte | 0x20 : byte)
    case 0x20, 0x09, 0x0A, 0x0D:
      sink.endWord()
    case 0x00..<0x20, 0x7F:
      break
    default:
      if byte == UInt8(ascii: "["), let special = special(bytes, at: position) {
        sink.endWord()
        sink.special(special.id)
        return position + special.bytes.count
      }
      sink.endWord()
      sink.append(byte)
      sink.endWord()
    }
    return position + 1
  }

  private func special(
    _ bytes: UnsafeBufferPointer<UInt8>, at position: Int
  ) -> (bytes: [UInt8], id: Int32)? {
    specials.first { special in
      position + special.bytes.count <= bytes.count
        && special.bytes.indices.allSatisfy { bytes[position + $0] == special.bytes[$0] }
    }
  }

  private func readScalar(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int, into sink: inout some WordSink) -> Int
  {
    let (decoded, length) = UTF8Scalar.read(bytes, at: position)
    guard let scalar = decoded else { return position + length }
    switch ScalarFolding.classify(scalar) {
    case .dropped: break
    case .whitespace: sink.endWord()
    case .letter, .punctuation:
      let isWord = folding.spacesIdeographs && ScalarFolding.isIdeograph(scalar)
      if isWord { sink.endWord() }
      folding.fold(scalar) { part in
        // A decomposition may end in punctuation: the Greek question mark is a semicolon.
        if ScalarFolding.classify(part) == .punctuation {
          sink.endWord()
          sink.append(part)
          sink.endWord()
        } else {
          sink.append(part)
        }
      }
      if isWord { sink.endWord() }
    }
    return position + length
  }
}

/// Scalars of a String's UTF-8, which is valid, so that the first byte tells the length.
enum UTF8Scalar {
  @inline(__always)
  static func read(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int) -> (scalar: Unicode.Scalar?, length: Int) {
    let first = UInt32(bytes[position])
    if first < 0x80 { return (Unicode.Scalar(first), 1) }
    let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    var value = first & (length == 2 ? 0x1F : length == 3 ? 0x0F : 0x07)
    for offset in 1..<length where position + offset < bytes.count {
      value = value << 6 | UInt32(bytes[position + offset] & 0x3F)
    }
    return (Unicode.Scalar(value), length)
  }
}
