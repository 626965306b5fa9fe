import Architectures

extension Pedigree {
  /// One line of JSON: identities as texts of ranges, such as `"0-383,400"`.
  package var json: String {
    let layers = layers.map { layer in
      let heads = layer.heads.map { "[\($0.identity),\"\($0.operation.name)\"]" }
      let stack = layer.feedForward.map { "[\($0.identity),\"\(Self.ranges($0.neurons))\"]" }
      return "{\"layer\":\(layer.identity),\"channels\":\"\(Self.ranges(layer.channels))\","
        + "\"head_units\":\"\(Self.ranges(layer.headUnits))\",\"heads\":\(JSONText.list(heads)),"
        + "\"feed_forward\":\(JSONText.list(stack))}"
    }
    return "{\"vocabulary_size\":\(vocabularySize),\"maximum_positions\":\(maximumPositions),"
      + "\"type_vocabulary_size\":\(typeVocabularySize),\"position\":\"\(position.rawValue)\","
      + "\"next_identity\":\(nextIdentity),\"layers\":\(JSONText.list(layers))}"
  }

  /// - Throws: `InputFileError`.
  package init(_ value: DocumentValue, source: String, path: String) throws {
    let fields = try FieldReader(value, source: source, path: path)
    let size = ArchitectureLimits.size
    let name = try fields.string("position")
    guard let position = Architecture.Position(rawValue: name) else {
      throw fields.failure("position", problem: "is not known")
    }
    self.init(
      vocabularySize: try fields.integer("vocabulary_size", in: size),
      maximumPositions: try fields.integer("maximum_positions", in: size),
      typeVocabularySize: try fields.integer("type_vocabulary_size", in: size), position: position,
      layers: try fields.list("layers", count: ArchitectureLimits.layers).enumerated().map { index, item in
        try Layer(item, source: source, path: fields.field("layers[\(index)]"))
      }, nextIdentity: try fields.integer("next_identity", in: 0...(1 << 60)))
    guard isConsistent else { throw fields.failure("layers", problem: "name identities twice or not at all") }
  }

  /// Consecutive identities as one range.
  static func ranges(_ identities: [Int]) -> String {
    var parts: [String] = []
    var start = 0
    while start < identities.count {
      var end = start + 1
      while end < identities.count, identities[end] == identities[end - 1] + 1 { end += 1 }
      parts.append(end - start == 1 ? "\(identities[start])" : "\(identities[start])-\(identities[end - 1])")
      start = end
    }
    return parts.joined(separator: ",")
  }

  /// Nil for a text that ``ranges(_:)`` does not write, or one of more than `limit` identities.
  static func identities(_ text: String, limit: Int = ArchitectureLimits.size.upperBound) -> [Int]? {
    var result: [Int] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first >= 0,
        last >= first, last - first < limit - result.count
      else { return nil }
      result += first...last
    }
    return result
  }
}

extension Pedigree.Layer {
  fileprivate init(_ value: DocumentValue, source: String, path: String) throws {
    let fields = try FieldReader(value, source: source, path: path)
    let numbers = 0...(1 << 60)
    func identities(_ text: String, _ name: String) throws -> [Int] {
      guard let list = Pedigree.identities(text) else {
        throw fields.failure(name, problem: "must be ranges of identities such as \"0-383,400\"")
      }
      return list
    }
    func pairs(_ name: String, _ count: ClosedRange<Int>) throws -> [(identity: Int, text: String)] {
      try fields.list(name, count: count).map { item in
        let pair = try fields.list(item, field: fields.field(name), count: 2...2)
        return (
          try fields.integer(pair[0], field: fields.field(name), in: numbers),
          try fields.string(pair[1], field: fields.field(name))
        )
      }
    }
    identity = try fields.integer("layer", in: numbers)
    channels = try identities(fields.string("channels"), "channels")
    headUnits = try identities(fields.string("head_units"), "head_units")
    heads = try pairs("heads", ArchitectureLimits.heads).map { pair in
      guard let operation = HeadOperation(name: pair.text) else {
        throw fields.failure("heads", problem: "\"\(InputFileError.printable(pair.text))\" is no operation")
      }
      return Pedigree.Head(identity: pair.identity, operation: operation)
    }
    feedForward = try pairs("feed_forward", ArchitectureLimits.feedForwardStack).map { pair in
      Pedigree.Hidden(identity: pair.identity, neurons: try identities(pair.text, "feed_forward"))
    }
  }
}
