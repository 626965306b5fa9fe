import Foundation

/// The lines of a text file, one at a time, so that a large file is never in memory as a whole.
///
/// Carriage returns before line feeds and a byte order mark are dropped; blank lines are skipped but counted.
package struct LineReader {
  /// The longest line: no row is near it, and a file without line feeds should not fill the memory.
  static let maximumLineBytes = 64 << 20
  private static let chunkBytes = 1 << 18

  private let handle: FileHandle?
  private let source: String
  private var buffer: [UInt8]
  private var position = 0
  private var number = 0
  private var isAtEnd: Bool

  package init(path: String) throws {
    handle = try InputBytes.open(path)
    source = InputBytes.name(of: path)
    buffer = []
    isAtEnd = false
  }

  package init(bytes: [UInt8], source: String) {
    handle = nil
    self.source = source
    buffer = bytes
    isAtEnd = true
  }

  /// The next line that is not blank, and its number from 1; nil after the last.
  ///
  /// - Throws: `InputFileError` where the file cannot be read or the line is not UTF-8 text.
  package mutating func next() throws -> (number: Int, bytes: [UInt8])? {
    while let bytes = try nextRaw() {
      guard bytes.contains(where: { !InputBytes.isBlank($0) }) else { continue }
      try InputBytes.check(bytes, source: source, line: number)
      return (number, bytes)
    }
    return nil
  }

  private mutating func nextRaw() throws -> [UInt8]? {
    var searched = position
    while true {
      if let end = buffer[searched...].firstIndex(of: 0x0A) {
        defer { position = end + 1 }
        return line(upTo: end)
      }
      searched = buffer.count
      if isAtEnd {
        guard position < buffer.count else { return nil }
        defer { position = buffer.count }
        return line(upTo: buffer.count)
      }
      guard buffer.count - position <= Self.maximumLineBytes else {
        throw InputFileError(
          source: source, line: number + 1, problem: "is longer than 64 MiB; the file must have a row a line")
      }
      searched -= position
      buffer.removeFirst(position)
      position = 0
      try fill()
    }
  }

  private mutating func line(upTo end: Int) -> [UInt8] {
    number += 1
    var start = position
    if number == 1, buffer[start..<end].starts(with: [0xEF, 0xBB, 0xBF]) { start += 3 }
    let hasReturn = end > start && buffer[end - 1] == 0x0D
    return [UInt8](buffer[start..<(hasReturn ? end - 1 : end)])
  }

  private mutating func fill() throws {
    do {
      if let chunk = try handle?.read(upToCount: Self.chunkBytes), !chunk.isEmpty {
        buffer.append(contentsOf: chunk)
      } else {
        isAtEnd = true
      }
    } catch {
      throw InputFileError(source: source, problem: "cannot be read: \(error.localizedDescription)")
    }
  }
}
