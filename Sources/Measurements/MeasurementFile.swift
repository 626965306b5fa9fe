import Architectures

/// Reads and writes measurements: JSON Lines of `edgetwin.measurement/1`, a row a line, blank lines allowed.
public enum MeasurementFile {
  /// All rows of a file, in order; `-` is standard input.
  ///
  /// - Throws: `InputFileError` where the file cannot be read, holds no row, or a row is wrong.
  public static func read(_ path: String) throws -> [Measurement] {
    var result: [Measurement] = []
    try forEach(in: path) { result.append($1) }
    return try checked(result, source: InputBytes.name(of: path))
  }

  /// All rows in the bytes of a file that messages call `source`.
  public static func read(bytes: [UInt8], source: String) throws -> [Measurement] {
    var result: [Measurement] = []
    try forEach(LineReader(bytes: bytes, source: source), source: source) { result.append($1) }
    return try checked(result, source: source)
  }

  /// Calls `body` with each row and the number of its line, without holding the file in memory.
  ///
  /// - Throws: `InputFileError`, or what `body` throws.
  public static func forEach(in path: String, _ body: (_ line: Int, _ row: Measurement) throws -> Void) throws {
    try forEach(LineReader(path: path), source: InputBytes.name(of: path), body)
  }

  private static func forEach(
    _ lines: LineReader, source: String, _ body: (_ line: Int, _ row: Measurement) throws -> Void
  ) throws {
    var lines = lines
    while let (number, bytes) = try lines.next() {
      let value = try JSONParser.document(bytes, source: source, line: number)
      try body(number, Measurement(value, source: source))
    }
  }

  private static func checked(_ rows: [Measurement], source: String) throws -> [Measurement] {
    guard !rows.isEmpty else { throw InputFileError(source: source, problem: "holds no measurement") }
    return rows
  }

  /// The text of a file: a line a row, in order.
  public static func text(_ rows: some Sequence<Measurement>) -> String {
    rows.map { $0.jsonLine + "\n" }.joined()
  }

  /// Writes a file, or standard output for `-`; a file that exists is replaced.
  public static func write(_ rows: some Sequence<Measurement>, to path: String) throws {
    try OutputFile.write(text(rows), to: path)
  }
}
