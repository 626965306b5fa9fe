/// Typed access to the members of one object of a document; what is missing or of another kind is an
/// ``InputFileError`` that names it.
package struct FieldReader {
  package let members: [DocumentValue.Member]
  package let line: Int
  package let path: String
  package let source: String

  /// - Parameters:
  ///   - path: how messages call the object, such as `layers[3]`; empty for the whole document.
  ///   - line: where messages point to instead of the value's own line.
  package init(_ value: DocumentValue, source: String, path: String = "") throws {
    guard let members = value.members else {
      throw InputFileError(
        source: source, line: value.line, field: path.isEmpty ? nil : path,
        problem: "must be an object, is \(value.shown)")
    }
    self.members = members
    self.source = source
    self.path = path
    line = value.line
  }

  /// How messages call the member `name`.
  package func field(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  /// The member `name`; nil where it is absent or null.
  package subscript(name: String) -> DocumentValue? {
    for member in members where member.name == name {
      if case .null = member.value.content { return nil }
      return member.value
    }
    return nil
  }

  package func required(_ name: String, known: [String] = []) throws -> DocumentValue {
    if let value = self[name] { return value }
    let isNull = members.contains { $0.name == name }
    guard !isNull else { throw failure(name, problem: "is null, and must be given") }
    let strangers = members.map(\.name).filter { !known.contains($0) && $0 != name }.prefix(3)
    let hint =
      known.isEmpty || strangers.isEmpty
      ? ""
      : " (not known: \(strangers.map { "`\(InputFileError.printable($0, limit: 40))`" }.joined(separator: ", ")))"
    throw failure(name, problem: "is missing\(hint)")
  }

  package func failure(_ name: String, line: Int? = nil, problem: String) -> InputFileError {
    InputFileError(
      source: source, line: line ?? self[name]?.line ?? self.line, field: field(name), problem: problem)
  }

  // MARK: Kinds

  package func integer(_ value: DocumentValue, field: @autoclosure () -> String, in range: ClosedRange<Int>)
    throws -> Int
  {
    let problem: String
    switch value.content {
    case .integer(let integer):
      if range.contains(integer) { return integer }
      problem = "must be from \(range.lowerBound) to \(range.upperBound), is \(integer)"
    case .number(let number):
      if let integer = Int(exactly: number), range.contains(integer) { return integer }
      problem =
        number.isFinite && abs(number) < 1e15 && number != number.rounded()
        ? "must be a whole number, is \(number)"
        : "must be a whole number from \(range.lowerBound) to \(range.upperBound), is \(number)"
    default: problem = "must be a whole number, is \(value.shown)"
    }
    throw InputFileError(source: source, line: value.line, field: field(), problem: problem)
  }

  package func integer(_ name: String, in range: ClosedRange<Int>, known: [String] = []) throws -> Int {
    try integer(required(name, known: known), field: field(name), in: range)
  }

  package func optionalInteger(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
    try self[name].map { try integer($0, field: field(name), in: range) }
  }

  /// A finite number within `range`; `advice` ends the message where it is not.
  package func number(
    _ value: DocumentValue, field: @autoclosure () -> String, in range: ClosedRange<Double>,
    advice: String = ""
  ) throws -> Double {
    let number: Double
    switch value.content {
    case .integer(let integer): number = Double(integer)
    case .number(let double): number = double
    default:
      throw InputFileError(
        source: source, line: value.line, field: field(),
        problem: "must be a number, is \(value.shown)\(advice)")
    }
    guard range.contains(number) else {
      let bounds = "must be a number from \(range.lowerBound) to \(range.upperBound)"
      throw InputFileError(
        source: source, line: value.line, field: field(), problem: "\(bounds), is \(value.shown)\(advice)")
    }
    return number
  }

  package func optionalNumber(
    _ name: String, in range: ClosedRange<Double>, advice: String = ""
  ) throws -> Double? {
    try self[name].map { try number($0, field: field(name), in: range, advice: advice) }
  }

  package func string(_ value: DocumentValue, field: @autoclosure () -> String) throws -> String {
    if let text = value.string { return text }
    throw InputFileError(
      source: source, line: value.line, field: field(), problem: "must be a text, is \(value.shown)")
  }

  package func string(_ name: String, known: [String] = []) throws -> String {
    try string(required(name, known: known), field: field(name))
  }

  package func optionalString(_ name: String) throws -> String? {
    try self[name].map { try string($0, field: field(name)) }
  }

  package func optionalBoolean(_ name: String) throws -> Bool? {
    guard let value = self[name] else { return nil }
    guard case .boolean(let flag) = value.content else {
      throw failure(name, problem: "must be true or false, is \(value.shown)")
    }
    return flag
  }

  package func list(_ value: DocumentValue, field: @autoclosure () -> String, count range: ClosedRange<Int>)
    throws
    -> [DocumentValue]
  {
    guard case .list(let items) = value.content else {
      throw InputFileError(
        source: source, line: value.line, field: field(), problem: "must be a list, is \(value.shown)")
    }
    guard range.contains(items.count) else {
      throw InputFileError(
        source: source, line: value.line, field: field(),
        problem: "must have \(range.lowerBound) to \(range.upperBound) items, has \(items.count)")
    }
    return items
  }

  package func list(_ name: String, count range: ClosedRange<Int>, known: [String] = []) throws
    -> [DocumentValue]
  {
    try list(required(name, known: known), field: field(name), count: range)
  }

  // MARK: Schema

  /// Checks `schema` against the one version that this program knows, such as `edgetwin.architecture/1`.
  ///
  /// - Throws: ``InputFileError``; a newer version is told apart from something else.
  package func checkSchema(_ expected: String) throws {
    let found = try string("schema")
    guard found != expected else { return }
    if let slash = expected.lastIndex(of: "/"), found.hasPrefix(expected[...slash]),
      let version = Int(found.dropFirst(expected[...slash].count)),
      let known = Int(expected[expected.index(after: slash)...]),
      version > known
    {
      throw failure(
        "schema", problem: "is version \(version); this program knows \(known): use a newer program")
    }
    throw failure("schema", problem: "must be \"\(expected)\", is \"\(InputFileError.printable(found))\"")
  }
}
