import Foundation

/// Writes architectures as JSON Lines of the project's own form.
public enum ArchitectureWriter {
  /// The text of a file: a line an architecture, in order.
  public static func text(_ architectures: some Sequence<Architecture>) -> String {
    architectures.map { $0.jsonLine + "\n" }.joined()
  }

  /// Writes a file, or standard output for `-`; a file that exists is replaced.
  ///
  /// - Throws: ``InputFileError`` where the file cannot be written.
  public static func write(_ architectures: some Sequence<Architecture>, to path: String) throws {
    try OutputFile.write(text(architectures), to: path)
  }
}

/// Writing of whole text files.
package enum OutputFile {
  /// Writes `text` to a file, by way of a temporary one so that no half file is left, or to standard output
  /// for `-`.
  ///
  /// What exists and is no plain file (a pipe, a device, a link) is written into: a temporary file would take
  /// its place.
  package static func write(_ text: String, to path: String) throws {
    guard path != "", !path.utf8.contains(0) else {
      throw InputFileError(source: path, problem: "is no name for a file")
    }
    do {
      if path == "-" {
        try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
      } else {
        let type = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
        let isPlain = type == nil || type == .typeRegular
        try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: isPlain ? .atomic : [])
      }
    } catch {
      throw InputFileError(source: path, problem: "cannot be written: \(error.localizedDescription)")
    }
  }
}
