/// Bounds on what an architecture read from a file may be.
///
/// They are far beyond any encoder, and so low that no count of parameters, FLOPs or bytes made from them
/// overflows 64 bits.
package enum ArchitectureLimits {
  package static let size = 1...1_000_000
  package static let layers = 1...1_000
  package static let heads = 1...4_096
  package static let feedForwardStack = 1...64
  /// Parameters that the sizes may imply.
  package static let parameters = 1_000_000_000_000

  /// The first size that is out of bounds, as a field and a problem; nil where all are within.
  package static func violation(in architecture: Architecture) -> (field: String, problem: String)? {
    func range(_ value: Int, _ range: ClosedRange<Int>, _ field: String) -> (String, String)? {
      range.contains(value)
        ? nil : (field, "must be from \(range.lowerBound) to \(range.upperBound), is \(value)")
    }
    if let found = range(architecture.vocabularySize, size, "vocabulary_size")
      ?? range(architecture.maximumPositions, size, "maximum_positions")
      ?? range(architecture.typeVocabularySize, size, "type_vocabulary_size")
    {
      return found
    }
    guard layers.contains(architecture.layers.count) else {
      return (
        "layers",
        "must have \(layers.lowerBound) to \(layers.upperBound) items, has \(architecture.layers.count)"
      )
    }
    // Every sum below stays under 10^12 · 1000 + 10^16, so plain arithmetic cannot overflow.
    var total =
      (architecture.vocabularySize + architecture.maximumPositions + architecture.typeVocabularySize)
      * architecture.embeddingWidth.clamped(to: size)
    for (index, layer) in architecture.layers.enumerated() {
      let name = "layers[\(index)]"
      if let found = range(layer.hiddenSize, size, "\(name).hidden_size")
        ?? range(layer.headSize, size, "\(name).head_size")
      {
        return found
      }
      guard heads.contains(layer.heads.count) else {
        return (
          "\(name).heads",
          "must have \(heads.lowerBound) to \(heads.upperBound) items, has \(layer.heads.count)"
        )
      }
      guard size.contains(layer.attentionWidth) else {
        return (
          "\(name).head_size",
          "\(layer.heads.count) heads of \(layer.headSize) are wider than \(size.upperBound) together"
        )
      }
      guard feedForwardStack.contains(layer.feedForward.count) else {
        return (
          "\(name).feed_forward",
          "must have \(feedForwardStack.lowerBound) to \(feedForwardStack.upperBound) items, has \(layer.feedForward.count)"
        )
      }
      for (position, width) in layer.feedForward.enumerated() {
        if let found = range(width, size, "\(name).feed_forward[\(position)]") { return found }
      }
      total += parameterBound(of: layer, positions: architecture.maximumPositions)
      if index > 0 { total += architecture.layers[index - 1].hiddenSize * layer.hiddenSize }
      guard total <= parameters else { return ("layers", "the sizes imply more than 10^12 parameters") }
    }
    return nil
  }

  /// Parameters of a layer whose sizes are in range, rounded up: projections, distance table, the largest of
  /// the heads' own
  /// operations, feed-forward stack.
  private static func parameterBound(of layer: Architecture.Layer, positions: Int) -> Int {
    let (hidden, size) = (layer.hiddenSize, layer.headSize)
    var total = 4 * layer.attentionWidth * hidden + 2 * positions * size
    total += layer.heads.count * (2 * size * size + 32 * size)
    var width = hidden
    for next in layer.feedForward + [hidden] {
      total += width * next
      width = next
    }
    return total
  }
}

extension Int {
  fileprivate func clamped(to range: ClosedRange<Int>) -> Int {
    Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
  }
}
