extension DesignSpace {
  /// True where every index of the point is one of this space.
  public func contains(_ point: DesignPoint) -> Bool {
    layerCounts.contains(point.layerCount)
      && (0..<point.layerCount).allSatisfy { index in
        let layer = point[index]
        return layer.hidden < hiddenSizes.count && layer.feedForward < feedForwardStackCount
          && layer.heads < headCombinationCount
      }
  }

  /// The architecture of a point of this space: heads in the space's order, a head's size is h / n rounded
  /// down.
  public func architecture(of point: DesignPoint) -> Architecture {
    Architecture(
      vocabularySize: vocabularySize, maximumPositions: maximumPositions,
      typeVocabularySize: typeVocabularySize,
      position: position, layers: point.layers.map(layer(of:)))
  }

  private func layer(of layer: DesignPoint.Layer) -> Architecture.Layer {
    let combination = headCombination(layer.heads)
    let hiddenSize = hiddenSizes[layer.hidden]
    return Architecture.Layer(
      hiddenSize: hiddenSize, headSize: hiddenSize / combination.headCount,
      heads: operations.flatMap { Array(repeating: $0, count: combination.count(of: $0)) },
      feedForward: feedForwardStack(layer.feedForward))
  }

  /// The point of an architecture, whatever the order of its heads; nil where it is not of this space:
  /// another vocabulary, number of positions or kind of position, a size that is no choice, or a head size
  /// other than h / n.
  public func point(of architecture: Architecture) -> DesignPoint? {
    guard architecture.vocabularySize == vocabularySize, architecture.maximumPositions == maximumPositions,
      architecture.typeVocabularySize == typeVocabularySize, architecture.position == position,
      layerCounts.contains(architecture.layers.count)
    else { return nil }
    var layers: [DesignPoint.Layer] = []
    for layer in architecture.layers {
      guard headCounts.contains(layer.heads.count), layer.headSize == layer.hiddenSize / layer.heads.count,
        let hidden = hiddenSizes.firstIndex(of: layer.hiddenSize),
        let heads = tables.index(of: HeadCombination(layer.heads))
      else { return nil }
      let widths = layer.feedForward.compactMap { feedForwardWidths.firstIndex(of: $0) }
      guard widths.count == layer.feedForward.count,
        let stack = tables.stackIndex(of: widths, widthCount: feedForwardWidths.count)
      else { return nil }
      layers.append(DesignPoint.Layer(hidden: hidden, feedForward: stack, heads: heads))
    }
    return DesignPoint(layers: layers)
  }
}
