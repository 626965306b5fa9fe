import Foundation

/// BERT's WordPiece tokeniser (Devlin et al. 2019), uncased or cased.
///
/// A text is cleaned, CJK ideographs are spaced out, accents are stripped and letters lower-cased (uncased), words are
/// split at white space and punctuation, and each word is cut greedily into the longest pieces of the
/// vocabulary. Ids equal those of Hugging Face's `tokenizers`; special tokens written out in a text (`[MASK]`) are
/// those tokens, as there.
public struct WordPieceTokenizer: Tokenizer {
  /// Longer words, in Unicode scalars, become `[UNK]`.
  public static let maximumWordLength = 100
  static let specialTokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

  /// Tokens by id.
  public let vocabulary: [String]
  public let unknownID: Int32
  public let classifierID: Int32
  public let separatorID: Int32
  /// Nil where the vocabulary has no `[PAD]`.
  public let paddingID: Int32?
  /// Nil where the vocabulary has no `[MASK]`.
  public let maskID: Int32?

  let basic: BasicTokenizer
  let trie: PieceTrie

  public var specialIDs: [Int32] { basic.specials.map(\.id) }

  /// Reads a vocabulary: a token a line, its id the line's number from 0; white space at a line's end is no part
  /// of it, and of equal lines the last counts.
  ///
  /// - Parameters:
  ///   - lowercase: true for an uncased model.
  ///   - stripsAccents: nil does as `lowercase` does.
  ///   - spacesIdeographs: whether every CJK ideograph is a word.
  /// - Throws: ``TextError``.
  public init(
    vocabularyFile: String, lowercase: Bool, stripsAccents: Bool? = nil, spacesIdeographs: Bool = true
  ) throws(TextError) {
    var tokens: [String] = []
    for (index, line) in try VocabularyFile.lines(of: vocabularyFile).enumerated() {
      guard let text = String(validating: line, as: UTF8.self) else {
        throw .notUTF8(path: vocabularyFile, line: index + 1)
      }
      let scalars = text.unicodeScalars
      let last = scalars.lastIndex { !$0.properties.isWhitespace }
      tokens.append(last.map { String(scalars[...$0]) } ?? "")
    }
    try self.init(
      tokens: tokens, source: vocabularyFile,
      folding: ScalarFolding(
        lowercase: lowercase, stripsAccents: stripsAccents ?? lowercase, spacesIdeographs: spacesIdeographs))
  }

  /// The tokeniser of a model folder: `vocab.txt`, and of `tokenizer_config.json`, where there is one,
  /// `do_lower_case` (true where it does not say), `strip_accents` and `tokenize_chinese_chars`.
  ///
  /// - Throws: ``TextError``.
  public static func open(folder: String) throws(TextError) -> WordPieceTokenizer {
    let configuration = try TokenizerConfiguration(folder: folder)
    return try WordPieceTokenizer(
      vocabularyFile: folder + "/vocab.txt", lowercase: configuration.lowercase,
      stripsAccents: configuration.stripsAccents, spacesIdeographs: configuration.spacesIdeographs)
  }

  init(tokens: [String], source: String, folding: ScalarFolding) throws(TextError) {
    guard !tokens.isEmpty else { throw .emptyVocabulary(path: source) }
    var trie = PieceTrie()
    var ids: [String: Int32] = [:]
    for (index, token) in tokens.enumerated() {
      let id = Int32(index)
      trie.insert(token.utf8, root: PieceTrie.initialRoot, piece: id)
      if token.utf8.starts(with: "##".utf8) {
        trie.insert(token.utf8.dropFirst(2), root: PieceTrie.continuationRoot, piece: id)
      }
      if token.utf8.first == UInt8(ascii: "[") { ids[token] = id }
    }
    func id(_ token: String) throws(TextError) -> Int32 {
      guard let id = ids[token] else { throw .missingToken(path: source, token: token) }
      return id
    }
    unknownID = try id("[UNK]")
    classifierID = try id("[CLS]")
    separatorID = try id("[SEP]")
    paddingID = ids["[PAD]"]
    maskID = ids["[MASK]"]
    let specials = Self.specialTokens.compactMap { token in ids[token].map { (bytes: Array(token.utf8), id: $0) } }
    vocabulary = tokens
    self.trie = trie
    basic = BasicTokenizer(folding: folding, specials: specials)
  }
}
