/// ProTran's model dictionary: `l` layers; for each, `o` names its heads as operation and size, `h` its
/// hidden size, `f` its
/// feed-forward stack.
///
/// What the dictionary leaves out is the same for every model of that project: RoBERTa's vocabulary of 50
/// 265, 514 positions, one token
/// type, relative keys.
package enum ProTranDictionary {
  /// Reads a dictionary.
  ///
  /// - Throws: ``InputFileError`` where the lists disagree about the number of layers, or the heads of a
  /// layer about their size.
  package static func architecture(_ value: DocumentValue, source: String, path: String = "") throws
    -> Architecture
  {
    let reader = try FieldReader(value, source: source, path: path)
    let count = try reader.integer("l", in: ArchitectureLimits.layers)
    let operations = try layerList("o", count: count, reader: reader)
    let hiddenSizes = try layerList("h", count: count, reader: reader)
    let stacks = try layerList("f", count: count, reader: reader)
    var layers: [Architecture.Layer] = []
    for index in 0..<count {
      let (heads, headSize) = try heads(operations[index], field: reader.field("o[\(index)]"), reader: reader)
      let stackField = reader.field("f[\(index)]")
      let stack = try reader.list(
        stacks[index], field: stackField, count: ArchitectureLimits.feedForwardStack)
      layers.append(
        Architecture.Layer(
          hiddenSize: try reader.integer(
            hiddenSizes[index], field: reader.field("h[\(index)]"), in: ArchitectureLimits.size),
          headSize: headSize, heads: heads,
          feedForward: try stack.enumerated().map { position, width in
            try reader.integer(width, field: "\(stackField)[\(position)]", in: ArchitectureLimits.size)
          }))
    }
    let architecture = Architecture(
      vocabularySize: 50_265, maximumPositions: 514, typeVocabularySize: 1, position: .relativeKey,
      layers: layers)
    return try ArchitectureDocument.checked(architecture, reader: reader)
  }

  private static func layerList(_ name: String, count: Int, reader: FieldReader) throws -> [DocumentValue] {
    let items = try reader.list(name, count: ArchitectureLimits.layers)
    guard items.count == count else {
      throw reader.failure(name, problem: "has \(items.count) items, but `l` says \(count) layers")
    }
    return items
  }

  private static func heads(
    _ value: DocumentValue, field: String, reader: FieldReader
  ) throws -> (heads: [HeadOperation], size: Int) {
    let items = try reader.list(value, field: field, count: ArchitectureLimits.heads)
    var heads: [HeadOperation] = []
    var size: Int?
    for (index, item) in items.enumerated() {
      let name = try reader.string(item, field: "\(field)[\(index)]")
      guard let underscore = name.lastIndex(of: "_"), let head = HeadOperation(name: name[..<underscore]),
        let headSize = Int(name[name.index(after: underscore)...]), ArchitectureLimits.size.contains(headSize)
      else {
        throw InputFileError(
          source: reader.source, line: item.line, field: "\(field)[\(index)]",
          problem:
            "\"\(InputFileError.printable(name))\" is not an operation and a size, such as \"sa_sdp_64\"")
      }
      guard size == nil || size == headSize else {
        throw InputFileError(
          source: reader.source, line: item.line, field: "\(field)[\(index)]",
          problem: "has size \(headSize), but the heads before it in this layer \(size ?? 0)")
      }
      size = headSize
      heads.append(head)
    }
    return (heads, size ?? 1)
  }
}
