import Architectures
import ModelFiles

extension Transfer {
  // MARK: Joins

  /// The join behind a layer: what the parent has on the way from this layer's source to the next one's. Where it has none, channels
  /// that both sides share go on as they are.
  mutating func join(
    _ specification: TensorSpecification, layer: Int, isBias: Bool
  ) throws(ModelFileError) -> Tensor {
    guard let before = sources[...layer].last(where: { $0 != nil }) ?? nil,
      let after = sources[(layer + 1)...].first(where: { $0 != nil }) ?? nil, before <= after
    else { return new(specification) }
    let rows = axis(to.layers[layer + 1].channels, after)
    let columns = axis(to.layers[layer].channels, before)
    let way = try parentWay(from: before, to: after)
    let (h, width) = (from.layers[after].channels.count, from.layers[before].channels.count)
    guard let matrix = Tensor(shape: [h, width], values: way.matrix), let bias = Tensor(shape: [h], values: way.bias)
    else { return new(specification) }
    let initial = specification.initialTensor(seed: options.seed)
    let zeroes = options.growth == .preserving
    return isBias
      ? TensorTransfer.apply(
        bias, rows: rows, columns: nil, initial: initial, zeroesNewColumns: zeroes, report: &report)
      : TensorTransfer.apply(
        matrix, rows: rows, columns: columns, initial: initial, zeroesNewColumns: zeroes, report: &report)
  }

  private func axis(_ child: [Int], _ source: Int) -> AxisMap {
    let parent = from.layers[source].channels
    return axis(child, parent, stream: Stream.channels + UInt64(parent.first ?? 0))
  }

  /// The parent's joins between two of its layers as one affine map.
  private func parentWay(from start: Int, to end: Int) throws(ModelFileError) -> (matrix: [Float], bias: [Float]) {
    let width = from.layers[start].channels.count
    var matrix = [Float](repeating: 0, count: width * width)
    for channel in 0..<width { matrix[channel * width + channel] = 1 }
    var bias = [Float](repeating: 0, count: width)
    for index in start..<end where from.layers[index].channels.count != from.layers[index + 1].channels.count {
      let (input, output) = (from.layers[index].channels.count, from.layers[index + 1].channels.count)
      let name = "\(Name.layer(index)).join"
      let weights = try parent.weights.tensor("\(name).weight", shape: [output, input]).values
      let own = try parent.weights.tensor("\(name).bias", shape: [output]).values
      var product = [Float](repeating: 0, count: output * width)
      var sums = own
      for row in 0..<output {
        for inner in 0..<input {
          let weight = weights[row * input + inner]
          guard weight != 0 else { continue }
          sums[row] += weight * bias[inner]
          for column in 0..<width { product[row * width + column] += weight * matrix[inner * width + column] }
        }
      }
      (matrix, bias) = (product, sums)
    }
    return (matrix, bias)
  }

  // MARK: Inserted layers

  /// Makes a layer that the parent does not have the identity.
  ///
  /// With post-layer-norm, a layer whose outputs are zero still normalises. So the norm before it is left without gain and bias: what it
  /// gives has mean 0 and variance 1 and passes the new layer's first norm unchanged; its second norm has the gain and bias taken away.
  /// What the new layer would compute starts as its neighbour's does, with that gain and bias folded in, and is multiplied by zero.
  mutating func placeInsertedLayers(_ tensors: inout [String: Tensor]) throws(ModelFileError) {
    guard options.growth == .preserving else { return }
    var anchor: Int?  // the child's last layer that the parent has; nil are the embeddings
    for layer in to.layers.indices {
      if sources[layer] != nil {
        anchor = layer
        continue
      }
      let before = layer > 0 ? to.layers[layer - 1].channels : to.layers[layer].channels
      guard before == to.layers[layer].channels else { continue }
      let norm = layer > 0 ? "\(Name.layer(layer - 1)).output.LayerNorm" : "embeddings.LayerNorm"
      let own = "\(Name.layer(layer)).output.LayerNorm"
      guard let gain = tensors["\(norm).weight"], let bias = tensors["\(norm).bias"] else { continue }
      if let anchor, anchor == layer - 1 {
        try copyNeighbour(anchor, into: layer, gain: gain, bias: bias, tensors: &tensors)
      }
      // Both are of one width; one was counted as copied, the other as new, and so they stay.
      swap(&tensors, "\(norm).weight", "\(own).weight")
      swap(&tensors, "\(norm).bias", "\(own).bias")
    }
  }

  private func swap(_ tensors: inout [String: Tensor], _ first: String, _ second: String) {
    let kept = tensors[first]
    tensors[first] = tensors[second]
    tensors[second] = kept
  }

  /// What a new layer computes before its zero outputs: its neighbour's, where it is built alike.
  private mutating func copyNeighbour(
    _ anchor: Int, into layer: Int, gain: Tensor, bias: Tensor, tensors: inout [String: Tensor]
  ) throws(ModelFileError) {
    let (mine, other) = (to.layers[layer], to.layers[anchor])
    guard mine.heads.map(\.operation) == other.heads.map(\.operation),
      mine.headUnits.count == other.headUnits.count,
      mine.feedForward.map(\.neurons.count) == other.feedForward.map(\.neurons.count)
    else { return }
    let attentionNorm = "\(Name.layer(anchor)).attention.output.LayerNorm"
    guard let innerGain = tensors["\(attentionNorm).weight"], let innerBias = tensors["\(attentionNorm).bias"] else {
      return
    }
    for specification in architecture.layerSpecifications(layer) {
      let part = String(specification.name.dropFirst("\(Name.layer(layer)).".count))
      let isOutput = part.hasPrefix("attention.output") || part.hasPrefix("output.") || part.hasPrefix("join.")
      guard !isOutput, let source = tensors["\(Name.layer(anchor)).\(part)"], source.shape == specification.shape
      else { continue }
      report.new -= source.count
      report.copied += source.count
      tensors[specification.name] = source
    }
    for name in ["query", "key", "value"] {
      fold("\(Name.layer(layer)).attention.self.\(name)", gain: gain, bias: bias, tensors: &tensors)
    }
    fold("\(Name.layer(layer)).intermediate.dense", gain: innerGain, bias: innerBias, tensors: &tensors)
  }

  /// W (g ⊙ n + b) + c as (W g) n + (W b + c).
  private func fold(_ name: String, gain: Tensor, bias: Tensor, tensors: inout [String: Tensor]) {
    guard let weight = tensors["\(name).weight"], let offset = tensors["\(name).bias"], weight.shape.count == 2 else {
      return
    }
    let (rows, width) = (weight.shape[0], weight.shape[1])
    var values = weight.values
    var offsets = offset.values
    let (g, b) = (gain.values, bias.values)
    guard g.count == width, b.count == width else { return }
    for row in 0..<rows {
      var sum: Float = 0
      for column in 0..<width {
        sum += values[row * width + column] * b[column]
        values[row * width + column] *= g[column]
      }
      offsets[row] += sum
    }
    tensors["\(name).weight"] = Tensor(shape: weight.shape, values: values)
    tensors["\(name).bias"] = Tensor(shape: offset.shape, values: offsets)
  }
}
