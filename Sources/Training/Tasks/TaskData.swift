import Architectures

/// Rows of a task's table, as GLUE's TSV files have them: columns between tabs, quotes without meaning, with a header or without.
public struct TaskData: Sendable, Hashable {
  public struct Row: Sendable, Hashable {
    public var text: String
    public var pair: String?
    /// A class, counted from 0, or a number.
    public var target: Double
    /// In the file, from 1.
    public var line: Int
  }

  public let task: TextTask
  /// How messages call the file.
  public let source: String
  public private(set) var rows: [Row] = []
  /// Lines that were left out for their lack of columns, as the official file of QQP has some.
  public private(set) var brokenLineCount = 0

  public init(task: TextTask, source: String, rows: [Row]) {
    self.task = task
    self.source = source
    self.rows = rows
  }

  /// Of all rows of some tables: the same for the same texts and labels in the same order.
  package static func hash(_ tables: [TaskData]) -> String {
    var hash = StableHash()
    for row in tables.flatMap(\.rows) {
      hash.combine("\(row.text)\t\(row.pair ?? "")\t\(row.target)\n".utf8)
    }
    return String(hash.value, radix: 16)
  }

  /// Reads a table.
  ///
  /// - Parameter path: `-` is standard input.
  /// - Throws: `InputFileError` naming the line of the first row that the task cannot have.
  public static func read(_ path: String, task: TextTask) throws -> TaskData {
    try read(LineReader(path: path), source: InputBytes.name(of: path), task: task)
  }

  package static func read(_ lines: LineReader, source: String, task: TextTask) throws -> TaskData {
    var lines = lines
    var data = TaskData(task: task, source: source, rows: [])
    var columns: TaskLayout.Columns?
    var width = 0
    while let (number, bytes) = try lines.next() {
      let fields = bytes.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
        .map { String(decoding: $0, as: UTF8.self) }
      guard let known = columns else {
        width = fields.count
        let header = try task.layout.header(fields, task: task, source: source, line: number)
        columns = try header ?? task.layout.withoutHeader(fields, task: task, source: source, line: number)
        if header == nil, let columns { try data.append(fields, columns, line: number) }
        continue
      }
      guard fields.count == width else {
        if task.layout.hasBrokenLines, fields.count < width {
          data.brokenLineCount += 1
          continue
        }
        throw InputFileError(
          source: source, line: number, problem: "has \(fields.count) columns; the first line has \(width)")
      }
      try data.append(fields, known, line: number)
    }
    guard !data.rows.isEmpty else { throw InputFileError(source: source, problem: "has no rows") }
    return data
  }

  private mutating func append(_ fields: [String], _ columns: TaskLayout.Columns, line: Int) throws {
    let texts = columns.texts.map { fields[$0] }
    rows.append(
      Row(
        text: texts[0], pair: texts.count > 1 ? texts[1] : nil,
        target: try task.target(fields[columns.label], source: source, line: line), line: line))
  }
}

extension TaskLayout {
  /// The columns that a header names; nil where the line is no header.
  fileprivate func header(_ fields: [String], task: TextTask, source: String, line: Int) throws -> Columns? {
    let names = fields.map(Self.trimmed)
    let places = texts.lazy.map { $0.compactMap { names.firstIndex(of: $0) } }.first { $0.count == texts[0].count }
    let label = labels.lazy.compactMap { names.firstIndex(of: $0) }.first
    if let places, let label { return Columns(texts: places, label: label) }
    // A header that lacks one of the two: the test sets have no labels.
    if places != nil {
      throw InputFileError(
        source: source, line: line, field: labels[0],
        problem: "the column is missing; \(task.name) needs its labels (columns: \(names.joined(separator: ", ")))")
    }
    return nil
  }

  fileprivate func withoutHeader(_ fields: [String], task: TextTask, source: String, line: Int) throws -> Columns {
    if let columns = plain[fields.count] { return columns }
    let counts = plain.keys.sorted().map(String.init).joined(separator: ", ")
    let known = (texts[0] + [labels[0]]).joined(separator: ", ")
    throw InputFileError(
      source: source, line: line,
      problem: "has \(fields.count) columns; \(task.name) has a header with \(known), or \(counts) columns without one")
  }

  private static func trimmed(_ text: String) -> String {
    var text = Substring(text)
    while let last = text.last, last.isWhitespace { text.removeLast() }
    while let first = text.first, first.isWhitespace { text.removeFirst() }
    return String(text)
  }
}

extension TextTask {
  /// The class or number that a label stands for.
  fileprivate func target(_ text: String, source: String, line: Int) throws -> Double {
    func failure(_ problem: String) -> InputFileError {
      InputFileError(source: source, line: line, field: layout.labels[0], problem: problem)
    }
    let shown = "\"\(InputFileError.printable(text, limit: 40))\""
    switch kind {
    case .classification(let labels):
      guard let index = labels.firstIndex(of: text) else {
        throw failure("must be one of \(labels.joined(separator: ", ")), is \(shown)")
      }
      return Double(index)
    case .regression(let range):
      guard let value = Double(text), value.isFinite, range.contains(value) else {
        throw failure("must be a number from \(range.lowerBound) to \(range.upperBound), is \(shown)")
      }
      return value
    }
  }
}
