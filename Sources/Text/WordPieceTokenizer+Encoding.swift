extension WordPieceTokenizer {
  /// Ids and token types of `[CLS] text [SEP]` or `[CLS] text [SEP] pair [SEP]`, cut to `maximumLength` tokens.
  ///
  /// Of a pair the longer text is cut first, until both are as long; types are 0 up to the first `[SEP]` and 1
  /// after it. The special tokens stay, so the result has at least two tokens, three with a pair.
  public func encode(
    _ text: String, pair: String? = nil, maximumLength: Int
  ) -> (ids: [Int32], types: [Int32]) {
    var first = pieces(of: text)
    guard let pair else {
      cut(&first, to: maximumLength - 2)
      let ids = [classifierID] + first + [separatorID]
      return (ids, [Int32](repeating: 0, count: ids.count))
    }
    var second = pieces(of: pair)
    let room = max(maximumLength - 3, 0)
    if first.count + second.count > room {
      let shorter = min(first.count, second.count)
      let firstIsLonger = first.count > second.count
      // The shorter text stays whole where it fits in half of the room; an odd token goes to the longer one.
      let keptOfShorter = min(shorter, room / 2)
      cut(&first, to: firstIsLonger ? room - keptOfShorter : keptOfShorter)
      cut(&second, to: firstIsLonger ? keptOfShorter : room - keptOfShorter)
    }
    let ids = [classifierID] + first + [separatorID] + second + [separatorID]
    let types = (0..<ids.count).map { $0 < first.count + 2 ? Int32(0) : 1 }
    return (ids, types)
  }

  /// Ids of a text alone, without `[CLS]` and `[SEP]`.
  public func pieces(of text: String) -> [Int32] {
    var text = text
    return text.withUTF8 { bytes in
      var writer = PieceWriter(tokenizer: self, capacity: bytes.count)
      var position = 0
      while position < bytes.count {
        position = read(bytes, at: position, into: &writer)
      }
      writer.endWord()
      return writer.ids
    }
  }

  private func cut(_ ids: inout [Int32], to count: Int) {
    let surplus = ids.count - max(count, 0)
    if surplus > 0 { ids.removeLast(surplus) }
  }

  /// Handles the scalar or special token at `position`; returns where the next begins.
  @inline(__always)
  private func read(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int, into writer: inout PieceWriter) -> Int {
    let byte = bytes[position]
    guard byte < 0x80 else { return readScalar(bytes, at: position, into: &writer) }
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      writer.append(byte)
    case UInt8(ascii: "A")...UInt8(ascii: "Z"):
      writer.append(folding.lowercase ? byte | 0x20 : byte)
    case 0x20, 0x09, 0x0A, 0x0D:
      writer.endWord()
    case 0x00..<0x20, 0x7F:
      break
    default:
      if byte == UInt8(ascii: "["), let special = special(bytes, at: position) {
        writer.endWord()
        writer.ids.append(special.id)
        return position + special.bytes.count
      }
      writer.endWord()
      writer.append(byte)
      writer.endWord()
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

  private func readScalar(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int, into writer: inout PieceWriter) -> Int
  {
    // A String's UTF-8 is valid, so the first byte tells the length.
    let first = UInt32(bytes[position])
    let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    var value = first & (length == 2 ? 0x1F : length == 3 ? 0x0F : 0x07)
    for offset in 1..<length where position + offset < bytes.count {
      value = value << 6 | UInt32(bytes[position + offset] & 0x3F)
    }
    guard let scalar = Unicode.Scalar(value) else { return position + length }
    switch ScalarFolding.classify(scalar) {
    case .dropped: break
    case .whitespace: writer.endWord()
    case .letter, .punctuation:
      let isWord = folding.spacesIdeographs && ScalarFolding.isIdeograph(scalar)
      if isWord { writer.endWord() }
      folding.fold(scalar) { part in
        // A decomposition may end in punctuation: the Greek question mark is a semicolon.
        if ScalarFolding.classify(part) == .punctuation {
          writer.endWord()
          writer.append(part)
          writer.endWord()
        } else {
          writer.append(part)
        }
      }
      if isWord { writer.endWord() }
    }
    return position + length
  }
}

/// Collects a word's bytes and cuts it into pieces at its end.
private struct PieceWriter {
  let tokenizer: WordPieceTokenizer
  var ids: [Int32] = []
  private var word: [UInt8] = []
  private var scalars = 0

  init(tokenizer: WordPieceTokenizer, capacity: Int) {
    self.tokenizer = tokenizer
    ids.reserveCapacity(capacity / 4 + 4)
    word.reserveCapacity(128)
  }

  @inline(__always)
  mutating func append(_ byte: UInt8) {
    word.append(byte)
    scalars += 1
  }

  mutating func append(_ scalar: Unicode.Scalar) {
    word.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
    scalars += 1
  }

  mutating func endWord() {
    guard !word.isEmpty else { return }
    defer {
      word.removeAll(keepingCapacity: true)
      scalars = 0
    }
    guard scalars <= WordPieceTokenizer.maximumWordLength else { return ids.append(tokenizer.unknownID) }
    let begin = ids.count
    var position = 0
    var root = PieceTrie.initialRoot
    while position < word.count {
      guard let match = tokenizer.trie.longestMatch(word, from: position, root: root) else {
        // A word with a part that no piece covers is unknown as a whole.
        ids.removeLast(ids.count - begin)
        return ids.append(tokenizer.unknownID)
      }
      ids.append(match.piece)
      position += match.length
      root = PieceTrie.continuationRoot
    }
  }
}
