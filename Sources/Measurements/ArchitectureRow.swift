import Architectures

/// A row of what `predict --architectures` is given: an architecture, alone or inside a measurement or
/// another program's row.
public struct ArchitectureRow: Hashable, Sendable {
  /// Line that the row starts on, from 1.
  public let line: Int
  /// Nil where the row has only an ``embedding``, or is a measurement that has only features.
  public let architecture: Architecture?
  /// The row's `embedding`, where it has one as a list; 37 whole numbers that only a design space can
  /// interpret.
  public let embedding: [Int]?
  /// The row itself where it is a measurement: it brings settings.
  public let measurement: Measurement?

  public init(
    line: Int, architecture: Architecture?, embedding: [Int]? = nil, measurement: Measurement? = nil
  ) {
    self.line = line
    self.architecture = architecture
    self.embedding = embedding
    self.measurement = measurement
  }

  /// All rows of a file in any form that `ArchitectureReader` knows, or of measurements, or with an
  /// `embedding`; `-` is standard input.
  ///
  /// - Throws: `InputFileError`.
  public static func read(_ path: String) throws -> [ArchitectureRow] {
    try rows(
      in: InputBytes.read(path), source: InputBytes.name(of: path),
      isYAML: ArchitectureReader.hasYAMLName(path))
  }

  /// All rows in the bytes of a file that messages call `source`.
  public static func read(bytes: [UInt8], source: String, isYAML: Bool = false) throws -> [ArchitectureRow] {
    try rows(in: InputBytes.text(bytes, source: source), source: source, isYAML: isYAML)
  }

  private static func rows(in bytes: [UInt8], source: String, isYAML: Bool) throws -> [ArchitectureRow] {
    try ArchitectureReader.documents(bytes, source: source, isYAML: isYAML).flatMap {
      try rows($0, source: source)
    }
  }

  private static func rows(_ value: DocumentValue, source: String) throws -> [ArchitectureRow] {
    let isAlone = value["architecture"]?.members == nil && value["model_dict"] == nil && value["layers"] == nil
    let embedding = try embedding(value, isAlone: isAlone, source: source)
    if value["schema"]?.string?.hasPrefix("edgetwin.measurement/") ?? false {
      let row = try Measurement(value, source: source)
      return [
        try ArchitectureRow(
          line: value.line, architecture: row.architecture, embedding: embedding, measurement: row
        ).checked(source: source)
      ]
    }
    if let embedding, isAlone {
      return [ArchitectureRow(line: value.line, architecture: nil, embedding: embedding)]
    }
    return try ArchitectureReader.architectures(value, source: source).map {
      try ArchitectureRow(line: $0.line, architecture: $0.architecture, embedding: embedding).checked(source: source)
    }
  }

  /// The row, whose embedding says what its layers say.
  private func checked(source: String) throws -> ArchitectureRow {
    guard let architecture, let embedding else { return self }
    let space = DesignSpace.flexibert2
    do {
      guard try space.point(ofEmbedding: embedding) == space.point(of: architecture) else {
        throw InputFileError(
          source: source, line: line, field: "embedding",
          problem: "is of another architecture than the layers beside it; leave one of them out")
      }
    } catch let error as DesignSpaceError {
      throw InputFileError(source: source, line: line, field: "embedding", problem: "\(error)")
    }
    return self
  }

  /// The embedding in FlexiBERT 2.0; nil also where one of another space stands beside the layers.
  private static func embedding(_ value: DocumentValue, isAlone: Bool, source: String) throws -> [Int]? {
    guard let inner = value["embedding"], case .list = inner.content else { return nil }
    let reader = try FieldReader(value, source: source)
    if let space = try reader.optionalString("space_id"), space != DesignSpace.flexibert2.id {
      guard isAlone else { return nil }
      throw reader.failure(
        "embedding", problem: "is of another space than FlexiBERT 2.0 (space_id); give the `architecture` instead")
    }
    return try reader.list(inner, field: "embedding", count: 37...37).enumerated().map { index, item in
      try reader.integer(item, field: "embedding[\(index)]", in: 0...1_000_000)
    }
  }
}
