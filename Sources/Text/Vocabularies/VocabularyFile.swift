import Foundation

/// Reading and writing of the small files that a tokeniser consists of.
enum VocabularyFile {
  static func bytes(of path: String) throws(TextError) -> [UInt8] {
    do { return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) } catch {
      throw .unreadable(path: path, reason: error.localizedDescription)
    }
  }

  /// Lines without their line feeds; what follows the last line feed is no line unless something does.
  static func lines(of path: String) throws(TextError) -> [ArraySlice<UInt8>] {
    var lines = try bytes(of: path).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }

  /// Writes by way of a temporary file, so that it appears whole or not at all.
  static func write(_ bytes: some Sequence<UInt8>, to path: String) throws(TextError) {
    do { try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
      throw .unwritable(path: path, reason: error.localizedDescription)
    }
  }

  static func makeFolder(_ path: String) throws(TextError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch { throw .unwritable(path: path, reason: error.localizedDescription) }
  }

  static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
}
