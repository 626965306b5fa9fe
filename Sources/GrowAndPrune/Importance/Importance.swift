/// How much each prunable part of a model matters; what is least important goes first. Comparable within one kind of part and, for
/// ``Measure/taylor``, across kinds.
package struct Importance: Sendable, Hashable {
  package enum Measure: String, Sendable, Hashable, CaseIterable, Codable {
    /// Sizes of weights, as published.
    case magnitude
    /// What the loss would change to first order without the part, |Σ w·g|, mean over batches (Molchanov et al. 2017; Michel et al. 2019 for
    /// heads).
    case taylor
  }

  /// [layer][head]
  package var heads: [[Double]]
  /// [layer][hidden layer][neuron]
  package var neurons: [[[Double]]]
  /// [layer][hidden layer]: of a hidden layer as a whole.
  package var hidden: [[Double]]
  /// [layer][channel]: of what a layer's two norms put into the residual stream; of the embeddings' norm too in the first.
  package var channels: [[Double]]
  /// [layer]: of a layer's attention and feed-forward outputs together.
  package var layers: [Double]

  package init(
    heads: [[Double]], neurons: [[[Double]]], hidden: [[Double]], channels: [[Double]], layers: [Double]
  ) {
    self.heads = heads
    self.neurons = neurons
    self.hidden = hidden
    self.channels = channels
    self.layers = layers
  }

  /// Nothing of anything, in the shape of a pedigree.
  package init(zeroFor pedigree: Pedigree) {
    func zeros(_ count: Int) -> [Double] { [Double](repeating: 0, count: count) }
    self.init(
      heads: pedigree.layers.map { zeros($0.heads.count) },
      neurons: pedigree.layers.map { $0.feedForward.map { zeros($0.neurons.count) } },
      hidden: pedigree.layers.map { zeros($0.feedForward.count) },
      channels: pedigree.layers.map { zeros($0.channels.count) }, layers: zeros(pedigree.layers.count))
  }

  /// Importance of each channel over a run of layers that share them.
  package func channels(over run: Range<Int>) -> [Double] {
    guard let first = run.first else { return [] }
    var sums = channels[first]
    for layer in run.dropFirst() {
      for (index, value) in channels[layer].enumerated() where index < sums.count { sums[index] += value }
    }
    return sums
  }
}

extension [Double] {
  /// Indices of the `count` largest, rising; of equals the earlier.
  func largest(_ count: Int) -> Set<Int> {
    Set(indices.sorted { (self[$0], -$0) > (self[$1], -$1) }.prefix(Swift.max(count, 0)))
  }

  /// Indices from the smallest to the largest; of equals the later first, so that leading parts stay.
  var rising: [Int] { indices.sorted { (self[$0], -$0) < (self[$1], -$1) } }
}
