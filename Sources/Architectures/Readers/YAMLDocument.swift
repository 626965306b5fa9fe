import Foundation
import Yams

/// YAML into the same tree as JSON, within limits that keep a hostile file from exhausting stack or memory.
///
/// Anchors and aliases are read, as writers of YAML use them for an object that is there several times, up to ``maximumAnchors`` and
/// ``maximumValues``: a few lines of them could expand without bound.
package enum YAMLDocument {
  /// The largest file that is taken for YAML; a large set of architectures is JSON Lines.
  package static let maximumBytes = 16 << 20
  /// The deepest indentation.
  package static let maximumIndentation = 128

  /// The most anchors of a file, which bounds how deep aliases of aliases go.
  package static let maximumAnchors = 256
  /// The most values that a document holds when its aliases are written out.
  package static let maximumValues = 4_000_000

  /// The documents in `bytes`, in order; more than one where they are separated by `---`.
  ///
  /// - Parameter bytes: UTF-8 text (``InputBytes/check(_:source:line:)``).
  package static func documents(_ bytes: [UInt8], source: String) throws -> [DocumentValue] {
    guard bytes.count <= maximumBytes else {
      throw InputFileError(source: source, problem: "is larger than 16 MiB; write it as JSON Lines")
    }
    try checkStructure(bytes, source: source)
    do {
      let parser = try Parser(yaml: String(decoding: bytes, as: UTF8.self), encoding: .utf8)
      var result: [DocumentValue] = []
      var room = maximumValues
      while let node = try parser.nextRoot() {
        result.append(try value(node, source: source, depth: 0, room: &room))
      }
      return result
    } catch let error as YamlError {
      throw inputError(error, source: source)
    }
  }

  /// Bounds the depth before the parser, which recurses, sees the text. Brackets in texts and comments count
  /// too: no file of this project
  /// holds dozens of them.
  private static func checkStructure(_ bytes: [UInt8], source: String) throws {
    var line = 1
    var open = 0
    var leading = 0
    var isLeading = true
    var anchors = 0
    var previous = UInt8(ascii: "\n")
    for (index, byte) in bytes.enumerated() {
      switch byte {
      case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
        if byte == 0x0A { line += 1 }
        leading = 0
        isLeading = true
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"):
        if isLeading { leading += 1 }
      default:
        isLeading = false
        if byte == UInt8(ascii: "[") || byte == UInt8(ascii: "{") { open += 1 }
        if byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}") { open = max(0, open - 1) }
      }
      guard open <= JSONParser.maximumDepth, leading <= maximumIndentation else {
        throw InputFileError(source: source, line: line, problem: "the YAML is nested or indented too deep")
      }
      if byte == UInt8(ascii: "&") || byte == UInt8(ascii: "*") {
        let startsToken = " \t\r\n[{,-?:".utf8.contains(previous)
        let hasName = index + 1 < bytes.count && !" \t\r\n".utf8.contains(bytes[index + 1])
        if startsToken && hasName {
          anchors += byte == UInt8(ascii: "&") ? 1 : 0
          guard anchors <= maximumAnchors else {
            throw InputFileError(
              source: source, line: line,
              problem: "has more than \(maximumAnchors) YAML anchors (&); write the values out, or use JSON Lines")
          }
          // The parser compares names, which an alias could make arbitrarily large.
          guard byte == UInt8(ascii: "&") || !isName(bytes, at: index) else {
            throw InputFileError(source: source, line: line, problem: "a YAML alias (*) cannot be a name")
          }
        }
      }
      previous = byte
    }
  }

  /// Whether what stands at `index`, an alias, is the name of a member.
  private static func isName(_ bytes: [UInt8], at index: Int) -> Bool {
    let before = bytes[..<index].last { $0 != UInt8(ascii: " ") }
    if before == UInt8(ascii: "?") { return true }
    var next = index
    while next < bytes.count, !" \t\r\n,]}".utf8.contains(bytes[next]) { next += 1 }
    while next < bytes.count, bytes[next] == UInt8(ascii: " ") { next += 1 }
    return bytes[index..<next].contains(UInt8(ascii: ":")) || next < bytes.count && bytes[next] == UInt8(ascii: ":")
  }

  private static func value(_ node: Node, source: String, depth: Int, room: inout Int) throws -> DocumentValue {
    let line = node.mark?.line ?? 1
    room -= 1
    guard room >= 0 else {
      throw InputFileError(
        source: source, line: line,
        problem: "its YAML aliases (*) make more than \(maximumValues) values; write it as JSON Lines")
    }
    guard depth <= JSONParser.maximumDepth else {
      throw InputFileError(source: source, line: line, problem: "the YAML is nested too deep")
    }
    switch node {
    case .scalar(let scalar): return DocumentValue(content(of: scalar), line: line)
    case .sequence(let sequence):
      return DocumentValue(
        .list(try sequence.map { try value($0, source: source, depth: depth + 1, room: &room) }), line: line)
    case .mapping(let mapping):
      var members: [DocumentValue.Member] = []
      for (key, item) in mapping {
        guard case .scalar(let name) = key else {
          throw InputFileError(source: source, line: key.mark?.line ?? line, problem: "a name must be a text")
        }
        members.append(.init(name: name.string, value: try value(item, source: source, depth: depth + 1, room: &room)))
      }
      return DocumentValue(.object(members), line: line)
    case .alias:
      throw InputFileError(
        source: source, line: line, problem: "YAML aliases are not supported; write the value out")
    }
  }

  /// A plain scalar by YAML 1.2's core schema without octal and hexadecimal numbers; a quoted one is a text.
  private static func content(of scalar: Node.Scalar) -> DocumentValue.Content {
    let text = scalar.string
    guard scalar.style == .plain else { return .string(text) }
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .boolean(true)
    case "false", "False", "FALSE": return .boolean(false)
    case ".nan", ".NaN", ".NAN", "NaN", "nan": return .number(.nan)
    case ".inf", "+.inf", ".Inf", "+.Inf", "Infinity", "inf": return .number(.infinity)
    case "-.inf", "-.Inf", "-Infinity", "-inf": return .number(-.infinity)
    default: break
    }
    let allowed = text.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
    guard allowed, text.utf8.contains(where: { $0 &- 0x30 < 10 }) else { return .string(text) }
    if let integer = Int(text) { return .integer(integer) }
    if let double = Double(text) { return .number(double) }
    return .string(text)
  }

  private static func inputError(_ error: YamlError, source: String) -> InputFileError {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      return InputFileError(source: source, line: max(1, mark.line), problem: "is not valid YAML: \(problem)")
    case .reader(let problem, _, _, _):
      return InputFileError(source: source, problem: "is not valid YAML: \(problem)")
    case .duplicatedKeysInMapping(let names, let context):
      let shown = names.map { InputFileError.printable($0) }.joined(separator: ", ")
      return InputFileError(source: source, line: max(1, context.mark.line), problem: "given twice: \(shown)")
    default:
      return InputFileError(source: source, problem: "is not valid YAML")
    }
  }
}
