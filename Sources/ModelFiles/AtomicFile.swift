import Foundation

/// A file that appears whole or not at all: written under a temporary name beside its place, then renamed.
package struct AtomicFile: ~Copyable {
  private let path: String
  private let temporary: String
  private let descriptor: Int32
  private var isFinished = false

  package init(path: String) throws(ModelFileError) {
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw ModelFileError(kind: .output, source: path, problem: "is no name for a file")
    }
    let temporary = "\(path).\(getpid())-\(UInt32.random(in: 0 ... .max)).part"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.failure(path) }
    self.path = path
    self.temporary = temporary
    self.descriptor = descriptor
  }

  /// Removes what processes that were killed while they wrote have left in a folder.
  package static func removeLeftovers(in folder: String) {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
      guard let match = name.wholeMatch(of: /.+\.(\d+)-\d+\.part/), let process = pid_t(match.1) else { continue }
      // Of a process that lives the file is still being written.
      if kill(process, 0) != 0, errno == ESRCH { unlink("\(folder)/\(name)") }
    }
  }

  private static func failure(_ path: String) -> ModelFileError {
    let reason = String(cString: strerror(errno))
    let advice = errno == ENOSPC || errno == EDQUOT ? "; nothing was replaced: make room and run this again" : ""
    return ModelFileError(kind: .output, source: path, problem: "cannot be written: \(reason)\(advice)")
  }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(ModelFileError) {
    var rest = bytes
    while let start = rest.baseAddress, rest.count > 0 {
      // Below 2 GiB at a time, which is all that one call takes on some systems.
      let count = Foundation.write(descriptor, start, min(rest.count, 1 << 30))
      if count >= 0 {
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      } else if errno != EINTR {
        throw Self.failure(path)
      }
    }
  }

  package func write(_ bytes: some Collection<UInt8>) throws(ModelFileError) {
    try Array(bytes).withUnsafeBufferPointer { (buffer) throws(ModelFileError) in
      try write(UnsafeRawBufferPointer(buffer))
    }
  }

  /// Puts the file in its place. Without this call nothing is left of it.
  package mutating func finish() throws(ModelFileError) {
    guard fsync(descriptor) == 0 || errno == EINVAL || errno == EROFS, rename(temporary, path) == 0 else {
      throw Self.failure(path)
    }
    isFinished = true
  }

  deinit {
    close(descriptor)
    if !isFinished { unlink(temporary) }
  }
}
