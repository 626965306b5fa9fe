/// How a node of the tree came about.
package enum Mode: String, Sendable, Hashable, CaseIterable, Codable {
  case root
  /// One attention head more.
  case growHeads = "grow_heads"
  /// A feed-forward hidden layer more, or more neurons in one.
  case growFeedForward = "grow_feed_forward"
  /// A layer more.
  case growLayer = "grow_layer"
  case pruneHeads = "prune_heads"
  case pruneFeedForward = "prune_feed_forward"
  /// Fewer channels in a run of layers.
  case pruneWidth = "prune_width"
  /// A layer less.
  case pruneLayer = "prune_layer"
  /// Heads, neurons, layers and channels together, by the score that is lost for the cost that is gained.
  case prune
  /// Trained on, with nothing changed.
  case train

  package var grows: Bool { self == .growHeads || self == .growFeedForward || self == .growLayer }

  package var prunes: Bool {
    switch self {
    case .pruneHeads, .pruneFeedForward, .pruneWidth, .pruneLayer, .prune: true
    default: false
    }
  }
}
