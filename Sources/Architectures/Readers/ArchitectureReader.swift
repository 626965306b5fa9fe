/// Reads architectures from any of the forms that hold them, and finds out which it is.
///
/// JSON, JSON Lines or YAML, and in them: the project's own form, a row with such an object as its
/// `architecture` (a measurement, say), ProTran's
/// model dictionary, a row of ProTran's data set or the data set, or Hugging Face's `config.json`.
public enum ArchitectureReader {
  /// An architecture and the line its object starts on, from 1.
  public typealias Numbered = (line: Int, architecture: Architecture)

  /// All architectures of a file, in order; `-` is standard input. A file named `.yaml` or `.yml`, or one
  /// that does not start with `{` or `[`, is YAML.
  ///
  /// - Throws: ``InputFileError`` where the file or anything in it cannot be read.
  public static func read(_ path: String) throws -> [Numbered] {
    try architectures(in: InputBytes.read(path), source: InputBytes.name(of: path), isYAML: hasYAMLName(path))
  }

  /// The architecture of a file that holds one; `-` is standard input.
  ///
  /// - Throws: ``InputFileError``, also where there is more than one.
  public static func one(_ path: String) throws -> Architecture {
    let found = try read(path)
    guard let only = found.first, found.count == 1 else {
      throw InputFileError(
        source: InputBytes.name(of: path), line: found.dropFirst().first?.line,
        problem: "must hold one architecture, has \(found.count)")
    }
    return only.architecture
  }

  /// All architectures in the bytes of a file that messages call `source`.
  public static func read(bytes: [UInt8], source: String, isYAML: Bool = false) throws -> [Numbered] {
    try architectures(in: InputBytes.text(bytes, source: source), source: source, isYAML: isYAML)
  }

  /// The architecture in a text of one JSON value, such as a line from standard input whose number is `line`.
  public static func architecture(json text: String, source: String, line: Int = 1) throws -> Architecture {
    let bytes = [UInt8](text.utf8)
    try InputBytes.check(bytes, source: source, line: line)
    return try architecture(JSONParser.document(bytes, source: source, line: line), source: source)
  }

  /// Tells by the name whether a file is YAML.
  package static func hasYAMLName(_ path: String) -> Bool {
    path.lowercased().hasSuffix(".yaml") || path.lowercased().hasSuffix(".yml")
  }

  private static func architectures(in bytes: [UInt8], source: String, isYAML: Bool) throws -> [Numbered] {
    try documents(bytes, source: source, isYAML: isYAML).flatMap { try architectures($0, source: source) }
  }

  /// The architectures in one value: many where it is ProTran's data set, else one.
  package static func architectures(_ value: DocumentValue, source: String) throws -> [Numbered] {
    guard let rows = dataSetRows(value) else {
      return [(value.line, try architecture(value, source: source))]
    }
    return try rows.map { row in
      let path = "\(InputFileError.printable(row.name)).model_dict"
      guard let dictionary = row.value["model_dict"] else {
        throw InputFileError(source: source, line: row.value.line, field: path, problem: "is missing")
      }
      return (row.value.line, try ProTranDictionary.architecture(dictionary, source: source, path: path))
    }
  }

  /// The values of a file: those of JSON Lines, the items of a JSON list, YAML's documents, or the only one.
  package static func documents(_ bytes: [UInt8], source: String, isYAML: Bool) throws -> [DocumentValue] {
    let first = bytes.first { !InputBytes.isBlank($0) }
    guard !isYAML, first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else {
      return try YAMLDocument.documents(bytes, source: source).flatMap(items)
    }
    var parser = JSONParser(bytes, source: source)
    var result: [DocumentValue] = []
    while let value = try parser.next() {
      let end = parser.currentLine
      result.append(value)
      if !parser.isAtEnd(), parser.currentLine == end {
        throw InputFileError(
          source: source, line: end, problem: "there is something after the end of the JSON value")
      }
    }
    return result.count == 1 ? result.flatMap(items) : result
  }

  private static func items(_ value: DocumentValue) -> [DocumentValue] {
    if case .list(let items) = value.content { items } else { [value] }
  }

  /// The members of ProTran's data set, which is one object with a row a member; nil for another value.
  private static func dataSetRows(_ value: DocumentValue) -> [DocumentValue.Member]? {
    guard let members = value.members, let first = members.first, first.value["model_dict"] != nil else {
      return nil
    }
    return members
  }

  /// The architecture in one value of any of the forms.
  ///
  /// - Throws: ``InputFileError``.
  package static func architecture(_ value: DocumentValue, source: String) throws -> Architecture {
    let reader = try FieldReader(value, source: source)
    let schema = reader["schema"]?.string
    if let inner = reader["architecture"], inner.members != nil, !isArchitectureSchema(schema) {
      return try ArchitectureDocument.architecture(
        inner, source: source, path: "architecture", requiresSchema: false)
    }
    if schema == nil {
      if let dictionary = reader["model_dict"] {
        return try ProTranDictionary.architecture(dictionary, source: source, path: "model_dict")
      }
      if reader["o"] != nil || reader["l"] != nil {
        return try ProTranDictionary.architecture(value, source: source)
      }
      if reader["num_hidden_layers"] != nil || reader["hidden_size"] != nil || reader["model_type"] != nil {
        return try HuggingFaceConfig.architecture(value, source: source)
      }
    } else if !isArchitectureSchema(schema) {
      throw reader.failure(
        "schema",
        problem:
          "\"\(InputFileError.printable(schema ?? ""))\" with no `architecture` object in it is not an architecture"
      )
    }
    return try ArchitectureDocument.architecture(value, source: source)
  }

  private static func isArchitectureSchema(_ schema: String?) -> Bool {
    schema?.hasPrefix("edgetwin.architecture/") ?? false
  }
}
