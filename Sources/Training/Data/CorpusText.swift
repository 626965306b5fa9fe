import Architectures

/// The lines of text files.
public enum CorpusText {
  /// Hands on every line that is not blank, file by file; `-` is standard input.
  ///
  /// - Throws: `InputFileError` where a file cannot be read or is no UTF-8 text, or what `body` throws.
  public static func forEachLine(of paths: [String], _ body: (String) throws -> Void) throws {
    for path in paths {
      var lines = try LineReader(path: path)
      while let (_, bytes) = try lines.next() { try body(String(decoding: bytes, as: UTF8.self)) }
    }
  }
}
