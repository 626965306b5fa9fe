import Architectures

/// A comma-separated table (RFC 4180) with a header: quotes, line feeds inside quotes, CRLF; every row as
/// wide as the header.
struct CSVTable {
  struct Row {
    /// Line that the row starts on, from 1.
    let line: Int
    let cells: [String]
  }

  let header: [String]
  let rows: [Row]

  /// - Parameter bytes: UTF-8 text (`InputBytes.text(_:source:)`).
  /// - Throws: `InputFileError` with the line.
  init(_ bytes: [UInt8], source: String) throws {
    var records = try Self.records(bytes, source: source)
    guard !records.isEmpty else { throw InputFileError(source: source, problem: "holds no table") }
    let first = records.removeFirst()
    header = first.cells
    var names: Set<String> = []
    for (index, name) in header.enumerated() {
      guard !name.isEmpty, names.insert(name).inserted else {
        throw InputFileError(
          source: source, line: first.line,
          problem: name.isEmpty
            ? "column \(index + 1) has no name" : "two columns are named `\(InputFileError.printable(name))`")
      }
    }
    for record in records where record.cells.count != header.count {
      throw InputFileError(
        source: source, line: record.line,
        problem: "has \(record.cells.count) columns, the header has \(header.count)")
    }
    rows = records
  }

  private static func records(_ bytes: [UInt8], source: String) throws -> [Row] {
    var result: [Row] = []
    var cells: [String] = []
    var cell: [UInt8] = []
    var line = 1
    var start = 1
    var index = 0
    func isLineEnd(_ index: Int) -> Bool {
      index >= bytes.count || bytes[index] == 0x0A
        || (bytes[index] == 0x0D && index + 1 < bytes.count && bytes[index + 1] == 0x0A)
    }
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "\""), cell.isEmpty {
        index = try quoted(bytes, from: index + 1, into: &cell, line: &line, source: source)
        guard isLineEnd(index) || bytes[index] == UInt8(ascii: ",") else {
          throw InputFileError(source: source, line: line, problem: "there is text after a closing quote")
        }
      }
      if isLineEnd(index) {
        cells.append(String(decoding: cell, as: UTF8.self))
        if cells != [""] { result.append(Row(line: start, cells: cells)) }
        (cells, cell) = ([], [])
        index += index < bytes.count && bytes[index] == 0x0D ? 2 : 1
        line += 1
        start = line
      } else if bytes[index] == UInt8(ascii: ",") {
        cells.append(String(decoding: cell, as: UTF8.self))
        cell = []
        index += 1
      } else {
        guard bytes[index] != UInt8(ascii: "\"") else {
          throw InputFileError(
            source: source, line: line, problem: "a quote stands inside a cell without quotes")
        }
        cell.append(bytes[index])
        index += 1
      }
    }
    if !cells.isEmpty || !cell.isEmpty {
      result.append(Row(line: start, cells: cells + [String(decoding: cell, as: UTF8.self)]))
    }
    return result
  }

  /// Reads up to the closing quote, and returns the index after it.
  private static func quoted(
    _ bytes: [UInt8], from start: Int, into cell: inout [UInt8], line: inout Int, source: String
  ) throws -> Int {
    let firstLine = line
    var index = start
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      if byte == UInt8(ascii: "\"") {
        guard index < bytes.count, bytes[index] == byte else { return index }
        index += 1
      }
      if byte == 0x0A { line += 1 }
      cell.append(byte)
    }
    throw InputFileError(source: source, line: firstLine, problem: "a quote is not closed")
  }
}
