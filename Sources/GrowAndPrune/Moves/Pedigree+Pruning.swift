import Architectures

/// Moves that prune; nil where what is left could not be run, or where a join would be lost.
extension Pedigree {
  /// Without some heads of a layer; at least one stays.
  package func pruningHeads(layer: Int, _ indices: Set<Int>) -> Pedigree? {
    var child = self
    child.layers[layer].heads = layers[layer].heads.enumerated().filter { !indices.contains($0.offset) }.map(\.element)
    return child.layers[layer].heads.isEmpty ? nil : child
  }

  /// With some neurons of a hidden layer only, in their order; at least one stays.
  package func keepingNeurons(layer: Int, hidden: Int, _ indices: Set<Int>) -> Pedigree? {
    var child = self
    child.layers[layer].feedForward[hidden].neurons =
      layers[layer].feedForward[hidden].neurons.enumerated().filter { indices.contains($0.offset) }.map(\.element)
    return child.layers[layer].feedForward[hidden].neurons.isEmpty ? nil : child
  }

  /// With some channels only in a run of layers of one hidden size.
  ///
  /// Over a whole segment everything that is coupled narrows together: embeddings, norms, projections, existing joins, heads of the model.
  /// Within one, joins that pass the kept channels on appear at both ends. Nil where the run is not of one width, or a neighbour beyond it
  /// has the new width, so that a join would have no place.
  package func keepingChannels(layers run: Range<Int>, _ indices: Set<Int>) -> Pedigree? {
    guard let first = run.first, let last = run.last, layers.indices.contains(last) else { return nil }
    let channels = layers[first].channels
    guard run.allSatisfy({ layers[$0].channels == channels }) else { return nil }
    let kept = channels.enumerated().filter { indices.contains($0.offset) }.map(\.element)
    guard !kept.isEmpty else { return nil }
    for neighbour in [first - 1, last + 1] where layers.indices.contains(neighbour) {
      if layers[neighbour].channels.count == kept.count, layers[neighbour].channels != kept { return nil }
    }
    var child = self
    for index in run { child.layers[index].channels = kept }
    return child
  }

  /// Without a layer. Nil for the only one, and where its neighbours could not be put together: at either end of the model beside a layer of
  /// another width, or between two of one width that it joined to its own.
  package func pruningLayer(_ index: Int) -> Pedigree? {
    guard layers.count > 1, layers.indices.contains(index) else { return nil }
    let channels = layers[index].channels
    let before = index > 0 ? layers[index - 1].channels : nil
    let after = index + 1 < layers.count ? layers[index + 1].channels : nil
    let isJoined = before != nil && before != channels || after != nil && after != channels
    if before == nil || after == nil {
      guard !isJoined else { return nil }
    } else if isJoined, before?.count == after?.count {
      return nil
    }
    var child = self
    child.layers.remove(at: index)
    return child
  }
}
