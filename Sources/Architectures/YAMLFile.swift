import Foundation
import Yams

/// Reads and writes the YAML files that people touch, strictly: a field that is unknown, missing or of the wrong type is an error
/// that names the file, the line and the field.
///
/// JSON is a subset of YAML, so JSON files of the same form are read too.
public enum YAMLFile {
  /// Reads `text` as a `Value`.
  /// - Parameters:
  ///   - name: what errors call the source: a path, or `-`.
  ///   - schema: the family that the file's `schema` must name, such as `edgetwin.device`, and the newest version that is known.
  ///   - synonyms: of fields within a group: the group, what a person may write, and what is read.
  /// - Throws: ``YAMLFileError``.
  public static func decode<Value: Codable>(
    _ type: Value.Type, from text: String, name: String, schema: (family: String, version: Int),
    synonyms: [(group: String, written: String, read: String)] = []
  ) throws(YAMLFileError) -> Value {
    if let line = lineNestedTooDeep(in: text) {
      throw YAMLFileError(
        file: name, line: line, problem: "is nested more than \(maximumDepth) levels deep; no file of this kind is")
    }
    var root: Node
    do {
      guard let node = try Yams.compose(yaml: text) else {
        throw YAMLFileError(file: name, line: 1, problem: "holds nothing but comments; write its fields")
      }
      root = node
    } catch let error as YAMLFileError {
      throw error
    } catch {
      throw YAMLFileError(file: name, line: line(of: error), problem: "is not YAML: \(summary(of: error))")
    }
    try check(schema: schema, root: root, name: name)
    for synonym in synonyms { try replace(synonym, in: &root, name: name) }
    let value: Value
    do {
      value = try YAMLDecoder().decode(type, from: root)
    } catch let error as DecodingError {
      throw located(error, root: root, name: name)
    } catch {
      throw YAMLFileError(file: name, line: line(of: error), problem: summary(of: error))
    }
    try rejectUnknownFields(root: root, value: value, name: name)
    return value
  }

  /// The text of a file; `-` is standard input.
  /// - Throws: ``YAMLFileError`` where there is no such file, or it is a folder, not readable, empty, or not UTF-8 text.
  public static func read(_ path: String) throws(YAMLFileError) -> String {
    do {
      return String(decoding: try InputBytes.read(path), as: UTF8.self)
    } catch let error as InputFileError {
      throw YAMLFileError(file: error.source, line: error.line, problem: error.problem)
    } catch {
      throw YAMLFileError(file: path, problem: "cannot be read: \(error)")
    }
  }

  /// The line that gives a field, from 1: what was decoded carries no lines any more. For one that is absent, that of the group it
  /// should be in; nil for a text that is not YAML.
  /// - Parameter field: a dotted path, such as `memory.bandwidth.value` or `devices.0`.
  public static func line(of field: String, in text: String) -> Int? {
    guard let root = try? Yams.compose(yaml: text) else { return nil }
    var node: Node? = root
    var line = root.mark?.line
    for part in field.split(separator: ".").map(String.init) {
      if let sequence = node?.sequence, let index = Int(part) {
        node = sequence.indices.contains(index) ? sequence[index] : nil
        line = node?.mark?.line ?? line
      } else {
        guard let member = node?.mapping?.first(where: { $0.key.string == part }) else { return line }
        node = member.value
        line = member.key.mark?.line ?? line
      }
    }
    return line
  }

  /// Writes `value` as YAML for people: fields in the order that the type encodes them, a group of plain values on one line, numbers as short
  /// as they can be without losing a digit.
  public static func encode(_ value: some Encodable) throws -> String {
    let encoder = YAMLEncoder()
    encoder.options.allowUnicode = true
    let text = try encoder.encode(value)
    guard let node = try Yams.compose(yaml: text) else { return text }
    return try Yams.serialize(node: compact(node), width: 120, allowUnicode: true)
  }

  private static func compact(_ node: Node) -> Node {
    switch node {
    case .scalar(var scalar):
      // Only what the encoder wrote as a number has no quotes and reads as one.
      if scalar.style == .any || scalar.style == .plain, let number = Double(scalar.string), number.isFinite {
        scalar.string =
          number == number.rounded() && abs(number) < 1e9 ? String(Int(number)) : shortest(number)
      }
      return .scalar(scalar)
    case .sequence(var sequence):
      let isPlain = sequence.allSatisfy { $0.scalar != nil }
      for index in sequence.indices { sequence[index] = compact(sequence[index]) }
      if isPlain { sequence.style = .flow }
      return .sequence(sequence)
    case .mapping(var mapping):
      let isPlain = mapping.values.allSatisfy { $0.scalar != nil }
      for key in mapping.keys {
        if let value = mapping[key] { mapping[key] = compact(value) }
      }
      // The file itself stays a list of lines.
      if isPlain && mapping.count > 1 && !mapping.keys.contains("schema") { mapping.style = .flow }
      return .mapping(mapping)
    default: return node
    }
  }

  /// As Swift prints it, with the exponent in the form that YAML takes for a number.
  private static func shortest(_ number: Double) -> String {
    let text = "\(number)"
    guard let exponent = text.firstIndex(of: "e"), !text[..<exponent].contains(".") else { return text }
    return text[..<exponent] + ".0" + text[exponent...]
  }

  // Composing and decoding recurse; a file nested deeper than this is no file of ours.
  private static let maximumDepth = 64

  /// The first line where an upper bound of the nesting exceeds ``maximumDepth``: flow brackets, and indicators that each open a block.
  private static func lineNestedTooDeep(in text: String) -> Int? {
    var line = 1
    var open = 0
    // `- - - -` opens a block sequence a dash.
    var indicators = 0
    var isLeading = true
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\n"):
        line += 1
        indicators = 0
        isLeading = true
        continue
      case UInt8(ascii: "-"), UInt8(ascii: "?"): indicators += isLeading ? 1 : 0
      case UInt8(ascii: " "): break
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        open += 1
        isLeading = false
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        open = max(0, open - 1)
        isLeading = false
      default: isLeading = false
      }
      if max(open, indicators) > maximumDepth { return line }
    }
    return nil
  }

  private static func check(schema: (family: String, version: Int), root: Node, name: String) throws(YAMLFileError) {
    guard let mapping = root.mapping else {
      throw YAMLFileError(file: name, line: root.mark?.line, problem: "the file must hold fields (name: value)")
    }
    let expected = "\(schema.family)/\(schema.version)"
    guard let node = mapping["schema"] else {
      throw YAMLFileError(file: name, line: 1, field: "schema", problem: "missing; write `schema: \(expected)`")
    }
    let text = node.string ?? ""
    let parts = text.split(separator: "/")
    guard parts.count == 2, parts[0] == schema.family, let version = Int(parts[1]), version >= 1 else {
      throw YAMLFileError(
        file: name, line: node.mark?.line, field: "schema", problem: "is \"\(text)\" where \(expected) is expected")
    }
    if version > schema.version {
      throw YAMLFileError(
        file: name, line: node.mark?.line, field: "schema",
        problem: "\(text) is newer than this program, which knows up to \(expected); install a newer edgetwin")
    }
  }

  private static func replace(
    _ synonym: (group: String, written: String, read: String), in root: inout Node, name: String
  ) throws(YAMLFileError) {
    guard var group = root.mapping?[synonym.group]?.mapping,
      let index = group.firstIndex(where: { $0.key.string == synonym.written })
    else { return }
    let (key, value) = group[index]
    guard group[synonym.read] == nil else {
      throw YAMLFileError(
        file: name, line: key.mark?.line, field: "\(synonym.group).\(synonym.written)",
        problem: "is another name of \(synonym.read), which is given too; leave one out")
    }
    // In its place and with its mark, so that messages name its line.
    group[index] = (key: .scalar(Node.Scalar(synonym.read, key.tag, .any, key.mark)), value: value)
    root[synonym.group] = .mapping(group)
  }

  private static func rejectUnknownFields(root: Node, value: some Encodable, name: String) throws(YAMLFileError) {
    // What the value does not write back, it did not read. As JSON, which is written and read in a fraction of the time.
    let encoder = JSONEncoder()
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let text = try? encoder.encode(value), let kept = try? JSONSerialization.jsonObject(with: text) else {
      return
    }
    if let (path, mark, known) = unknownField(in: root, kept: kept, path: []) {
      throw YAMLFileError(
        file: name, line: mark?.line, field: path.joined(separator: "."),
        problem: "unknown field" + (known.isEmpty ? "" : "; known here: \(known.joined(separator: ", "))"))
    }
  }

  private static func unknownField(in node: Node, kept: Any, path: [String]) -> ([String], Mark?, [String])? {
    if let source = node.mapping, let target = kept as? [String: Any] {
      for (key, child) in source {
        let keyName = key.string ?? ""
        if child.null != nil && target[keyName] == nil { continue }
        guard let match = target[keyName] else {
          return (path + [keyName], key.mark, target.keys.sorted())
        }
        if let found = unknownField(in: child, kept: match, path: path + [keyName]) { return found }
      }
    } else if let source = node.sequence, let target = kept as? [Any] {
      for (index, (child, match)) in zip(source, target).enumerated() {
        if let found = unknownField(in: child, kept: match, path: path + ["\(index)"]) { return found }
      }
    }
    return nil
  }

  private static func located(_ error: DecodingError, root: Node, name: String) -> YAMLFileError {
    let (path, problem): ([any CodingKey], String) =
      switch error {
      case .keyNotFound(let key, let context): (context.codingPath, "the field \"\(key.stringValue)\" is missing")
      case .typeMismatch(let type, let context): (context.codingPath, "is not \(article(type))")
      case .valueNotFound(let type, let context): (context.codingPath, "is empty where \(article(type)) is expected")
      case .dataCorrupted(let context): (context.codingPath, context.debugDescription)
      @unknown default: ([], "\(error)")
      }
    var node: Node? = root
    var mark = root.mark
    for key in path {
      if let index = key.intValue, let sequence = node?.sequence {
        node = index < sequence.count ? sequence[index] : nil
      } else {
        node = node?.mapping?[key.stringValue]
      }
      mark = node?.mark ?? mark
    }
    // Swift's own words for an enumeration without such a case.
    let isUnknownWord = problem.hasPrefix("Cannot initialize ")
    let unknownWord = "\"\(node?.string ?? "")\" is no word for this; write one as in the shipped files"
    return YAMLFileError(
      file: name, line: mark?.line,
      field: path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: "."),
      problem: isUnknownWord ? unknownWord : problem)
  }

  private static func article(_ type: Any.Type) -> String {
    if type == Double.self { return "a number" }
    if type == Int.self { return "a whole number" }
    if type == String.self { return "text" }
    if type == Bool.self { return "true or false" }
    let text = "\(type)"
    return text.hasPrefix("Array") ? "a list" : "a group of fields (\(text))"
  }

  private static func line(of error: any Error) -> Int? {
    guard let error = error as? YamlError else { return nil }
    switch error {
    case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): return mark.line
    default: return nil
    }
  }

  private static func summary(of error: any Error) -> String {
    let text: String
    if let error = error as? YamlError {
      switch error {
      case .scanner(let context, let problem, _, _), .parser(let context, let problem, _, _),
        .composer(let context, let problem, _, _):
        text = [context?.text, problem].compactMap(\.self).joined(separator: ": ")
      default: text = "\(error)"
      }
    } else {
      text = "\(error)"
    }
    return text.split(whereSeparator: \.isNewline).joined(separator: " ")
  }
}

/// What is wrong with a file that a person wrote, and where.
public struct YAMLFileError: Error, CustomStringConvertible, Sendable, Equatable {
  public var file: String
  public var line: Int?
  /// Dotted path of the field, such as `memory.bandwidth.unit`; empty for the file itself.
  public var field: String
  public var problem: String

  public init(file: String, line: Int? = nil, field: String = "", problem: String) {
    self.file = file
    self.line = line
    self.field = field
    self.problem = problem
  }

  public var description: String {
    // As in other files: `objectives[0].name`.
    let shown = field.split(separator: ".").reduce("") { path, part in
      Int(part) == nil ? (path.isEmpty ? String(part) : "\(path).\(part)") : "\(path)[\(part)]"
    }
    return InputFileError(source: file, line: line, field: shown.isEmpty ? nil : shown, problem: problem).description
  }
}
