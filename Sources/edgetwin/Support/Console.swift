import Architectures
import Foundation
import Workbench

/// Standard output for results, standard error for everything else.
enum Console {
  /// Writes all of `text` at once; ends the program quietly where nobody reads any more.
  /// - Throws: ``OutputError``.
  static func write(_ text: String) throws { try write(ContiguousArray(text.utf8)) }

  /// Writes all of `bytes`, likewise.
  static func write(_ bytes: some Collection<UInt8>) throws {
    var rest = ContiguousArray(bytes)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if count >= 0 {
        rest = rest.dropFirst(count)
      } else if errno == EPIPE {
        exit(0)
      } else if errno != EINTR {
        throw OutputError(description: "standard output: cannot be written: \(String(cString: strerror(errno)))")
      }
    }
  }

  /// Writes a whole file, by way of a temporary one, or standard output for `-`.
  /// - Throws: ``OutputError``.
  static func write(_ text: String, to path: String) throws {
    guard path != "-" else { return try write(text) }
    try checkFolder(of: path)
    do {
      try OutputFile.write(text, to: path)
    } catch {
      throw OutputError(description: "\(error)")
    }
  }

  /// Finds out before the work is done that there is no place for its result.
  /// - Throws: ``OutputError``.
  static func checkFolder(of path: String) throws {
    if let problem = OutputFile.problem(with: path) {
      throw OutputError(description: "\(InputFileError(source: path, problem: problem))")
    }
  }

  /// A line on standard error.
  static func say(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }

  /// A problem, on standard error.
  static func complain(_ text: String) { say("edgetwin: \(text)") }

  static var hasTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// Shows how far a long task is, on a terminal only; the next call replaces the line.
  static func progress(_ text: String) {
    guard hasTerminal else { return }
    FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8))
  }

  static func endProgress() {
    guard hasTerminal else { return }
    FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
  }

  /// Writes rows in a format other than a table.
  static func write(_ records: some Sequence<Record>, format: RecordFormat) throws {
    var writer = RecordWriter(format)
    for record in records { try write(writer.next(record)) }
    try write(writer.end())
  }
}
