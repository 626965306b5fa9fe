/// Learns a WordPiece vocabulary: special tokens, letters at the beginning of words and within them (`##…`), then merges of neighbours by
/// frequency, as Hugging Face's `WordPieceTrainer` does.
public struct WordPieceTrainer: TokenizerTrainer {
  /// Special tokens, and a letter.
  public static let minimumVocabularySize = WordPieceTokenizer.specialTokens.count + 1

  let vocabularySize: Int
  let minimumCount: Int
  private let basic: BasicTokenizer
  private let lowercase: Bool
  private var sink = CountingSink()

  /// Letters that are kept, at most; a letter at a word's beginning and within one count as two.
  static let maximumAlphabet = 2000

  /// - Parameters:
  ///   - vocabularySize: most tokens, special ones among them.
  ///   - lowercase: true for an uncased vocabulary, whose texts are lower-cased and lose their accents.
  ///   - minimumCount: pairs that occur less often do not merge.
  /// - Throws: ``TextError`` (`vocabularyTooSmall`).
  public init(vocabularySize: Int, lowercase: Bool = true, minimumCount: Int = 2) throws(TextError) {
    guard vocabularySize >= Self.minimumVocabularySize else {
      throw .vocabularyTooSmall(size: vocabularySize, minimum: Self.minimumVocabularySize)
    }
    self.vocabularySize = vocabularySize
    self.minimumCount = minimumCount
    self.lowercase = lowercase
    basic = BasicTokenizer(
      folding: ScalarFolding(lowercase: lowercase, stripsAccents: lowercase, spacesIdeographs: true),
      specials: WordPieceTokenizer.specialTokens.map { (Array($0.utf8), 0) })
  }

  public mutating func add(_ text: String) {
    var text = text
    text.withUTF8 { basic.scan($0, into: &sink) }
  }

  public func train(progress: (Int) -> Void = { _ in }) throws(TextError) -> any TrainedTokenizer {
    let words = sink.words
    guard words.wordCount > 0 else { throw .noWords }
    let pieces = (0..<words.wordCount).map { Self.letters(of: words.word($0)) }
    var table = TokenTable()
    for token in WordPieceTokenizer.specialTokens { _ = table.id(Array(token.utf8)) }
    for letter in alphabet(pieces, counts: words.counts) { _ = table.id(letter) }
    // A word with a letter that is left out is unknown as a whole, so that nothing is to be learnt from it.
    var symbols: [[Int32]] = []
    var counts: [Int] = []
    for (index, letters) in pieces.enumerated() {
      let ids = letters.compactMap { table.known($0) }
      guard ids.count == letters.count else { continue }
      symbols.append(ids)
      counts.append(words.counts[index])
    }
    var learner = MergeLearner(words: symbols, counts: counts)
    func merged(_ first: Int32, _ second: Int32) -> Int32 {
      table.id(table.tokens[Int(first)] + table.tokens[Int(second)].dropFirst(2))
    }
    while table.tokens.count < vocabularySize, learner.next(minimumCount: minimumCount, token: merged) != nil {
      if table.tokens.count % 256 == 0 { progress(table.tokens.count) }
    }
    return TrainedWordPiece(
      vocabulary: table.tokens.map { String(decoding: $0, as: UTF8.self) }, lowercase: lowercase)
  }

  /// A word's letters as tokens: the first as it is, the others after `##`.
  private static func letters(of word: ArraySlice<UInt8>) -> [[UInt8]] {
    var result: [[UInt8]] = []
    for byte in word {
      if byte & 0xC0 == 0x80, let last = result.indices.last {
        result[last].append(byte)
      } else {
        result.append((result.isEmpty ? [] : Array("##".utf8)) + [byte])
      }
    }
    return result
  }

  /// The most frequent letters, in the order of their code points, those at the beginning of words first.
  private func alphabet(_ words: [[[UInt8]]], counts: [Int]) -> [[UInt8]] {
    var found: [[UInt8]: Int] = [:]
    for (word, count) in zip(words, counts) {
      for letter in word { found[letter, default: 0] += count }
    }
    func isInner(_ letter: [UInt8]) -> Bool { letter.count > 2 && letter.starts(with: "##".utf8) }
    // UTF-8 sorts as code points do.
    func precedes(_ a: [UInt8], _ b: [UInt8]) -> Bool {
      isInner(a) == isInner(b) ? a.lexicographicallyPrecedes(b) : !isInner(a)
    }
    let room = min(Self.maximumAlphabet, vocabularySize - WordPieceTokenizer.specialTokens.count)
    return found.sorted { $0.value == $1.value ? precedes($0.key, $1.key) : $0.value > $1.value }
      .prefix(room).map(\.key).sorted(by: precedes)
  }
}

/// Counts the words that the basic tokeniser finds; those too long to have pieces are left out.
private struct CountingSink: WordSink {
  var words = WordCounts()
  private var word: [UInt8] = []
  private var scalars = 0

  @inline(__always)
  mutating func append(_ byte: UInt8) {
    word.append(byte)
    scalars += 1
  }

  mutating func append(_ scalar: Unicode.Scalar) {
    word.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
    scalars += 1
  }

  mutating func special(_ id: Int32) {}

  mutating func endWord() {
    if !word.isEmpty, scalars <= WordPieceTokenizer.maximumWordLength {
      word.withUnsafeBufferPointer { words.add($0) }
    }
    word.removeAll(keepingCapacity: true)
    scalars = 0
  }
}

/// A WordPiece vocabulary that was learnt.
struct TrainedWordPiece: TrainedTokenizer {
  let vocabulary: [String]
  let lowercase: Bool

  func write(folder: String) throws(TextError) {
    try TokenizerFolder.prepare(folder, without: ["vocab.json", "tokenizer.json"])
    let lines = vocabulary.map { $0 + "\n" }
    try VocabularyFile.write(lines.joined().utf8, to: folder + "/vocab.txt")
    let configuration = """
      {"tokenizer_class":"BertTokenizer","do_lower_case":\(lowercase),"strip_accents":null,\
      "tokenize_chinese_chars":true,"unk_token":"[UNK]","sep_token":"[SEP]","pad_token":"[PAD]","cls_token":"[CLS]",\
      "mask_token":"[MASK]"}

      """
    try VocabularyFile.write(configuration.utf8, to: folder + "/tokenizer_config.json")
  }
}
