/// A table in plain text: columns as wide as their widest cell, numbers to the right.
public struct TextTable: Sendable {
  public struct Column: Sendable {
    public var title: String
    public var isRight: Bool

    public init(_ title: String, right isRight: Bool = false) {
      self.title = title
      self.isRight = isRight
    }
  }

  public var columns: [Column]
  public var rows: [[String]] = []

  public init(_ columns: [Column]) {
    self.columns = columns
  }

  public mutating func add(_ cells: [String]) { rows.append(cells) }

  /// The lines, each ended by a line feed. Columns that are empty in every row are left out.
  public var text: String {
    let kept = columns.indices.filter { index in
      rows.isEmpty || rows.contains { index < $0.count && !$0[index].isEmpty }
    }
    func cell(_ row: [String], _ index: Int) -> String { index < row.count ? row[index] : "" }
    let widths = kept.map { index in
      rows.reduce(columns[index].title.count) { max($0, cell($1, index).count) }
    }
    func line(_ row: [String]) -> String {
      var text = ""
      for (position, index) in kept.enumerated() {
        let content = cell(row, index)
        let padding = String(repeating: " ", count: widths[position] - content.count)
        if position > 0 { text += "  " }
        text += columns[index].isRight ? padding + content : content + padding
      }
      while text.last == " " { text.removeLast() }
      return text + "\n"
    }
    return line(columns.map(\.title))
      + line(
        widths.enumerated().reduce(into: columns.map { _ in "" }) { result, item in
          result[kept[item.offset]] = String(repeating: "─", count: item.element)
        }) + rows.map(line).joined()
  }
}
