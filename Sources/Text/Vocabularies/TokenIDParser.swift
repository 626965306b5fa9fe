/// Reads `vocab.json`: one object of tokens and their ids, which run from 0 without gaps.
///
/// A parser of its own, because a general one keeps no line of a token and takes a second for fifty thousand of them, and because Swift's
/// dictionaries take canonically equivalent strings for equal.
struct TokenIDParser {
  private let bytes: [UInt8]
  private let path: String
  private var index = 0
  private var line = 1

  /// Tokens by id.
  static func tokens(of path: String) throws(TextError) -> [String] {
    var parser = TokenIDParser(bytes: try VocabularyFile.bytes(of: path), path: path)
    return try parser.parse()
  }

  private init(bytes: [UInt8], path: String) {
    self.bytes = bytes
    self.path = path
  }

  private func failure(_ problem: String) -> TextError { .invalidLine(path: path, line: line, problem: problem) }

  private mutating func skipSpace() {
    while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) {
      if bytes[index] == 0x0A { line += 1 }
      index += 1
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    skipSpace()
    guard index < bytes.count, bytes[index] == byte else { return false }
    index += 1
    return true
  }

  private mutating func parse() throws(TextError) -> [String] {
    guard take(UInt8(ascii: "{")) else { throw failure("is no JSON object of tokens and their ids") }
    var pairs: [(token: String, id: Int, line: Int)] = []
    if !take(UInt8(ascii: "}")) {
      repeat {
        let token = try string()
        guard take(UInt8(ascii: ":")) else { throw failure("a colon is missing after the token \"\(token)\"") }
        pairs.append((token, try number(token), line))
      } while take(UInt8(ascii: ","))
      guard take(UInt8(ascii: "}")) else { throw failure("a comma or the closing brace is missing") }
    }
    skipSpace()
    guard index == bytes.count else { throw failure("has something after the object") }
    guard !pairs.isEmpty else { throw .emptyVocabulary(path: path) }
    var tokens = [String?](repeating: nil, count: pairs.count)
    for pair in pairs {
      guard tokens.indices.contains(pair.id) else {
        throw .invalidLine(
          path: path, line: pair.line,
          problem: "\"\(pair.token)\" has id \(pair.id); \(pairs.count) tokens have ids from 0 to \(pairs.count - 1)")
      }
      guard tokens[pair.id] == nil else {
        throw .invalidLine(path: path, line: pair.line, problem: "id \(pair.id) is that of two tokens")
      }
      tokens[pair.id] = pair.token
    }
    return tokens.map { $0 ?? "" }
  }

  private mutating func number(_ token: String) throws(TextError) -> Int {
    skipSpace()
    var value = 0
    let start = index
    while index < bytes.count, case let digit = Int(bytes[index]) - 0x30, (0...9).contains(digit), index - start < 10 {
      value = value * 10 + digit
      index += 1
    }
    guard index > start else { throw failure("the id of \"\(token)\" is no whole number from 0 on") }
    return value
  }

  private mutating func string() throws(TextError) -> String {
    guard take(UInt8(ascii: "\"")) else { throw failure("a token in quotes is missing") }
    var text: [UInt8] = []
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let token = String(validating: text, as: UTF8.self) else { throw failure("a token is not UTF-8") }
        return token
      case UInt8(ascii: "\\"): text += String(try escape()).utf8
      case 0..<0x20: throw failure("a token holds a control character or is not closed by a quote")
      default: text.append(byte)
      }
    }
    throw failure("a token is not closed by a quote")
  }

  private mutating func escape() throws(TextError) -> Unicode.Scalar {
    guard index < bytes.count else { throw failure("ends inside a token") }
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
    case UInt8(ascii: "u"):
      let first = try hexadecimal()
      if let scalar = Unicode.Scalar(first) { return scalar }
      guard first < 0xDC00, index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"),
        bytes[index + 1] == UInt8(ascii: "u")
      else { return "\u{FFFD}" }
      index += 2
      let second = try hexadecimal()
      guard (0xDC00...0xDFFF).contains(second) else { return "\u{FFFD}" }
      return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? "\u{FFFD}"
    default: throw failure("an escape after `\\` is not known")
    }
  }

  private mutating func hexadecimal() throws(TextError) -> UInt32 {
    guard index + 4 <= bytes.count, let text = String(validating: bytes[index..<index + 4], as: UTF8.self),
      text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }), let value = UInt32(text, radix: 16)
    else { throw failure("`\\u` wants four hexadecimal digits") }
    index += 4
    return value
  }
}
