/// Learns byte-level BPE as GPT-2 and RoBERTa have it: special tokens, the 256 bytes, then merges within words.
///
/// The result is that of Hugging Face's `ByteLevelBPETokenizer.train` with the same special tokens.
public struct ByteLevelTrainer: TokenizerTrainer {
  /// Special tokens and bytes.
  public static let minimumVocabularySize = ByteLevelTokenizer.specialTokens.count + 256

  let vocabularySize: Int
  let minimumCount: Int
  private var words = WordCounts()

  /// - Parameters:
  ///   - vocabularySize: most tokens, special ones among them.
  ///   - minimumCount: pairs that occur less often do not merge.
  /// - Throws: ``TextError`` (`vocabularyTooSmall`).
  public init(vocabularySize: Int, minimumCount: Int = 2) throws(TextError) {
    guard vocabularySize >= Self.minimumVocabularySize else {
      throw .vocabularyTooSmall(size: vocabularySize, minimum: Self.minimumVocabularySize)
    }
    self.vocabularySize = vocabularySize
    self.minimumCount = minimumCount
  }

  public mutating func add(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      var found = ByteLevelWords(bytes, in: 0..<bytes.count)
      while let word = found.next() { words.add(UnsafeBufferPointer(rebasing: bytes[word])) }
    }
  }

  public func train(progress: (Int) -> Void = { _ in }) throws(TextError) -> any TrainedTokenizer {
    guard words.wordCount > 0 else { throw .noWords }
    var table = TokenTable()
    for token in ByteLevelTokenizer.specialTokens { _ = table.id(Array(token.utf8)) }
    // By letter rather than by byte, as in every vocabulary of this kind.
    let letters = ByteAlphabet.letters.sorted { $0.value < $1.value }
    for letter in letters { _ = table.id(Array(String(letter).utf8)) }
    let ids = ByteAlphabet.letters.map { table.known(Array(String($0).utf8)) ?? 0 }
    var learner = MergeLearner(
      words: (0..<words.wordCount).map { index in words.word(index).map { ids[Int($0)] } }, counts: words.counts)
    var merges: [MergeLearner.Merge] = []
    while table.tokens.count < vocabularySize,
      let merge = learner.next(
        minimumCount: minimumCount, token: { table.id(table.tokens[Int($0)] + table.tokens[Int($1)]) })
    {
      merges.append(merge)
      if merges.count % 256 == 0 { progress(table.tokens.count) }
    }
    let vocabulary = table.tokens.map { String(decoding: $0, as: UTF8.self) }
    return TrainedByteLevel(
      vocabulary: vocabulary, merges: merges.map { (vocabulary[Int($0.first)], vocabulary[Int($0.second)]) })
  }
}

/// Byte-level BPE that was learnt.
struct TrainedByteLevel: TrainedTokenizer {
  let vocabulary: [String]
  let merges: [(first: String, second: String)]

  func write(folder: String) throws(TextError) {
    try TokenizerFolder.prepare(folder, without: ["vocab.txt", "tokenizer.json"])
    let pairs = vocabulary.enumerated().map { "\(JSONString.quoted($1)):\($0)" }
    try VocabularyFile.write("{\(pairs.joined(separator: ","))}\n".utf8, to: folder + "/vocab.json")
    let lines = merges.map { "\($0.first) \($0.second)\n" }
    try VocabularyFile.write("#version: 0.2\n\(lines.joined())".utf8, to: folder + "/merges.txt")
    let configuration = """
      {"tokenizer_class":"RobertaTokenizer","add_prefix_space":false,"bos_token":"<s>","cls_token":"<s>",\
      "eos_token":"</s>","sep_token":"</s>","unk_token":"<unk>","pad_token":"<pad>","mask_token":"<mask>"}

      """
    try VocabularyFile.write(configuration.utf8, to: folder + "/tokenizer_config.json")
  }
}
