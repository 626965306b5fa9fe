import Foundation

/// Keeps a folder to one writer at a time, until it is released; a process that is killed lets go of it.
package struct FolderLock: Sendable {
  private let descriptor: Int32

  /// - Throws: ``ModelFileError`` where another lock on the folder is held, by this process or another, or the folder cannot be opened.
  package init(_ folder: String) throws(ModelFileError) {
    descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let reason = String(cString: strerror(errno))
      throw ModelFileError(kind: .output, source: folder, problem: "cannot be opened: \(reason)")
    }
    // A file system without locks is taken as it is.
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      close(descriptor)
      throw ModelFileError(
        kind: .output, source: folder,
        problem: "another process works in this folder: wait until it has ended, or give another folder")
    }
  }

  /// Once; nothing is held behind it.
  package func release() { close(descriptor) }
}
