/// What a refinement tells while it goes.
package enum RefinementEvent: Sendable {
  /// A node is about to be trained: `steps` in all.
  case training(RefinementNode, step: Int, steps: Int)
  /// A node was trained and judged, now or before it was resumed.
  case finished(RefinementNode, wasStored: Bool)
  /// Importance is gathered for a round.
  case scoring(Mode)
  /// A round without a child, a step back, the end.
  case note(String)
}

/// How a refinement ended.
package struct RefinementOutcome: Sendable {
  package var nodes: [RefinementNode]
  /// Number of the selected node.
  package var best: Int
}
