/// A value of a JSON or YAML document that keeps the order of keys and the line it stands on.
///
/// Foundation's parser keeps neither, and both are needed: ProTran's files are ordered by their keys, and
/// every message names a line.
package struct DocumentValue: Sendable {
  package enum Content: Sendable {
    case null
    case boolean(Bool)
    case integer(Int)
    /// A number that is no `Int`; not finite where the document says so or the number is too large.
    case number(Double)
    case string(String)
    case list([DocumentValue])
    case object([Member])
  }

  package struct Member: Sendable {
    package let name: String
    package let value: DocumentValue
  }

  package let content: Content
  /// Line of the value's first character, from 1.
  package let line: Int

  package init(_ content: Content, line: Int) {
    self.content = content
    self.line = line
  }

  /// The members of an object, in order; nil for another value.
  package var members: [Member]? {
    if case .object(let members) = content { members } else { nil }
  }

  /// The member of an object by its name; nil where it is absent or null.
  package subscript(name: String) -> DocumentValue? {
    guard let value = members?.first(where: { $0.name == name })?.value else { return nil }
    if case .null = value.content { return nil }
    return value
  }

  package var string: String? {
    if case .string(let text) = content { text } else { nil }
  }

  /// What the value is, as a message says it.
  package var kindName: String {
    switch content {
    case .null: "null"
    case .boolean: "true or false"
    case .integer, .number: "a number"
    case .string: "a text"
    case .list: "a list"
    case .object: "an object"
    }
  }

  /// The value itself where it is short, else its kind.
  package var shown: String {
    switch content {
    case .null: "null"
    case .boolean(let value): value ? "true" : "false"
    case .integer(let value): String(value)
    case .number(let value): "\(value)"
    case .string(let text): "\"\(InputFileError.printable(text, limit: 40))\""
    case .list, .object: kindName
    }
  }
}
