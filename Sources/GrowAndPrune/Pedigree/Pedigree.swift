import Architectures

/// An architecture whose parts carry identities, so that a child's weights are found in its parent's by what a part *is*, not by where
/// it stands: after a head is pruned, the heads behind it still inherit their own weights.
///
/// Layers, heads and feed-forward hidden layers have an identity each; channels (of the hidden size), the units within a head and the
/// neurons of a hidden layer are lists of identities, in the order of the tensors' axes. Identities of the root are numbered from 0;
/// what is grown gets a number that no part ever had.
package struct Pedigree: Sendable, Hashable {
  package struct Head: Sendable, Hashable {
    package var identity: Int
    package var operation: HeadOperation
  }

  /// One hidden layer of a feed-forward stack.
  package struct Hidden: Sendable, Hashable {
    package var identity: Int
    package var neurons: [Int]
  }

  package struct Layer: Sendable, Hashable {
    package var identity: Int
    /// One an element of the hidden size.
    package var channels: [Int]
    /// One an element of the head size; shared by the heads of a layer.
    package var headUnits: [Int]
    package var heads: [Head]
    package var feedForward: [Hidden]
  }

  package var vocabularySize: Int
  package var maximumPositions: Int
  package var typeVocabularySize: Int
  package var position: Architecture.Position
  package var layers: [Layer]
  /// The number that the next grown part gets.
  package private(set) var nextIdentity: Int

  package init(
    vocabularySize: Int, maximumPositions: Int, typeVocabularySize: Int, position: Architecture.Position,
    layers: [Layer], nextIdentity: Int
  ) {
    self.vocabularySize = vocabularySize
    self.maximumPositions = maximumPositions
    self.typeVocabularySize = typeVocabularySize
    self.position = position
    self.layers = layers
    self.nextIdentity = nextIdentity
  }

  /// The pedigree of a root: every part is new. Layers of one width without a join between them share their channels.
  package init(root architecture: Architecture) {
    self.init(
      vocabularySize: architecture.vocabularySize, maximumPositions: architecture.maximumPositions,
      typeVocabularySize: architecture.typeVocabularySize, position: architecture.position, layers: [], nextIdentity: 0)
    var channels: [Int] = []
    for layer in architecture.layers {
      if channels.count != layer.hiddenSize { channels = newIdentities(layer.hiddenSize) }
      layers.append(
        Layer(
          identity: newIdentity(), channels: channels, headUnits: newIdentities(layer.headSize),
          heads: layer.heads.map { Head(identity: newIdentity(), operation: $0) },
          feedForward: layer.feedForward.map { Hidden(identity: newIdentity(), neurons: newIdentities($0)) }))
    }
  }

  package mutating func newIdentity() -> Int {
    defer { nextIdentity += 1 }
    return nextIdentity
  }

  package mutating func newIdentities(_ count: Int) -> [Int] {
    defer { nextIdentity += count }
    return Array(nextIdentity..<nextIdentity + count)
  }

  package var architecture: Architecture {
    Architecture(
      vocabularySize: vocabularySize, maximumPositions: maximumPositions, typeVocabularySize: typeVocabularySize,
      position: position,
      layers: layers.map { layer in
        Architecture.Layer(
          hiddenSize: layer.channels.count, headSize: layer.headUnits.count, heads: layer.heads.map(\.operation),
          feedForward: layer.feedForward.map(\.neurons.count))
      })
  }

  /// Runs of neighbouring layers of one hidden size: what is added to the residual stream in one of a run is read in all of it.
  package var segments: [Range<Int>] {
    var runs: [Range<Int>] = []
    for (index, layer) in layers.enumerated() {
      if let last = runs.last, layers[last.lowerBound].channels.count == layer.channels.count {
        runs[runs.count - 1] = last.lowerBound..<index + 1
      } else {
        runs.append(index..<index + 1)
      }
    }
    return runs
  }
}

extension Pedigree {
  /// Whether the identities are what an architecture can have: none twice in a list, no list empty, channels the same where there is no
  /// join. What is read from a file is checked by it.
  package var isConsistent: Bool {
    func areDistinct(_ list: [Int]) -> Bool {
      !list.isEmpty && Set(list).count == list.count && list.allSatisfy { $0 >= 0 && $0 < nextIdentity }
    }
    guard areDistinct(layers.map(\.identity)) else { return false }
    for layer in layers {
      guard areDistinct(layer.channels), areDistinct(layer.headUnits), areDistinct(layer.heads.map(\.identity)),
        areDistinct(layer.feedForward.map(\.identity)), layer.feedForward.allSatisfy({ areDistinct($0.neurons) })
      else { return false }
    }
    return zip(layers, layers.dropFirst()).allSatisfy {
      $0.channels.count != $1.channels.count || $0.channels == $1.channels
    }
  }
}
