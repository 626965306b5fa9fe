import Architectures
import Foundation
import Measurements
import Synchronization

import struct Measurements.Measurement

/// Writes measurements one by one: a row is in the file, whole, as soon as it is known.
///
/// What the file held and is not to be kept goes with the first row: a command that cannot measure loses nothing.
public final class MeasurementAppender: Sendable {
  private let path: String
  private let descriptor: Int32
  /// Bytes to cut the file to before the first row; nil once that is done.
  private let keptBytes: Mutex<Int?>
  /// Rows that the file held when it was opened to go on.
  public let existing: [Measurement]

  /// - Parameters:
  ///   - path: a file, or `-` for standard output.
  ///   - resumes: goes on behind what the file holds, without a last line that was cut off; else what it holds is replaced.
  /// - Throws: `InputFileError` where the file cannot be written, or cannot be read to go on.
  public init(path: String, resumes: Bool) throws {
    self.path = path
    guard path != "-" else {
      guard !resumes else {
        throw InputFileError(source: InputBytes.name(of: path), problem: "cannot be gone on with: name a file")
      }
      descriptor = STDOUT_FILENO
      existing = []
      keptBytes = Mutex(nil)
      return
    }
    var kept: [UInt8] = []
    if resumes, FileManager.default.fileExists(atPath: path) {
      kept = try Self.contents(path)
      if let end = kept.lastIndex(of: 0x0A) { kept.removeSubrange((end + 1)...) } else { kept = [] }
    }
    existing =
      kept.contains { !InputBytes.isBlank($0) } ? try MeasurementFile.read(bytes: kept, source: path) : []
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    keptBytes = Mutex(kept.count)
    guard descriptor >= 0 else { throw Self.failure(path) }
  }

  /// A plain file is cut to what is kept; a pipe or a device cannot be.
  private func cut() throws {
    let count = keptBytes.withLock { kept -> Int? in
      defer { kept = nil }
      return kept
    }
    guard let count else { return }
    var status = stat()
    if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, ftruncate(descriptor, off_t(count)) != 0 {
      throw Self.failure(path)
    }
  }

  deinit {
    if descriptor > STDERR_FILENO { close(descriptor) }
  }

  private static func contents(_ path: String) throws -> [UInt8] {
    let handle = try InputBytes.open(path)
    do {
      return [UInt8](try handle.readToEnd() ?? Data())
    } catch {
      throw InputFileError(source: path, problem: "cannot be read: \(error.localizedDescription)")
    }
  }

  private static func failure(_ path: String) -> InputFileError {
    InputFileError(source: path, problem: "cannot be written: \(String(cString: strerror(errno)))")
  }

  /// Writes a row with one call of the system, so that a reader never sees half of it.
  /// - Throws: `InputFileError`.
  public func append(_ row: Measurement) throws {
    try cut()
    var rest = Array((row.jsonLine + "\n").utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        throw Self.failure(path)
      }
    }
  }
}
