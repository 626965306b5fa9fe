import Foundation
import Yams

/// Files of schema `edgetwin.space/1`.
extension DesignSpace {
  public static let schema = "edgetwin.space/1"

  /// Reads a space from a YAML file.
  ///
  /// - Throws: ``DesignSpaceError`` naming the file, the line and the field.
  public init(contentsOf url: URL) throws(DesignSpaceError) {
    let text: String
    do {
      text = try String(contentsOf: url, encoding: .utf8)
    } catch {
      throw .file(name: url.path, line: 1, field: "file", reason: "cannot be read as UTF-8 text")
    }
    try self.init(yaml: text, file: url.path)
  }

  /// Reads a space from YAML text. Every field must be there, once, and no other.
  ///
  /// - Parameter file: the name that errors give.
  public init(yaml text: String, file: String) throws(DesignSpaceError) {
    var reader = try SpaceFileReader(text: text, file: file)
    let schema = try reader.text("schema")
    guard schema == Self.schema else {
      throw reader.error("schema", "expected \(Self.schema), got \(schema); a newer program may be needed")
    }
    var operations: [HeadOperation] = []
    for name in try reader.texts("operations") {
      guard let operation = HeadOperation(name: name) else {
        let known = HeadOperation.allCases.map(\.name).joined(separator: ", ")
        throw reader.error("operations", "\(name) is none of \(known)")
      }
      operations.append(operation)
    }
    let position = try reader.text("position")
    guard let position = Architecture.Position(rawValue: position) else {
      let known = Architecture.Position.allCases.map(\.rawValue).joined(separator: ", ")
      throw reader.error("position", "\(position) is none of \(known)")
    }
    let choices = Choices(
      layerCounts: try reader.numbers("layer_counts"), hiddenSizes: try reader.numbers("hidden_sizes"),
      headCounts: try reader.numbers("head_counts"), operations: operations,
      feedForwardWidths: try reader.numbers("feed_forward_widths"),
      maximumFeedForwardStack: try reader.number("maximum_feed_forward_stack"),
      vocabularySize: try reader.number("vocabulary_size"),
      maximumPositions: try reader.number("maximum_positions"),
      typeVocabularySize: try reader.number("type_vocabulary_size"), position: position)
    try reader.finish()
    do {
      try self.init(choices)
    } catch .invalid(let field, let reason) {
      throw reader.error(field, reason)
    }
  }

  /// The space as the text of a YAML file.
  public var yaml: String {
    func list(_ values: [Int]) -> String { "[" + values.map(String.init).joined(separator: ", ") + "]" }
    return """
      schema: \(Self.schema)
      layer_counts: \(list(layerCounts))
      hidden_sizes: \(list(hiddenSizes))
      head_counts: \(list(headCounts))
      operations: [\(operations.map(\.name).joined(separator: ", "))]
      feed_forward_widths: \(list(feedForwardWidths))
      maximum_feed_forward_stack: \(maximumFeedForwardStack)
      vocabulary_size: \(vocabularySize)
      maximum_positions: \(maximumPositions)
      type_vocabulary_size: \(typeVocabularySize)
      position: \(position.rawValue)

      """
  }
}

/// A flat mapping of strings, whole numbers and lists of them, read strictly.
private struct SpaceFileReader {
  let file: String
  private var unread: [String: (key: Node, value: Node)] = [:]
  private var lines: [String: Int] = [:]

  init(text: String, file: String) throws(DesignSpaceError) {
    self.file = file
    // The parser recurses: text that could nest deeply is refused before it gets there.
    let indicators = text.utf8.lazy.filter { "[{-?:&*".utf8.contains($0) }.count
    guard text.utf8.count <= 65_536, indicators <= 500 else {
      throw .file(name: file, line: 1, field: "file", reason: "is too large for a design space")
    }
    let root: Node?
    do {
      root = try Yams.compose(yaml: text)
    } catch {
      let (line, problem) = Self.place(of: error)
      throw .file(name: file, line: line, field: "YAML", reason: problem)
    }
    guard case .mapping(let mapping)? = root else {
      throw .file(name: file, line: 1, field: "file", reason: "expected fields, one a line")
    }
    for (key, value) in mapping {
      guard case .scalar(let name) = key else {
        throw .file(name: file, line: key.mark?.line ?? 1, field: "field name", reason: "must be a word")
      }
      unread[name.string] = (key, value)
      lines[name.string] = key.mark?.line ?? 1
    }
  }

  private static func place(of error: any Error) -> (line: Int, problem: String) {
    switch error as? YamlError {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      return (mark.line, problem)
    case .duplicatedKeysInMapping(let duplicates, let context):
      return (context.mark.line, "\(duplicates.joined(separator: ", ")) given twice")
    default:
      return (1, "cannot be parsed: \(error)")
    }
  }

  func error(_ field: String, _ reason: String) -> DesignSpaceError {
    .file(name: file, line: lines[field] ?? 1, field: field, reason: reason)
  }

  private mutating func take(_ field: String) throws(DesignSpaceError) -> Node {
    guard let entry = unread.removeValue(forKey: field) else { throw error(field, "is missing") }
    return entry.value
  }

  mutating func finish() throws(DesignSpaceError) {
    if let field = unread.keys.min(by: { (lines[$0] ?? 0, $0) < (lines[$1] ?? 0, $1) }) {
      throw error(field, "is not a field of \(DesignSpace.schema)")
    }
  }

  mutating func text(_ field: String) throws(DesignSpaceError) -> String {
    try scalar(try take(field), field).string
  }

  mutating func texts(_ field: String) throws(DesignSpaceError) -> [String] {
    var result: [String] = []
    for element in try elements(field) { result.append(try scalar(element, field).string) }
    return result
  }

  mutating func number(_ field: String) throws(DesignSpaceError) -> Int {
    try number(try take(field), field)
  }

  mutating func numbers(_ field: String) throws(DesignSpaceError) -> [Int] {
    var result: [Int] = []
    for element in try elements(field) { result.append(try number(element, field)) }
    return result
  }

  private mutating func elements(_ field: String) throws(DesignSpaceError) -> Node.Sequence {
    guard case .sequence(let sequence) = try take(field) else { throw error(field, "must be a list") }
    return sequence
  }

  private func scalar(_ node: Node, _ field: String) throws(DesignSpaceError) -> Node.Scalar {
    guard case .scalar(let scalar) = node else { throw error(field, "must be a single value") }
    return scalar
  }

  private func number(_ node: Node, _ field: String) throws(DesignSpaceError) -> Int {
    let scalar = try scalar(node, field)
    guard scalar.style == .plain || scalar.style == .any, let value = Int(scalar.string) else {
      throw error(field, "\(scalar.string) is not a whole number")
    }
    return value
  }
}
