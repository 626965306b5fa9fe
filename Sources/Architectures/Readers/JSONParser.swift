/// A strict parser of JSON (RFC 8259) that keeps order and lines.
///
/// It never recurses deeper than ``maximumDepth``, whatever it is given, and refuses an object that names a
/// member twice.
package struct JSONParser {
  /// The deepest nesting of lists and objects; the files of this project need 6.
  package static let maximumDepth = 64

  private let bytes: [UInt8]
  private let source: String
  private var index: Int
  private var line: Int

  /// - Parameters:
  ///   - bytes: UTF-8 text (``InputBytes/check(_:source:line:)``).
  ///   - line: number of the first line of `bytes` in `source`.
  package init(_ bytes: [UInt8], source: String, line: Int = 1) {
    self.bytes = bytes
    self.source = source
    self.line = line
    index = 0
  }

  /// The only value in `bytes`.
  package static func document(_ bytes: [UInt8], source: String, line: Int = 1) throws -> DocumentValue {
    var parser = JSONParser(bytes, source: source, line: line)
    guard let value = try parser.next() else {
      throw InputFileError(source: source, line: line, problem: "there is no JSON value")
    }
    guard parser.isAtEnd() else { throw parser.failure("there is something after the end of the JSON value") }
    return value
  }

  /// The next value; nil where only blanks are left.
  package mutating func next() throws -> DocumentValue? {
    isAtEnd() ? nil : try value(depth: 0)
  }

  /// Line that the parser stands on.
  package var currentLine: Int { line }

  /// Skips blanks, and tells whether nothing is left.
  package mutating func isAtEnd() -> Bool {
    while index < bytes.count, InputBytes.isBlank(bytes[index]) {
      if bytes[index] == 0x0A { line += 1 }
      index += 1
    }
    return index >= bytes.count
  }

  private func failure(_ problem: String) -> InputFileError {
    InputFileError(source: source, line: line, problem: problem)
  }

  private func unexpected(_ wanted: String) -> InputFileError {
    guard index < bytes.count else { return failure("the JSON text ends early; expected \(wanted)") }
    var end = index + 1
    while end < bytes.count, end < index + 12, bytes[end] > 0x20 { end += 1 }
    let excerpt = String(decoding: bytes[index..<end], as: UTF8.self)
    return failure("expected \(wanted), found `\(InputFileError.printable(excerpt, limit: 12))`")
  }

  private mutating func value(depth: Int) throws -> DocumentValue {
    guard !isAtEnd() else { throw unexpected("a value") }
    let start = line
    switch bytes[index] {
    case UInt8(ascii: "{"): return DocumentValue(.object(try members(depth: depth + 1)), line: start)
    case UInt8(ascii: "["): return DocumentValue(.list(try elements(depth: depth + 1)), line: start)
    case UInt8(ascii: "\""): return DocumentValue(.string(try text()), line: start)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      if take("-Infinity") { return DocumentValue(.number(-.infinity), line: start) }
      return DocumentValue(try number(), line: start)
    default: break
    }
    if take("null") { return DocumentValue(.null, line: start) }
    if take("true") { return DocumentValue(.boolean(true), line: start) }
    if take("false") { return DocumentValue(.boolean(false), line: start) }
    // Python writes these two; they are read so that the message can name the field they stand in.
    if take("NaN") { return DocumentValue(.number(.nan), line: start) }
    if take("Infinity") { return DocumentValue(.number(.infinity), line: start) }
    throw unexpected("a value")
  }

  private mutating func take(_ word: StaticString) -> Bool {
    let length = word.utf8CodeUnitCount
    guard index + length <= bytes.count else { return false }
    for offset in 0..<length where bytes[index + offset] != word.utf8Start[offset] { return false }
    index += length
    return true
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard index < bytes.count, bytes[index] == byte else { return false }
    index += 1
    return true
  }

  private func checkDepth(_ depth: Int) throws {
    guard depth <= Self.maximumDepth else {
      throw failure("lists and objects are nested more than \(Self.maximumDepth) deep")
    }
  }

  private mutating func elements(depth: Int) throws -> [DocumentValue] {
    try checkDepth(depth)
    index += 1
    var result: [DocumentValue] = []
    if !isAtEnd(), take(UInt8(ascii: "]")) { return result }
    while true {
      result.append(try value(depth: depth))
      _ = isAtEnd()
      if take(UInt8(ascii: "]")) { return result }
      guard take(UInt8(ascii: ",")) else { throw unexpected("`,` or `]`") }
    }
  }

  private mutating func members(depth: Int) throws -> [DocumentValue.Member] {
    try checkDepth(depth)
    index += 1
    var result: [DocumentValue.Member] = []
    var names: Set<String> = []
    if !isAtEnd(), take(UInt8(ascii: "}")) { return result }
    while true {
      guard !isAtEnd(), bytes[index] == UInt8(ascii: "\"") else { throw unexpected("a name in quotes") }
      let name = try text()
      guard isNew(name, among: result, names: &names) else {
        throw failure("`\(InputFileError.printable(name))` is given twice in one object")
      }
      guard !isAtEnd(), take(UInt8(ascii: ":")) else { throw unexpected("`:`") }
      result.append(DocumentValue.Member(name: name, value: try value(depth: depth)))
      _ = isAtEnd()
      if take(UInt8(ascii: "}")) { return result }
      guard take(UInt8(ascii: ",")) else { throw unexpected("`,` or `}`") }
    }
  }

  /// Tells whether an object has no member `name` yet; a set serves large objects, a look through the members small ones.
  private func isNew(_ name: String, among members: [DocumentValue.Member], names: inout Set<String>) -> Bool {
    if members.count < 32 { return !members.contains { $0.name == name } }
    if names.isEmpty { names = Set(members.map(\.name)) }
    return names.insert(name).inserted
  }

  // MARK: Numbers

  private mutating func digits() throws {
    let start = index
    while index < bytes.count, bytes[index] &- 0x30 < 10 { index += 1 }
    guard index > start else { throw unexpected("a digit") }
  }

  private mutating func number() throws -> DocumentValue.Content {
    let start = index
    _ = take(UInt8(ascii: "-"))
    if take(UInt8(ascii: "0")) {
      if index < bytes.count, bytes[index] &- 0x30 < 10 {
        throw failure("a number starts with a superfluous 0")
      }
    } else {
      try digits()
    }
    var isInteger = true
    if take(UInt8(ascii: ".")) {
      isInteger = false
      try digits()
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isInteger = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
    if isInteger, index - start <= 18 { return .integer(smallInteger(in: start..<index)) }
    let literal = String(decoding: bytes[start..<index], as: UTF8.self)
    if isInteger, let integer = Int(literal) { return .integer(integer) }
    guard let double = Double(literal) else {
      throw failure("`\(InputFileError.printable(literal))` is no number")
    }
    return .number(double)
  }

  /// The value of an optional sign and at most 17 digits, or 18 without a sign: it cannot overflow.
  private func smallInteger(in range: Range<Int>) -> Int {
    let isNegative = bytes[range.lowerBound] == UInt8(ascii: "-")
    var result = 0
    for index in (isNegative ? range.lowerBound + 1 : range.lowerBound)..<range.upperBound {
      result = result * 10 + Int(bytes[index] & 15)
    }
    return isNegative ? -result : result
  }

  // MARK: Texts

  private mutating func text() throws -> String {
    index += 1
    let start = index
    while index < bytes.count, bytes[index] != UInt8(ascii: "\""), bytes[index] != UInt8(ascii: "\\"),
      bytes[index] >= 0x20
    { index += 1 }
    if index < bytes.count, bytes[index] == UInt8(ascii: "\"") {
      index += 1
      return String(decoding: bytes[start..<(index - 1)], as: UTF8.self)
    }
    var scalars = [UInt8](bytes[start..<index])
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: scalars, as: UTF8.self)
      case UInt8(ascii: "\\"): scalars += String(try escape()).utf8
      case 0..<0x20: throw failure("a text holds a control character or is not closed by a quote")
      default: scalars.append(byte)
      }
    }
    throw failure("a text is not closed by a quote")
  }

  private mutating func escape() throws -> Unicode.Scalar {
    guard index < bytes.count else { throw unexpected("an escape after `\\`") }
    let byte = bytes[index]
    index += 1
    switch byte {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try unicodeEscape()
    default:
      index -= 1
      throw unexpected("an escape after `\\`")
    }
  }

  /// `uXXXX`, or a surrogate pair of two; a lone surrogate becomes U+FFFD, as other readers have it.
  private mutating func unicodeEscape() throws -> Unicode.Scalar {
    let first = try hexadecimal()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xDC00, take("\\u") else { return "\u{FFFD}" }
    let second = try hexadecimal()
    guard (0xDC00...0xDFFF).contains(second) else { return "\u{FFFD}" }
    return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? "\u{FFFD}"
  }

  private mutating func hexadecimal() throws -> UInt32 {
    guard index + 4 <= bytes.count else { throw unexpected("four hexadecimal digits") }
    var result: UInt32 = 0
    for _ in 0..<4 {
      let byte = bytes[index]
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - 0x30
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - 0x61 + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - 0x41 + 10
      default: throw unexpected("a hexadecimal digit")
      }
      result = result << 4 | UInt32(digit)
      index += 1
    }
    return result
  }
}
