import Architectures
import GRDB

/// Why a study cannot be opened, read or written: which file, what is wrong, what to do.
public struct StudyError: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Kind: Sendable, Hashable {
    /// What was asked does not go with the file.
    case usage
    /// The file, or what was told to it, is wrong.
    case input
    /// The machine: no room, no permission, another process in the way.
    case machine
  }

  public let path: String
  public let kind: Kind
  public let problem: String

  public init(path: String, kind: Kind, problem: String) {
    self.path = path
    self.kind = kind
    self.problem = problem
  }

  /// `file: what is wrong; what to do`, one line.
  public var description: String { InputFileError.printable("\(path): \(problem)", limit: 600) }

  /// Seconds that a step waits for another process that is writing.
  static let patienceSeconds = 60.0

  /// What SQLite says, in this project's words.
  init(_ error: DatabaseError, path: String) {
    let said = error.message.map { " (\($0))" } ?? ""
    switch error.resultCode {
    case .SQLITE_FULL:
      self.init(
        path: path, kind: .machine,
        problem: "the disk is full\(said): this step was not kept, what was there is whole; make room and run it again")
    case .SQLITE_NOTADB:
      self.init(path: path, kind: .input, problem: "is no study: not an SQLite database\(said)")
    case .SQLITE_CORRUPT:
      self.init(
        path: path, kind: .input,
        problem: "is damaged\(said); edgetwin study check says where, and sqlite3 FILE .recover saves what can be read")
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      self.init(
        path: path, kind: .machine,
        problem:
          "another process has been writing to it for \(Int(Self.patienceSeconds)) s; run this again when it is done"
      )
    case .SQLITE_CANTOPEN:
      self.init(
        path: path, kind: .machine, problem: "cannot be opened\(said); check that its folder exists and may be written")
    case .SQLITE_READONLY, .SQLITE_PERM:
      self.init(
        path: path, kind: .machine, problem: "may not be written\(said); check its permissions and its folder's")
    case .SQLITE_IOERR:
      self.init(
        path: path, kind: .machine,
        problem: "cannot be read or written\(said): this step was not kept; check the disk and run it again")
    default: self.init(path: path, kind: .machine, problem: "\(error.resultCode)\(said)")
    }
  }

  /// Runs `body`, and turns what SQLite throws into a ``StudyError``.
  static func translating<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let error as DatabaseError {
      throw StudyError(error, path: path)
    } catch is RowDecodingError {
      throw StudyError(
        DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a value is of another kind than its column"), path: path)
    }
  }
}
