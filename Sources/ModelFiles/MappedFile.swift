import Foundation

/// The bytes of a file, mapped into memory for reading; unmapped when the last user is gone.
///
/// The file must not be shortened while it is mapped: the system ends a process that reads what is no longer there.
/// This project's own writer never does, since it replaces files by renaming.
final class MappedFile: @unchecked Sendable {
  // Never written to and never moved after `init`, so that sharing between threads is safe.
  let bytes: UnsafeRawBufferPointer

  init(path: String) throws(ModelFileError) {
    func failure(_ problem: String) -> ModelFileError { ModelFileError(source: path, problem: problem) }
    guard !path.isEmpty, !path.utf8.contains(0) else { throw failure("is no name for a file") }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw failure("cannot be opened: \(String(cString: strerror(errno)))") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw failure("cannot be read: \(String(cString: strerror(errno)))")
    }
    guard status.st_mode & S_IFMT == S_IFREG else { throw failure("is not a plain file") }
    let count = Int(status.st_size)
    guard count > 0 else { throw failure("is empty") }
    guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
      throw failure("cannot be mapped into memory: \(String(cString: strerror(errno)))")
    }
    bytes = UnsafeRawBufferPointer(start: start, count: count)
  }

  /// Lets the whole pages of a range leave memory.
  func release(_ range: Range<Int>) {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    guard page > 0 else { return }
    let start = (range.lowerBound + page - 1) / page * page
    let end = range.upperBound / page * page
    guard start < end, end <= bytes.count else { return }
    madvise(UnsafeMutableRawPointer(mutating: bytes.baseAddress)?.advanced(by: start), end - start, MADV_DONTNEED)
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }
}
