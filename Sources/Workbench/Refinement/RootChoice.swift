import Architectures

/// The architecture that the main job trains: a finalist with a vocabulary of its own, cut down to what can be trained in a minute.
///
/// Cuts, in this order, as far as they are needed: layers from the end down to two, all but the first feed-forward layer, half of every
/// feed-forward width, half of every hidden size. They depend on the finalist alone, so that the same one gives the same root everywhere.
struct RootChoice: Sendable, Hashable {
  private(set) var architecture: Architecture
  /// What was cut, in words.
  private(set) var cuts: [String] = []

  /// Weights of the layers' matrices: at 500 tokens a step some 80 ms on two cores of a small server.
  static let mostWeights = 1_200_000
  private static let leastWidth = 64

  init(_ finalist: Architecture, vocabularySize: Int, positions: Int, mostWeights: Int = Self.mostWeights) {
    architecture = finalist
    architecture.vocabularySize = vocabularySize
    architecture.maximumPositions = min(finalist.maximumPositions, positions)
    let layers = architecture.layers.count
    while isLarge(mostWeights), architecture.layers.count > 2 { architecture.layers.removeLast() }
    if architecture.layers.count < layers {
      cuts.append("the first \(architecture.layers.count) of its \(layers) layers")
    }
    let stacks = architecture.layers.map(\.feedForward.count).max() ?? 1
    if isLarge(mostWeights), stacks > 1 {
      each { $0.feedForward = Array($0.feedForward.prefix(1)) }
      cuts.append("one feed-forward layer in place of up to \(stacks)")
    }
    halve("feed-forward widths", above: mostWeights) { layer in
      layer.feedForward = layer.feedForward.map { max($0 / 2, min($0, Self.leastWidth)) }
    }
    halve("hidden sizes", above: mostWeights) { layer in
      layer.hiddenSize = max(layer.hiddenSize / 2, min(layer.hiddenSize, Self.leastWidth))
      layer.headSize = max(layer.hiddenSize / max(layer.heads.count, 1), 1)
    }
  }

  /// Multiplications of a token in the layers' matrices.
  static func weights(_ architecture: Architecture) -> Int {
    architecture.layers.reduce(0) { sum, layer in
      let widths = [layer.hiddenSize] + layer.feedForward + [layer.hiddenSize]
      return zip(widths, widths.dropFirst()).reduce(sum + 4 * layer.hiddenSize * layer.attentionWidth) {
        $0 + $1.0 * $1.1
      }
    }
  }

  private func isLarge(_ most: Int) -> Bool { Self.weights(architecture) > most }

  private mutating func each(_ change: (inout Architecture.Layer) -> Void) {
    for index in architecture.layers.indices { change(&architecture.layers[index]) }
  }

  /// Until it is small enough, or nothing changes any more.
  private mutating func halve(_ what: String, above most: Int, _ change: (inout Architecture.Layer) -> Void) {
    var factor = 1
    while isLarge(most) {
      let before = architecture
      each(change)
      guard architecture != before else { break }
      factor *= 2
    }
    if factor > 1 { cuts.append("\(what) divided by \(factor)") }
  }
}
