import Architectures

/// A value of a ``Record``: what JSON can say.
public enum FieldValue: Sendable, Hashable {
  case null
  case flag(Bool)
  case whole(Int)
  case number(Double)
  case text(String)
  case list([FieldValue])
  case object(Record)

  public init(_ value: Double?) { self = value.map(FieldValue.number) ?? .null }
  public init(_ value: Int?) { self = value.map(FieldValue.whole) ?? .null }
  public init(_ value: String?) { self = value.map(FieldValue.text) ?? .null }
  public init(_ value: Bool?) { self = value.map(FieldValue.flag) ?? .null }
  public init(_ values: [String]) { self = .list(values.map(FieldValue.text)) }

  /// JSON on one line.
  public var json: String {
    switch self {
    case .null: "null"
    case .flag(let value): value ? "true" : "false"
    case .whole(let value): String(value)
    case .number(let value): JSONText.number(value)
    case .text(let value): JSONText.quoted(value)
    case .list(let values): JSONText.list(values.map(\.json))
    case .object(let record): record.json
    }
  }

  /// As one cell of a table for machines.
  var plain: String {
    switch self {
    case .null: ""
    case .text(let value): value
    case .list(let values): values.map(\.plain).joined(separator: ";")
    default: json
    }
  }
}

extension FieldValue {
  /// A value of a document that was read, to be written again.
  package init(_ value: DocumentValue) {
    switch value.content {
    case .null: self = .null
    case .boolean(let flag): self = .flag(flag)
    case .integer(let integer): self = .whole(integer)
    case .number(let number): self = .number(number)
    case .string(let text): self = .text(text)
    case .list(let items): self = .list(items.map { FieldValue($0) })
    case .object(let members):
      self = .object(Record(fields: members.map { Record.Field(name: $0.name, value: FieldValue($0.value)) }))
    }
  }
}

/// A row of what a command prints: named values in an order.
public struct Record: Sendable, Hashable {
  public struct Field: Sendable, Hashable {
    public var name: String
    public var value: FieldValue
  }

  public var fields: [Field]

  public init(fields: [Field] = []) {
    self.fields = fields
  }

  public mutating func add(_ name: String, _ value: FieldValue) {
    fields.append(Field(name: name, value: value))
  }

  public subscript(name: String) -> FieldValue? { fields.first { $0.name == name }?.value }

  /// JSON on one line.
  public var json: String {
    "{" + fields.map { "\(JSONText.quoted($0.name)):\($0.value.json)" }.joined(separator: ",") + "}"
  }

  /// Names and cells with inner objects opened: `latency_s.median`, `latency_s.lower`, …
  var cells: [(name: String, text: String)] {
    fields.flatMap { field -> [(name: String, text: String)] in
      if case .object(let inner) = field.value {
        return inner.cells.map { ("\(field.name).\($0.name)", $0.text) }
      }
      return [(field.name, field.value.plain)]
    }
  }
}

/// How rows are written.
public enum RecordFormat: String, Sendable, CaseIterable {
  /// For people: units that are easy to read.
  case table
  /// One JSON list.
  case json
  /// A JSON object a line.
  case jsonl
  /// RFC 4180; inner objects as columns with a dot in their names.
  case csv
}

/// Turns rows into text, one at a time, so that long lists stream. Not for ``RecordFormat/table``, which is laid out as a whole.
public struct RecordWriter: Sendable {
  private let format: RecordFormat
  private var columns: [String] = []
  private var count = 0

  public init(_ format: RecordFormat) {
    self.format = format
  }

  /// The text of the next row, with what must precede it.
  public mutating func next(_ record: Record) -> String {
    defer { count += 1 }
    switch format {
    case .json: return (count == 0 ? "[\n" : ",\n") + record.json
    case .jsonl, .table: return record.json + "\n"
    case .csv:
      let cells = record.cells
      var text = ""
      if count == 0 {
        columns = cells.map(\.name)
        text = columns.map(Self.quoted).joined(separator: ",") + "\n"
      }
      let byName = Dictionary(cells.map { ($0.name, $0.text) }, uniquingKeysWith: { first, _ in first })
      return text + columns.map { Self.quoted(byName[$0] ?? "") }.joined(separator: ",") + "\n"
    }
  }

  /// The text after the last row.
  public func end() -> String {
    guard format == .json else { return "" }
    return count == 0 ? "[]\n" : "\n]\n"
  }

  private static func quoted(_ cell: String) -> String {
    guard cell.contains(where: { ",\"\r\n".contains($0) }) else { return cell }
    return "\"" + cell.replacing("\"", with: "\"\"") + "\""
  }
}
