import Architectures

/// Moves that grow. Each gives a pedigree; ``Transfer`` makes the weights.
extension Pedigree {
  /// One head more, behind the others of a layer; head size and hidden size stay.
  package func growingHead(layer: Int, operation: HeadOperation) -> Pedigree {
    var child = self
    let identity = child.newIdentity()
    child.layers[layer].heads.append(Head(identity: identity, operation: operation))
    return child
  }

  /// A hidden layer more at the end of a layer's feed-forward stack.
  package func appendingHidden(layer: Int, width: Int) -> Pedigree {
    var child = self
    let identity = child.newIdentity()
    child.layers[layer].feedForward.append(Hidden(identity: identity, neurons: child.newIdentities(width)))
    return child
  }

  /// More neurons in a hidden layer.
  package func widening(layer: Int, hidden: Int, by count: Int) -> Pedigree {
    var child = self
    child.layers[layer].feedForward[hidden].neurons += child.newIdentities(count)
    return child
  }

  /// A layer more behind `index`, built like it.
  package func insertingLayer(after index: Int) -> Pedigree {
    var child = self
    var layer = layers[index]
    layer.identity = child.newIdentity()
    layer.headUnits = child.newIdentities(layer.headUnits.count)
    for head in layer.heads.indices { layer.heads[head].identity = child.newIdentity() }
    for hidden in layer.feedForward.indices {
      layer.feedForward[hidden] = Hidden(
        identity: child.newIdentity(), neurons: child.newIdentities(layer.feedForward[hidden].neurons.count))
    }
    child.layers.insert(layer, at: index + 1)
    return child
  }
}
