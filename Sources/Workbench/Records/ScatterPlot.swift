import Foundation

/// Points in a terminal, over a logarithmic axis: accuracy over latency.
public struct ScatterPlot: Sendable {
  public struct Point: Sendable {
    public var x: Double
    public var y: Double
    public var mark: Character

    public init(x: Double, y: Double, mark: Character) {
      self.x = x
      self.y = y
      self.mark = mark
    }
  }

  public var points: [Point]
  public var width: Int
  public var height: Int
  public var xLabel: String
  public var yLabel: String
  public var formatX: @Sendable (Double) -> String

  public init(
    points: [Point], width: Int = 72, height: Int = 16, xLabel: String, yLabel: String,
    formatX: @escaping @Sendable (Double) -> String
  ) {
    self.points = points.filter { $0.x > 0 && $0.x.isFinite && $0.y.isFinite }
    self.width = max(width, 10)
    self.height = max(height, 4)
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.formatX = formatX
  }

  /// The lines; empty where there is no point. Of points in one place the last is seen.
  public var text: String {
    guard let low = points.map(\.x).min(), let high = points.map(\.x).max(), let bottom = points.map(\.y).min(),
      let top = points.map(\.y).max()
    else { return "" }
    let (left, right) = high / low > 1.05 ? (log(low), log(high)) : (log(low / 2), log(high * 2))
    let (base, ceiling) = top - bottom > 0.1 ? (bottom, top) : (bottom - 1, top + 1)
    var cells = [[Character]](repeating: [Character](repeating: " ", count: width), count: height)
    for point in points {
      let column = Int(((log(point.x) - left) / (right - left) * Double(width - 1)).rounded())
      let row = Int(((point.y - base) / (ceiling - base) * Double(height - 1)).rounded())
      cells[height - 1 - row][column] = point.mark
    }
    var lines = [yLabel]
    for (index, row) in cells.enumerated() {
      let isLabelled = index == 0 || index == height - 1 || index == height / 2
      let value = ceiling - (ceiling - base) * Double(index) / Double(height - 1)
      let label = isLabelled ? String(format: "%6.1f", value) : "      "
      var line = "\(label) │" + String(row)
      while line.last == " " { line.removeLast() }
      lines.append(line)
    }
    lines.append("       └" + String(repeating: "─", count: width))
    let ends = (formatX(exp(left)), formatX(exp((left + right) / 2)), formatX(exp(right)))
    let gap = max(width - ends.0.count - ends.1.count - ends.2.count, 2)
    lines.append(
      "        " + ends.0 + String(repeating: " ", count: gap / 2) + ends.1
        + String(repeating: " ", count: gap - gap / 2) + ends.2 + "  " + xLabel)
    return lines.joined(separator: "\n") + "\n"
  }
}
