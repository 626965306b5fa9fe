extension Architecture {
  /// Upper limits of an architecture's sizes. Within the standard ones every count of parameters, and every
  /// product of three sizes, fits 64 bits.
  public struct Limits: Sendable, Hashable {
    /// Of every width, vocabulary and number of positions, and of the concatenated heads.
    public var size: Int
    public var layers: Int
    /// Heads of one layer.
    public var heads: Int
    /// Stacked feed-forward widths of one layer.
    public var feedForwardStack: Int

    public init(size: Int, layers: Int, heads: Int, feedForwardStack: Int) {
      self.size = size
      self.layers = layers
      self.heads = heads
      self.feedForwardStack = feedForwardStack
    }

    public static let standard = Limits(size: 1_000_000, layers: 1_000, heads: 4_096, feedForwardStack: 64)
  }

  /// The architecture itself, after checking that every size is positive and within `limits`, and that every
  /// layer has a head and a feed-forward width.
  ///
  /// - Throws: ``ArchitectureError`` naming the first field at fault.
  public func validated(_ limits: Limits = .standard) throws(ArchitectureError) -> Architecture {
    let sizes = 1...max(limits.size, 1)
    try Self.check("vocabulary_size", vocabularySize, sizes)
    try Self.check("maximum_positions", maximumPositions, sizes)
    try Self.check("type_vocabulary_size", typeVocabularySize, sizes)
    try Self.check("number of layers", layers.count, 1...max(limits.layers, 1))
    for (index, layer) in layers.enumerated() {
      let path = "layers[\(index)]"
      try Self.check("\(path).hidden_size", layer.hiddenSize, sizes)
      try Self.check("\(path).head_size", layer.headSize, sizes)
      try Self.check("\(path).heads (their number)", layer.heads.count, 1...max(limits.heads, 1))
      try Self.check("\(path).heads (number times head_size)", layer.attentionWidth, sizes)
      try Self.check(
        "\(path).feed_forward (its length)", layer.feedForward.count, 1...max(limits.feedForwardStack, 1))
      for (position, width) in layer.feedForward.enumerated() {
        try Self.check("\(path).feed_forward[\(position)]", width, sizes)
      }
    }
    return self
  }

  private static func check(
    _ field: String, _ value: Int, _ allowed: ClosedRange<Int>
  ) throws(ArchitectureError) {
    guard allowed.contains(value) else { throw .outOfRange(field: field, value: value, allowed: allowed) }
  }
}
