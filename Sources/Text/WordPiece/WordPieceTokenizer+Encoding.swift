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
      Truncation.cut(&first, to: maximumLength - 2)
      let ids = [classifierID] + first + [separatorID]
      return (ids, [Int32](repeating: 0, count: ids.count))
    }
    var second = pieces(of: pair)
    Truncation.cut(&first, &second, to: maximumLength - 3)
    let ids = [classifierID] + first + [separatorID] + second + [separatorID]
    let types = (0..<ids.count).map { $0 < first.count + 2 ? Int32(0) : 1 }
    return (ids, types)
  }

  /// Ids of a text alone, without `[CLS]` and `[SEP]`.
  public func pieces(of text: String) -> [Int32] {
    var text = text
    return text.withUTF8 { bytes in
      var writer = PieceWriter(tokenizer: self, capacity: bytes.count)
      basic.scan(bytes, into: &writer)
      return writer.ids
    }
  }
}

/// Collects a word's bytes and cuts it into pieces at its end.
private struct PieceWriter: WordSink {
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

  mutating func special(_ id: Int32) { ids.append(id) }

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
