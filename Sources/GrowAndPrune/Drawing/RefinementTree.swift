/// The tree of a refinement, drawn.
package struct RefinementTree: Sendable {
  package let nodes: [RefinementNode]
  /// Number of the selected node; nil while it is not known.
  package let selected: Int?

  package init(nodes: [RefinementNode], selected: Int?) {
    self.nodes = nodes
    self.selected = selected
  }

  func children(of number: Int) -> [RefinementNode] { nodes.filter { $0.parent == number } }

  /// Nodes in the order of drawing, each with the lines that lead to it: `│  ├─ `. An only child stands below its parent at the same depth,
  /// after `↳`, so that a long chain does not run out of the terminal.
  package var lines: [(prefix: String, node: RefinementNode)] {
    var result: [(prefix: String, node: RefinementNode)] = []
    // On a stack of its own: a tree of a thousand rounds must not overflow the program's.
    var open: [(node: RefinementNode, prefix: String, indent: String)] = []
    if let root = nodes.first { open.append((root, "", "")) }
    while let (node, prefix, indent) = open.popLast() {
      result.append((prefix, node))
      let children = children(of: node.number)
      for (index, child) in children.enumerated().reversed() {
        let isLast = index == children.count - 1
        let own = isLast ? (children.count == 1 ? "" : "   ") : "│  "
        let branch = children.count == 1 ? "↳ " : isLast ? "└─ " : "├─ "
        open.append((child, indent + branch, indent + own))
      }
    }
    return result
  }
}
