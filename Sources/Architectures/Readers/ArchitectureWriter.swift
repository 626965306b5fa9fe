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
    if let problem = problem(with: path) { throw InputFileError(source: path, problem: problem) }
    do {
      if path == "-" {
        try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
      } else {
        let type = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
        let isPlain = type == nil || type == .typeRegular
        try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: isPlain ? .atomic : [])
      }
    } catch {
      throw InputFileError(source: path, problem: "cannot be written: \(reason(error, path))")
    }
  }

  /// Why nothing can be written to a path, as far as that shows before it is tried; nil where nothing speaks against it.
  package static func problem(with path: String) -> String? {
    if path == "-" { return nil }
    if path.isEmpty || path.utf8.contains(0) { return "is no name for a file" }
    func isFolder(_ path: String) -> Bool? {
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) ? isFolder.boolValue : nil
    }
    let exists = isFolder(path)
    if exists == true || path.hasSuffix("/") { return "cannot be written: it is a folder; name a file in it" }
    let folder = URL(filePath: path).deletingLastPathComponent().path
    guard isFolder(folder) == true else { return "cannot be written: there is no folder \(folder); make it first" }
    // A file is replaced by way of a temporary one beside it.
    let type = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
    let place = exists == nil || type == .typeRegular ? folder : path
    guard FileManager.default.isWritableFile(atPath: place) else {
      return "cannot be written: no permission to write to \(place)"
    }
    return nil
  }

  /// What the operating system says, where Foundation hides it in a number.
  private static func reason(_ error: any Error, _ path: String) -> String {
    let error = error as NSError
    for case let error? in [error.userInfo[NSUnderlyingErrorKey] as? NSError, error]
    where error.domain == NSPOSIXErrorDomain {
      return String(cString: strerror(Int32(error.code)))
    }
    switch CocoaError.Code(rawValue: error.code) {
    case .fileWriteOutOfSpace: return "no space is left"
    case .fileWriteNoPermission: return "no permission"
    case .fileWriteVolumeReadOnly: return "the file system is read-only"
    default: return "the operating system takes no file there"
    }
  }
}
