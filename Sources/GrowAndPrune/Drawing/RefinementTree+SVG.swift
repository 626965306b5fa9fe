import Foundation

extension RefinementTree {
  private static let columnWidth = 172.0
  private static let rowHeight = 58.0
  private static let margin = 24.0
  private static let legendHeight = 34.0

  /// The tree as a drawing: depth to the right, a dot a node in the colour of what made it, its loss and latency beside it; the selected
  /// node and the way to it stand out, nodes above the budget are hollow.
  package var svg: String {
    let places = places
    let depth = places.map(\.column).max() ?? 0
    let rows = places.map(\.row).max() ?? 0
    let width = Int(2 * Self.margin + Self.columnWidth * (depth + 1))
    let height = Int(2 * Self.margin + Self.legendHeight + Self.rowHeight * (rows + 1))
    var text = """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" viewBox="0 0 \(width) \(height)" \
      font-family="system-ui, sans-serif" font-size="11">
      <title>Grow-and-prune tree</title>
      <rect width="100%" height="100%" fill="#ffffff"/>

      """
    text += legend
    let way = way
    for node in nodes {
      guard let parent = node.parent, places.indices.contains(parent) else { continue }
      let (from, to) = (point(places[parent]), point(places[node.number]))
      let middle = (from.x + to.x) / 2
      let isOnWay = way.contains(node.number)
      text +=
        "<path d=\"M\(Self.text(from.x)) \(Self.text(from.y)) C\(Self.text(middle)) \(Self.text(from.y)) "
        + "\(Self.text(middle)) \(Self.text(to.y)) \(Self.text(to.x)) \(Self.text(to.y))\" fill=\"none\" "
        + "stroke=\"\(isOnWay ? "#333333" : "#bbbbbb")\" stroke-width=\"\(isOnWay ? 2.5 : 1.2)\"/>\n"
    }
    for node in nodes { text += drawn(node, at: point(places[node.number])) }
    return text + "</svg>\n"
  }

  private func point(_ place: (column: Double, row: Double)) -> (x: Double, y: Double) {
    (
      Self.margin + 10 + Self.columnWidth * place.column,
      Self.margin + Self.legendHeight + Self.rowHeight * (place.row + 0.5)
    )
  }

  private func drawn(_ node: RefinementNode, at point: (x: Double, y: Double)) -> String {
    let colour = Self.colour(node.mode)
    let isSelected = node.number == selected
    let x = Self.text(point.x)
    let y = Self.text(point.y)
    var text = "<g><title>\(Self.escaped(summary(node)))</title>"
    if isSelected {
      text += "<circle cx=\"\(x)\" cy=\"\(y)\" r=\"12\" fill=\"none\" stroke=\"#333333\" stroke-width=\"1.5\"/>"
    }
    text += "<circle cx=\"\(x)\" cy=\"\(y)\" r=\"7\" fill=\"\(node.isAdmissible ? colour : "#ffffff")\" "
    text += "stroke=\"\(colour)\" stroke-width=\"2.5\"/>"
    let left = Self.text(point.x + 16)
    func line(_ offset: Double, _ content: String, _ style: String) {
      guard !content.isEmpty else { return }
      text += "<text x=\"\(left)\" y=\"\(Self.text(point.y + offset))\"\(style)>\(Self.escaped(content))</text>"
    }
    line(-9, "\(node.number) \(node.mode.rawValue)", isSelected ? " font-weight=\"bold\"" : "")
    line(4, Self.short(node.change), " fill=\"#666666\"")
    line(17, figures(node), " fill=\"#333333\"")
    return text + "</g>\n"
  }

  private func figures(_ node: RefinementNode) -> String {
    var parts: [String] = []
    if let loss = node.loss { parts.append(String(format: "%.4f", loss)) }
    if let score = node.score { parts.append(String(format: "%.4f", score)) }
    if let costs = node.costs { parts.append(String(format: "%.3g ms", costs.latencySeconds * 1e3)) }
    return parts.joined(separator: " · ")
  }

  private func summary(_ node: RefinementNode) -> String {
    var text = "node \(node.number), \(node.mode.rawValue)"
    if !node.change.isEmpty { text += ": \(node.change)" }
    if let loss = node.loss { text += "; loss \(loss)" }
    if let score = node.score { text += "; score \(score)" }
    if let costs = node.costs {
      text += "; \(costs.parameters) parameters, \(costs.latencySeconds) s, \(costs.energyJoules) J, "
      text += "\(costs.peakPowerWatts) W, \(costs.memoryBytes) B"
    }
    return text + (node.isAdmissible ? "" : "; above the budget")
  }

  private var legend: String {
    let modes = Mode.allCases.filter { mode in nodes.contains { $0.mode == mode } }
    var x = Self.margin + 10
    var text = ""
    for mode in modes {
      text += "<circle cx=\"\(Self.text(x))\" cy=\"\(Self.text(Self.margin))\" r=\"5\" fill=\"\(Self.colour(mode))\"/>"
      text += "<text x=\"\(Self.text(x + 10))\" y=\"\(Self.text(Self.margin + 4))\">\(mode.rawValue)</text>\n"
      x += 28 + 6.4 * Double(mode.rawValue.count)
    }
    return text
  }

  /// Numbers on the way from the root to the selected node.
  private var way: Set<Int> {
    var result: Set<Int> = []
    var next = selected
    while let number = next, nodes.indices.contains(number), result.insert(number).inserted {
      next = nodes[number].parent
    }
    return result
  }

  /// Column and row of each node: leaves one below the other, parents at their first child's height.
  private var places: [(column: Double, row: Double)] {
    var result = [(column: Double, row: Double)](repeating: (0, 0), count: nodes.count)
    var row = -1.0
    for (_, node) in lines {
      guard let parent = node.parent else {
        row += 1
        result[node.number] = (0, row)
        continue
      }
      // The first child continues its parent's row.
      if children(of: parent).first?.number != node.number { row += 1 }
      result[node.number] = (result[parent].column + 1, row)
    }
    return result
  }

  private static func colour(_ mode: Mode) -> String {
    switch mode {
    case .root: "#444444"
    case .growHeads: "#1b7837"
    case .growFeedForward: "#5aae61"
    case .growLayer: "#a6dba0"
    case .pruneHeads: "#762a83"
    case .pruneFeedForward: "#9970ab"
    case .pruneWidth: "#c2a5cf"
    case .pruneLayer: "#d6604d"
    case .prune: "#b2182b"
    case .train: "#2166ac"
    }
  }

  private static func text(_ value: Double) -> String { String(format: "%.1f", value) }

  private static func short(_ text: String) -> String { text.count > 26 ? text.prefix(25) + "…" : text }

  private static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }
}
