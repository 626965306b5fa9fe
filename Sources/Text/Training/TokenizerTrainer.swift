/// Learns a tokeniser from a corpus that it is given line by line; the order of the lines does not matter.
public protocol TokenizerTrainer {
  /// Counts the words of a text.
  mutating func add(_ text: String)

  /// Learns the vocabulary.
  ///
  /// - Parameter progress: told how many tokens there are so far.
  /// - Throws: ``TextError`` (`noWords`).
  func train(progress: (Int) -> Void) throws(TextError) -> any TrainedTokenizer
}

/// A vocabulary that was learnt, to be written down.
public protocol TrainedTokenizer {
  /// Tokens by id.
  var vocabulary: [String] { get }

  /// Writes the tokeniser's files into a folder, which is made where it does not exist.
  ///
  /// - Throws: ``TextError``, also where the folder has a tokeniser of another kind.
  func write(folder: String) throws(TextError)
}

/// Tokens by their bytes while a vocabulary grows.
struct TokenTable {
  private(set) var tokens: [[UInt8]] = []
  private var ids: [[UInt8]: Int32] = [:]

  /// The id of a token, which is new or known.
  mutating func id(_ token: [UInt8]) -> Int32 {
    if let id = ids[token] { return id }
    let id = Int32(tokens.count)
    tokens.append(token)
    ids[token] = id
    return id
  }

  func known(_ token: [UInt8]) -> Int32? { ids[token] }
}
