/// The files of a tokeniser in a model folder: `vocab.txt` (WordPiece), or `vocab.json` and `merges.txt` (byte-level BPE), with
/// `tokenizer_config.json` for both.
public enum TokenizerFolder {
  /// Every file that belongs to a tokeniser, Hugging Face's others among them: what a copy of it takes along.
  static let fileNames = [
    "vocab.txt", "vocab.json", "merges.txt", "tokenizer_config.json", "tokenizer.json", "special_tokens_map.json",
    "added_tokens.json",
  ]

  /// Opens the tokeniser of a folder.
  ///
  /// - Throws: ``TextError``.
  public static func open(_ folder: String) throws(TextError) -> any Tokenizer {
    let hasPieces = VocabularyFile.exists(folder + "/vocab.txt")
    let hasMerges = VocabularyFile.exists(folder + "/vocab.json")
    guard hasPieces || hasMerges else {
      throw .noTokenizer(
        folder: folder, problem: "has no tokeniser: neither vocab.txt nor vocab.json with merges.txt")
    }
    guard !(hasPieces && hasMerges) else {
      throw .noTokenizer(folder: folder, problem: "has two tokenisers: vocab.txt and vocab.json; one must go")
    }
    if hasPieces { return try WordPieceTokenizer.open(folder: folder) }
    return try ByteLevelTokenizer.open(folder: folder)
  }

  /// Copies the files of a tokeniser into another folder, which exists; files of the same names are replaced.
  ///
  /// - Throws: ``TextError``.
  public static func copy(from source: String, to target: String) throws(TextError) {
    for name in fileNames where VocabularyFile.exists("\(source)/\(name)") {
      let bytes = try VocabularyFile.bytes(of: "\(source)/\(name)")
      try VocabularyFile.write(bytes, to: "\(target)/\(name)")
    }
  }

  /// Makes a folder for a tokeniser's files.
  ///
  /// - Throws: ``TextError`` where it holds `others`, with which the files would contradict each other.
  static func prepare(_ folder: String, without others: [String]) throws(TextError) {
    for name in others where VocabularyFile.exists("\(folder)/\(name)") {
      throw .noTokenizer(
        folder: folder, problem: "has \(name) of another tokeniser; name another folder, or remove that file")
    }
    try VocabularyFile.makeFolder(folder)
  }
}
