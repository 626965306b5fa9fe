/// RoBERTa's byte-level BPE tokeniser (Radford et al. 2019; Liu et al. 2019).
///
/// A text is cut into words that begin with their space, and the bytes of each are merged in the order that the merges were learnt
/// in. No text is unknown. Ids equal those of Hugging Face's `RobertaTokenizerFast`; special tokens written out in a text are those tokens,
/// and `<mask>` takes the white space before it, as there.
public struct ByteLevelTokenizer: Tokenizer {
  public let vocabulary: [String]
  public let classifierID: Int32
  public let separatorID: Int32
  public let paddingID: Int32?
  public let maskID: Int32?
  /// `<unk>`: for bytes that the vocabulary lacks; nil where it has none.
  public let unknownID: Int32?
  public var specialIDs: [Int32] { specials.map(\.id) }

  /// True where a text that does not begin with a space is read as though it did.
  public let addsPrefixSpace: Bool

  static let specialTokens = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]

  private let specials: [(bytes: [UInt8], id: Int32)]
  private let byteIDs: [Int32]
  private let merges: MergeTable

  /// Reads `vocab.json`, `merges.txt` and, where there is one, `tokenizer_config.json` (`add_prefix_space`) of a folder.
  ///
  /// - Throws: ``TextError``.
  public static func open(folder: String) throws(TextError) -> ByteLevelTokenizer {
    try ByteLevelTokenizer(
      vocabularyFile: folder + "/vocab.json", mergesFile: folder + "/merges.txt",
      addsPrefixSpace: TokenizerConfiguration(folder: folder).addsPrefixSpace)
  }

  /// - Throws: ``TextError``.
  public init(vocabularyFile: String, mergesFile: String, addsPrefixSpace: Bool = false) throws(TextError) {
    let tokens = try TokenIDParser.tokens(of: vocabularyFile)
    // By bytes: Swift takes canonically equivalent strings for equal.
    var ids: [[UInt8]: Int32] = [:]
    for (id, token) in tokens.enumerated() { ids[Array(token.utf8)] = Int32(id) }
    let lines = try VocabularyFile.lines(of: mergesFile)
    var merges = MergeTable(capacity: lines.count)
    var rank: Int32 = 0
    for (index, line) in lines.enumerated() {
      if line.isEmpty || index == 0 && line.starts(with: "#version".utf8) { continue }
      func failure(_ problem: String) -> TextError {
        .invalidLine(path: mergesFile, line: index + 1, problem: problem)
      }
      let line = line.last == 0x0D ? line.dropLast() : line
      let parts = line.split(separator: 0x20, omittingEmptySubsequences: false).map(Array.init)
      guard parts.count == 2 else { throw failure("must be two tokens with a space between them") }
      guard let first = ids[parts[0]], let second = ids[parts[1]], let merged = ids[parts[0] + parts[1]] else {
        throw failure("the vocabulary lacks one of the two tokens or what they merge into")
      }
      merges.insert(first, second, MergeTable.Merge(rank: rank, token: merged))
      rank += 1
    }
    try self.init(
      tokens: tokens, ids: ids, merges: merges, source: vocabularyFile, addsPrefixSpace: addsPrefixSpace)
  }

  private init(
    tokens: [String], ids: [[UInt8]: Int32], merges: MergeTable, source: String, addsPrefixSpace: Bool
  ) throws(TextError) {
    func id(_ token: String) throws(TextError) -> Int32 {
      guard let id = ids[Array(token.utf8)] else { throw .missingToken(path: source, token: token) }
      return id
    }
    vocabulary = tokens
    classifierID = try id("<s>")
    separatorID = try id("</s>")
    paddingID = ids[Array("<pad>".utf8)]
    unknownID = ids[Array("<unk>".utf8)]
    maskID = ids[Array("<mask>".utf8)]
    specials = Self.specialTokens.compactMap { token in
      ids[Array(token.utf8)].map { (bytes: Array(token.utf8), id: $0) }
    }
    var byteIDs: [Int32] = []
    for letter in ByteAlphabet.letters {
      if let id = ids[Array(String(letter).utf8)] ?? unknownID {
        byteIDs.append(id)
      } else {
        throw .missingToken(path: source, token: String(letter))
      }
    }
    self.byteIDs = byteIDs
    self.merges = merges
    self.addsPrefixSpace = addsPrefixSpace
  }

  public func encode(
    _ text: String, pair: String? = nil, maximumLength: Int
  ) -> (ids: [Int32], types: [Int32]) {
    var ids = pieces(of: text)
    if let pair {
      var second = pieces(of: pair)
      Truncation.cut(&ids, &second, to: maximumLength - 4)
      ids = [classifierID] + ids + [separatorID, separatorID] + second + [separatorID]
    } else {
      Truncation.cut(&ids, to: maximumLength - 2)
      ids = [classifierID] + ids + [separatorID]
    }
    return (ids, [Int32](repeating: 0, count: ids.count))
  }

  public func pieces(of text: String) -> [Int32] {
    var text = text
    return text.withUTF8 { bytes in
      var ids: [Int32] = []
      ids.reserveCapacity(bytes.count / 4 + 4)
      var merger = WordMerger(table: merges)
      var start = 0
      var position = 0
      while position < bytes.count {
        guard bytes[position] == UInt8(ascii: "<"), let special = special(bytes, at: position) else {
          position += 1
          continue
        }
        var end = position
        if special.id == maskID { end = Self.endWithoutSpace(bytes, in: start..<position) }
        encode(bytes, in: start..<end, with: &merger, into: &ids)
        ids.append(special.id)
        position += special.bytes.count
        start = position
      }
      encode(bytes, in: start..<bytes.count, with: &merger, into: &ids)
      return ids
    }
  }

  /// The text that ids stand for, special tokens written out; bytes that are not UTF-8 are replaced.
  public func text(of ids: some Sequence<Int32>) -> String {
    var bytes: [UInt8] = []
    for id in ids where vocabulary.indices.contains(Int(id)) {
      let token = vocabulary[Int(id)]
      bytes += (specialIDs.contains(id) ? nil : ByteAlphabet.bytes(of: token)) ?? Array(token.utf8)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func special(
    _ bytes: UnsafeBufferPointer<UInt8>, at position: Int
  ) -> (bytes: [UInt8], id: Int32)? {
    specials.first { special in
      position + special.bytes.count <= bytes.count
        && special.bytes.indices.allSatisfy { bytes[position + $0] == special.bytes[$0] }
    }
  }

  private static func endWithoutSpace(_ bytes: UnsafeBufferPointer<UInt8>, in range: Range<Int>) -> Int {
    var end = range.upperBound
    while end > range.lowerBound {
      var start = end - 1
      while start > range.lowerBound, bytes[start] & 0xC0 == 0x80 { start -= 1 }
      guard UTF8Scalar.read(bytes, at: start).scalar?.properties.isWhitespace == true else { break }
      end = start
    }
    return end
  }

  private func encode(
    _ bytes: UnsafeBufferPointer<UInt8>, in range: Range<Int>, with merger: inout WordMerger, into ids: inout [Int32]
  ) {
    if addsPrefixSpace, !range.isEmpty, bytes[range.lowerBound] != 0x20 {
      let copy: [UInt8] = [0x20] + bytes[range]
      copy.withUnsafeBufferPointer { encode($0, in: 0..<copy.count, with: &merger, into: &ids) }
      return
    }
    var words = ByteLevelWords(bytes, in: range)
    while let word = words.next() { merger.merge(bytes[word].lazy.map { byteIDs[Int($0)] }, into: &ids) }
  }
}
