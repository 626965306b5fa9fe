/// The project's own form of an architecture, `edgetwin.architecture/1`: read from a tree, written as one
/// line of JSON.
package enum ArchitectureDocument {
  package static let schema = "edgetwin.architecture/1"
  private static let fields = [
    "schema", "id", "vocabulary_size", "maximum_positions", "type_vocabulary_size", "position", "layers",
  ]
  private static let layerFields = ["hidden_size", "head_size", "heads", "feed_forward"]

  /// Reads an architecture.
  ///
  /// - Parameters:
  ///   - path: how messages call the object; empty where it is the whole document.
  ///   - requiresSchema: false where a row of another schema surrounds the object; a schema that is there is
  /// checked all the same.
  /// - Throws: ``InputFileError``.
  package static func architecture(
    _ value: DocumentValue, source: String, path: String = "", requiresSchema: Bool = true
  ) throws -> Architecture {
    let reader = try FieldReader(value, source: source, path: path)
    if requiresSchema || reader["schema"] != nil { try reader.checkSchema(schema) }
    let size = ArchitectureLimits.size
    let vocabulary = try reader.integer("vocabulary_size", in: size, known: fields)
    let positions = try reader.integer("maximum_positions", in: size, known: fields)
    let types = try reader.integer("type_vocabulary_size", in: size, known: fields)
    let positionName = try reader.string("position", known: fields)
    guard let position = Architecture.Position(rawValue: positionName) else {
      let known = Architecture.Position.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " or ")
      throw reader.failure(
        "position", problem: "must be \(known), is \"\(InputFileError.printable(positionName))\"")
    }
    let items = try reader.list("layers", count: ArchitectureLimits.layers, known: fields)
    let layers = try items.enumerated().map { index, item in
      try layer(item, source: source, path: reader.field("layers[\(index)]"))
    }
    return try checked(
      Architecture(
        vocabularySize: vocabulary, maximumPositions: positions, typeVocabularySize: types,
        position: position, layers: layers),
      reader: reader)
  }

  /// `architecture` where its sizes are within ``ArchitectureLimits``.
  package static func checked(_ architecture: Architecture, reader: FieldReader) throws -> Architecture {
    if let (field, problem) = ArchitectureLimits.violation(in: architecture) {
      throw InputFileError(
        source: reader.source, line: reader.line, field: reader.field(field), problem: problem)
    }
    return architecture
  }

  private static func layer(_ value: DocumentValue, source: String, path: String) throws -> Architecture.Layer {
    let reader = try FieldReader(value, source: source, path: path)
    let hidden = try reader.integer("hidden_size", in: ArchitectureLimits.size, known: layerFields)
    let names = try reader.list("heads", count: ArchitectureLimits.heads, known: layerFields)
    let heads = try names.enumerated().map { index, item in
      let name = try reader.string(item, field: reader.field("heads[\(index)]"))
      guard let head = HeadOperation(name: name) else {
        let known = HeadOperation.allCases.map(\.name).joined(separator: ", ")
        throw InputFileError(
          source: source, line: item.line, field: reader.field("heads[\(index)]"),
          problem: "\"\(InputFileError.printable(name))\" is no operation; known are \(known)")
      }
      return head
    }
    let stack = try reader.list(
      "feed_forward", count: ArchitectureLimits.feedForwardStack, known: layerFields)
    let feedForward = try stack.enumerated().map { index, item in
      try reader.integer(item, field: reader.field("feed_forward[\(index)]"), in: ArchitectureLimits.size)
    }
    let headSize: Int
    if let given = try reader.optionalInteger("head_size", in: ArchitectureLimits.size) {
      headSize = given
    } else {
      headSize = hidden / heads.count
      guard headSize > 0 else {
        throw reader.failure(
          "hidden_size", problem: "\(hidden) is less than the \(heads.count) heads; give `head_size`")
      }
    }
    return Architecture.Layer(hiddenSize: hidden, headSize: headSize, heads: heads, feedForward: feedForward)
  }
}

extension Architecture {
  /// The architecture in the project's own form (`edgetwin.architecture/1`): one line of JSON without a line
  /// feed, always the
  /// same for the same architecture.
  public var jsonLine: String { jsonLine(hasIdentifier: false) }

  /// ``jsonLine`` with the architecture's ``id`` in it, as it stands inside other rows.
  package var identifiedJSONLine: String { jsonLine(hasIdentifier: true) }

  private func jsonLine(hasIdentifier: Bool) -> String {
    let layers = layers.map { layer in
      let heads = JSONText.list(layer.heads.map { "\"\($0.name)\"" })
      let stack = JSONText.list(layer.feedForward.map(String.init))
      return
        "{\"hidden_size\":\(layer.hiddenSize),\"head_size\":\(layer.headSize),\"heads\":\(heads),\"feed_forward\":\(stack)}"
    }
    return "{\"schema\":\"\(ArchitectureDocument.schema)\","
      + (hasIdentifier ? "\"id\":\"\(id)\"," : "") + "\"vocabulary_size\":\(vocabularySize),"
      + "\"maximum_positions\":\(maximumPositions),\"type_vocabulary_size\":\(typeVocabularySize),"
      + "\"position\":\"\(position.rawValue)\",\"layers\":\(JSONText.list(layers))}"
  }
}
