import Architectures
import ModelFiles

/// First-order Taylor importance, gathered batch by batch.
///
/// A part is thought to have a gate of 1 on what it gives: a head on its context, a neuron on its activation, a channel on what a norm
/// writes, a layer on its two outputs. The loss's derivative by the gate is Σ w·g over the weights that read the part (its columns of the
/// next matrix; gain and bias of a norm), so that no activations are needed; its size is what the loss would change to first order if the
/// part were taken away. Sizes are averaged over batches: at a minimum the mean derivative is near zero, each batch's is not.
package struct TaylorImportance: Sendable {
  private var sums: Importance
  private let pedigree: Pedigree
  package private(set) var batches = 0

  package init(pedigree: Pedigree) {
    self.pedigree = pedigree
    sums = Importance(zeroFor: pedigree)
  }

  /// The mean over the batches so far.
  package var importance: Importance {
    let scale = 1 / Double(max(batches, 1))
    func scaled(_ list: [Double]) -> [Double] { list.map { $0 * scale } }
    return Importance(
      heads: sums.heads.map(scaled), neurons: sums.neurons.map { $0.map(scaled) }, hidden: sums.hidden.map(scaled),
      channels: sums.channels.map(scaled), layers: scaled(sums.layers))
  }

  /// Adds one batch's gradients of the mean loss.
  ///
  /// - Parameter gradient: by tensor name, of the weight's shape; nil for a tensor that is not trained counts as 0.
  /// - Throws: `ModelFileError` where the model lacks a tensor of its own architecture.
  package mutating func add(
    weights: ModelWeights, gradient: (String) -> Tensor?
  ) throws(ModelFileError) {
    batches += 1
    for (index, layer) in pedigree.layers.enumerated() {
      let name = "encoder.layer.\(index)"
      let (h, d) = (layer.channels.count, layer.headUnits.count)
      /// Σ over rows of w·g for each column.
      func columns(_ part: String, _ width: Int) throws(ModelFileError) -> [Double] {
        let full = "\(name).\(part).weight"
        let height = part.contains("stack") ? nil : h
        guard let gradient = gradient(full), gradient.shape.count == 2, gradient.shape[1] == width else {
          return [Double](repeating: 0, count: width)
        }
        let weight = try weights.tensor(full, shape: [height ?? gradient.shape[0], width])
        guard gradient.shape == weight.shape else { return [Double](repeating: 0, count: width) }
        return Self.columnProducts(weight, gradient)
      }
      let attention = try columns("attention.output.dense", layer.heads.count * d)
      for head in layer.heads.indices {
        sums.heads[index][head] += abs(attention[head * d..<(head + 1) * d].reduce(0, +))
      }
      var last: [Double] = []
      for (place, hidden) in layer.feedForward.enumerated() {
        let part = place + 1 == layer.feedForward.count ? "output.dense" : "intermediate.stack.\(place)"
        last = try columns(part, hidden.neurons.count)
        for (neuron, value) in last.enumerated() { sums.neurons[index][place][neuron] += abs(value) }
        sums.hidden[index][place] += abs(last.reduce(0, +))
      }
      let biases = try product("\(name).attention.output.dense.bias", h, weights, gradient)
      let outputBiases = try product("\(name).output.dense.bias", h, weights, gradient)
      sums.layers[index] +=
        abs(attention.reduce(0, +) + biases.reduce(0, +)) + abs(last.reduce(0, +) + outputBiases.reduce(0, +))
      var norms = ["\(name).attention.output.LayerNorm", "\(name).output.LayerNorm"]
      if index == 0 { norms.append("embeddings.LayerNorm") }
      for norm in norms {
        let gains = try product("\(norm).weight", h, weights, gradient)
        let offsets = try product("\(norm).bias", h, weights, gradient)
        for channel in 0..<h { sums.channels[index][channel] += abs(gains[channel] + offsets[channel]) }
      }
    }
  }

  private func product(
    _ name: String, _ count: Int, _ weights: ModelWeights, _ gradient: (String) -> Tensor?
  ) throws(ModelFileError) -> [Double] {
    let weight = try weights.tensor(name, shape: [count])
    guard let gradient = gradient(name), gradient.count == count else { return [Double](repeating: 0, count: count) }
    return zip(weight.values, gradient.values).map { Double($0) * Double($1) }
  }

  private static func columnProducts(_ weight: Tensor, _ gradient: Tensor) -> [Double] {
    let (rows, width) = (weight.shape[0], weight.shape[1])
    var sums = [Double](repeating: 0, count: width)
    weight.withUnsafeFloats { w in
      gradient.withUnsafeFloats { g in
        for row in 0..<rows {
          for column in 0..<width {
            sums[column] += Double(w[row * width + column]) * Double(g[row * width + column])
          }
        }
      }
    }
    return sums
  }
}
