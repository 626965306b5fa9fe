import Foundation

/// Keeps a folder to one writer at a time; a process that is killed lets go of it.
package enum FolderLock {
  /// Runs the body while no other call of this, in this process or another, is at work on the folder, which is there.
  ///
  /// - Throws: ``ModelFileError`` where another is, or the folder cannot be opened; what the body throws.
  package static func hold<Result>(_ folder: String, _ body: () throws -> Result) throws -> Result {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let reason = String(cString: strerror(errno))
      throw ModelFileError(kind: .output, source: folder, problem: "cannot be opened: \(reason)")
    }
    defer { close(descriptor) }
    // A file system without locks is taken as it is.
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      throw ModelFileError(
        kind: .output, source: folder,
        problem: "another process works in this folder: wait until it has ended, or give another folder")
    }
    return try body()
  }
}
