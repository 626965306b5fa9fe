/// What is wrong with a file that a tokeniser is read from, or with what one is to be trained on.
public enum TextError: Error, Equatable, Sendable {
  /// The file is missing or cannot be read.
  case unreadable(path: String, reason: String)
  /// A line, counted from 1, is not UTF-8.
  case notUTF8(path: String, line: Int)
  /// The vocabulary has no lines.
  case emptyVocabulary(path: String)
  /// The vocabulary lacks a token that every sentence needs.
  case missingToken(path: String, token: String)
  /// A field of a JSON file has a value of the wrong kind; `field` is empty where the file is not an object.
  case invalidField(path: String, field: String, problem: String)
  /// A line, counted from 1, cannot be understood.
  case invalidLine(path: String, line: Int, problem: String)
  /// A folder has neither kind of vocabulary, or both.
  case noTokenizer(folder: String, problem: String)
  /// A file cannot be written.
  case unwritable(path: String, reason: String)
  /// A vocabulary of the size asked for has no room for what it must hold.
  case vocabularyTooSmall(size: Int, minimum: Int)
  /// There are no words to learn from.
  case noWords
}

extension TextError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadable(let path, let reason):
      "\(path): cannot be read: \(reason)"
    case .notUTF8(let path, let line):
      "\(path):\(line): is not UTF-8; a vocabulary is a text file"
    case .emptyVocabulary(let path):
      "\(path): is empty; a vocabulary has tokens"
    case .missingToken(let path, let token):
      "\(path): has no token \(token); BERT's vocabularies need [UNK], [CLS] and [SEP], RoBERTa's <s>, </s> and a token a byte"
    case .invalidField(let path, let field, let problem):
      field.isEmpty ? "\(path): \(problem)" : "\(path): \(field): \(problem)"
    case .invalidLine(let path, let line, let problem):
      "\(path):\(line): \(problem)"
    case .noTokenizer(let folder, let problem):
      "\(folder): \(problem)"
    case .unwritable(let path, let reason):
      "\(path): cannot be written: \(reason)"
    case .vocabularyTooSmall(let size, let minimum):
      "a vocabulary of \(size) tokens has no room for special tokens and letters; ask for at least \(minimum)"
    case .noWords:
      "the corpus has no words to learn a vocabulary from"
    }
  }
}
