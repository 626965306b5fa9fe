/// What is wrong with a file that a person or a program handed over: which file, which line, which field,
/// what to do.
///
/// Its description is one line, whatever the file contains. A tool that ends because of it exits with 65.
public struct InputFileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file as it was named by the caller, or `standard input`.
  public let source: String
  /// Line in the file, from 1; nil where no line is to blame.
  public let line: Int?
  /// The value to blame, such as `layers[3].hidden_size`; layers are counted from 0, as in the file's lists.
  public let field: String?
  /// What is wrong and, where that is not evident, what to do.
  public let problem: String

  public init(source: String, line: Int? = nil, field: String? = nil, problem: String) {
    self.source = source
    self.line = line
    self.field = field
    self.problem = problem
  }

  /// `file:line: field: what is wrong`, as ``YAMLFileError`` has it.
  public var description: String {
    var place = source.isEmpty ? "\"\"" : source
    if let line { place += ":\(line)" }
    if let field { place += ": \(field)" }
    return Self.printable("\(place): \(problem)", limit: 600)
  }

  /// `text` on one line: control characters are replaced, and what is longer than `limit` characters is cut.
  package static func printable(_ text: some StringProtocol, limit: Int = 60) -> String {
    var result = String.UnicodeScalarView()
    var count = 0
    for scalar in text.unicodeScalars {
      guard count < limit else { return String(result) + "…" }
      let isControl = scalar.properties.generalCategory == .control
      let breaksLine = scalar.value == 0x2028 || scalar.value == 0x2029
      result.append(isControl || breaksLine ? "\u{FFFD}" : scalar)
      count += 1
    }
    return String(result)
  }
}
