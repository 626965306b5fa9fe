import Foundation

/// Files of schema `edgetwin.space/1`.
extension DesignSpace {
  private static let schema = (family: "edgetwin.space", version: 1)

  /// Reads a space from a YAML (or JSON) file.
  ///
  /// - Throws: ``YAMLFileError`` naming the file, the line and the field.
  public init(contentsOf url: URL) throws(YAMLFileError) {
    try self.init(path: url.path)
  }

  /// Reads a space from the file at a path, which errors name as it is given; `-` is standard input.
  ///
  /// - Throws: ``YAMLFileError``.
  public init(path: String) throws(YAMLFileError) {
    try self.init(yaml: YAMLFile.read(path), file: InputBytes.name(of: path))
  }

  /// Reads a space from YAML text. Every field must be there, once, and no other.
  ///
  /// - Parameter file: the name that errors give.
  public init(yaml text: String, file: String) throws(YAMLFileError) {
    let fields = try YAMLFile.decode(Fields.self, from: text, name: file, schema: Self.schema)
    do {
      try self.init(fields.choices())
    } catch {
      guard case .invalid(let field, let reason) = error else {
        throw YAMLFileError(file: file, problem: "\(error)")
      }
      throw YAMLFileError(
        file: file, line: YAMLFile.line(of: field, in: text), field: field, problem: reason)
    }
  }

  /// The space as the text of a YAML file.
  public var yaml: String {
    func list(_ values: [Int]) -> String { "[" + values.map(String.init).joined(separator: ", ") + "]" }
    return """
      schema: \(Self.schema.family)/\(Self.schema.version)
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

  private struct Fields: Codable {
    var schema: String
    var layerCounts: [Int]
    var hiddenSizes: [Int]
    var headCounts: [Int]
    var operations: [String]
    var feedForwardWidths: [Int]
    var maximumFeedForwardStack: Int
    var vocabularySize: Int
    var maximumPositions: Int
    var typeVocabularySize: Int
    var position: String

    enum CodingKeys: String, CodingKey {
      case schema
      case layerCounts = "layer_counts"
      case hiddenSizes = "hidden_sizes"
      case headCounts = "head_counts"
      case operations
      case feedForwardWidths = "feed_forward_widths"
      case maximumFeedForwardStack = "maximum_feed_forward_stack"
      case vocabularySize = "vocabulary_size"
      case maximumPositions = "maximum_positions"
      case typeVocabularySize = "type_vocabulary_size"
      case position
    }

    func choices() throws(DesignSpaceError) -> Choices {
      var kinds: [HeadOperation] = []
      for name in operations {
        guard let operation = HeadOperation(name: name) else {
          let known = HeadOperation.allCases.map(\.name).joined(separator: ", ")
          throw .invalid(field: "operations", reason: "\(name) is none of \(known)")
        }
        kinds.append(operation)
      }
      guard let position = Architecture.Position(rawValue: position) else {
        let known = Architecture.Position.allCases.map(\.rawValue).joined(separator: ", ")
        throw .invalid(field: "position", reason: "\(self.position) is none of \(known)")
      }
      return Choices(
        layerCounts: layerCounts, hiddenSizes: hiddenSizes, headCounts: headCounts, operations: kinds,
        feedForwardWidths: feedForwardWidths, maximumFeedForwardStack: maximumFeedForwardStack,
        vocabularySize: vocabularySize, maximumPositions: maximumPositions,
        typeVocabularySize: typeVocabularySize, position: position)
    }
  }
}
