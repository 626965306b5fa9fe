import Foundation

/// The bytes of an input file, checked to be text: UTF-8 without NUL bytes; a byte order mark is dropped.
package enum InputBytes {
  /// How standard input is called in messages.
  package static let standardInputName = "standard input"

  /// Name of `path` in messages.
  package static func name(of path: String) -> String { path == "-" ? standardInputName : path }

  /// Opens a file for reading, or standard input for `-`.
  ///
  /// - Throws: ``InputFileError`` where there is no such file, or it is a folder or may not be read.
  package static func open(_ path: String) throws -> FileHandle {
    if path == "-" { return FileHandle.standardInput }
    var isFolder: ObjCBool = false
    guard !path.isEmpty, !path.utf8.contains(0),
      FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    else { throw InputFileError(source: path, problem: "there is no such file") }
    guard !isFolder.boolValue else {
      throw InputFileError(source: path, problem: "is a folder; name a file")
    }
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw InputFileError(source: path, problem: "cannot be opened; check its permissions")
    }
    return handle
  }

  /// All bytes of a file, or of standard input for `-`, after ``text(_:source:)``.
  package static func read(_ path: String) throws -> [UInt8] {
    let handle = try open(path)
    let data: Data
    do {
      data = try handle.readToEnd() ?? Data()
    } catch {
      throw InputFileError(source: name(of: path), problem: "cannot be read: \(error.localizedDescription)")
    }
    return try text([UInt8](data), source: name(of: path))
  }

  /// `bytes` without a byte order mark.
  ///
  /// - Throws: ``InputFileError`` where they are empty, not UTF-8, or hold a NUL byte.
  package static func text(_ bytes: [UInt8], source: String) throws -> [UInt8] {
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      throw InputFileError(source: source, problem: "is UTF-16; save it as UTF-8")
    }
    let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    let result = start == 0 ? bytes : [UInt8](bytes[start...])
    try check(result, source: source, line: 1)
    guard result.contains(where: { !isBlank($0) }) else {
      throw InputFileError(source: source, problem: "is empty")
    }
    return result
  }

  /// Throws where `bytes`, whose first line has number `line`, hold a NUL or are not UTF-8 (RFC 3629: no
  /// surrogates, no
  /// overlong forms, nothing above U+10FFFF).
  package static func check(_ bytes: [UInt8], source: String, line: Int) throws {
    var index = 0
    let count = bytes.count
    while index < count {
      let byte = bytes[index]
      if byte < 0x80 {
        guard byte != 0 else {
          throw InputFileError(
            source: source, line: line + newlines(in: bytes[..<index]),
            problem: "holds a NUL byte; it is not a text file")
        }
        index += 1
        continue
      }
      let length = sequenceLength(in: bytes, at: index)
      guard length > 0 else {
        throw InputFileError(
          source: source, line: line + newlines(in: bytes[..<index]),
          problem: "is not UTF-8 text; save it as UTF-8")
      }
      index += length
    }
  }

  /// Length of the well-formed multi-byte sequence at `index`; 0 where there is none.
  private static func sequenceLength(in bytes: [UInt8], at index: Int) -> Int {
    let first = bytes[index]
    let length: Int
    var secondRange: ClosedRange<UInt8> = 0x80...0xBF
    switch first {
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, secondRange) = (3, 0xA0...0xBF)
    case 0xED: (length, secondRange) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, secondRange) = (4, 0x90...0xBF)
    case 0xF4: (length, secondRange) = (4, 0x80...0x8F)
    case 0xF1...0xF3: length = 4
    default: return 0
    }
    guard index + length <= bytes.count, secondRange.contains(bytes[index + 1]) else { return 0 }
    for offset in 2..<max(length, 2) where bytes[index + offset] & 0xC0 != 0x80 { return 0 }
    return length
  }

  package static func newlines(in bytes: some Sequence<UInt8>) -> Int {
    bytes.reduce(0) { $0 + ($1 == 0x0A ? 1 : 0) }
  }

  /// True for space, tab, line feed and carriage return.
  package static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
  }
}
