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
    let embedding = try embedding(value, source: source)
    if value["schema"]?.string?.hasPrefix("edgetwin.measurement/") ?? false {
      let row = try Measurement(value, source: source)
      return [
        ArchitectureRow(
          line: value.line, architecture: row.architecture, embedding: embedding, measurement: row)
      ]
    }
    if let embedding, value["architecture"] == nil, value["model_dict"] == nil, value["layers"] == nil {
      return [ArchitectureRow(line: value.line, architecture: nil, embedding: embedding)]
    }
    return try ArchitectureReader.architectures(value, source: source).map {
      ArchitectureRow(line: $0.line, architecture: $0.architecture, embedding: embedding)
    }
  }

  private static func embedding(_ value: DocumentValue, source: String) throws -> [Int]? {
    guard let inner = value["embedding"], case .list = inner.content else { return nil }
    let reader = try FieldReader(value, source: source)
    return try reader.list(inner, field: "embedding", count: 37...37).enumerated().map { index, item in
      try reader.integer(item, field: "embedding[\(index)]", in: 0...1_000_000)
    }
  }
}
