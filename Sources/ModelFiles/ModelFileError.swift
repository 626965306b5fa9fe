import Architectures

/// What is wrong with a model's file: where, what, and what to do.
public struct ModelFileError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Whether the file could not be understood or could not be written.
  public enum Kind: Sendable, Equatable {
    case input
    case output
  }

  public let kind: Kind
  /// The file or folder as it was named by the caller.
  public let source: String
  /// Line of a text file, from 1; nil where no line is to blame.
  public let line: Int?
  /// The tensor or configuration field to blame; nil where it is the file as a whole.
  public let field: String?
  public let problem: String

  public init(kind: Kind = .input, source: String, line: Int? = nil, field: String? = nil, problem: String) {
    self.kind = kind
    self.source = source
    self.line = line
    self.field = field
    self.problem = problem
  }

  public var description: String {
    var place = source.isEmpty ? "model" : source
    if let line { place += ":\(line)" }
    if let field { place += ": \(InputFileError.printable(field, limit: 120))" }
    return InputFileError.printable("\(place): \(problem)", limit: 600)
  }

  /// An error of a reader of text files, in this room's words.
  init(_ error: any Error, source: String) {
    if let error = error as? InputFileError {
      self.init(source: error.source, line: error.line, field: error.field, problem: error.problem)
    } else {
      self.init(source: source, problem: "cannot be read: \(error)")
    }
  }
}
