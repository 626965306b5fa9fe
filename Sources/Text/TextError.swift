/// What is wrong with a file that a tokeniser is read from.
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
}

extension TextError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadable(let path, let reason):
      "\(path): cannot be read: \(reason)"
    case .notUTF8(let path, let line):
      "\(path):\(line): is not UTF-8; a WordPiece vocabulary is a text file with a token a line"
    case .emptyVocabulary(let path):
      "\(path): is empty; a WordPiece vocabulary has a token a line"
    case .missingToken(let path, let token):
      "\(path): has no line \(token); a BERT vocabulary needs [UNK], [CLS] and [SEP]"
    case .invalidField(let path, let field, let problem):
      field.isEmpty ? "\(path): \(problem)" : "\(path): \(field): \(problem)"
    }
  }
}
