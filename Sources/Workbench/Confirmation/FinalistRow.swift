import Architectures
import Measurements
import Twins

/// A row of what `confirm` is given: an architecture alone, or a row of `explore` with what it says of it.
public struct FinalistRow: Sendable, Hashable {
  /// Line that the row starts on, from 1.
  public var line: Int
  public var architecture: Architecture
  /// Nil where the row does not say.
  public var device: String?
  /// False for a member of a front that was not chosen; nil where the row does not say.
  public var isFinalist: Bool?
  public var accuracy: Double?

  public init(
    line: Int, architecture: Architecture, device: String? = nil, isFinalist: Bool? = nil, accuracy: Double? = nil
  ) {
    self.line = line
    self.architecture = architecture
    self.device = device
    self.isFinalist = isFinalist
    self.accuracy = accuracy
  }

  /// All rows of a file; `-` is standard input.
  /// - Throws: `InputFileError`.
  public static func read(_ path: String, space: DesignSpace = .flexibert2) throws -> [FinalistRow] {
    let bytes = try InputBytes.read(path)
    let source = InputBytes.name(of: path)
    let values = try ArchitectureReader.documents(
      bytes, source: source, isYAML: ArchitectureReader.hasYAMLName(path))
    var extras: [Int: DocumentValue] = [:]
    for value in values { extras[value.line] = value }
    return try ArchitectureRow.read(bytes: bytes, source: source, isYAML: ArchitectureReader.hasYAMLName(path)).map {
      let value = extras[$0.line]
      var row = FinalistRow(line: $0.line, architecture: try $0.model(source: source, space: space))
      row.device = value?["device"]?.string
      if case .boolean(let flag) = value?["finalist"]?.content { row.isFinalist = flag }
      switch value?["accuracy"]?["median"]?.content {
      case .number(let number): row.accuracy = number
      case .integer(let number): row.accuracy = Double(number)
      default: break
      }
      return row
    }
  }
}
