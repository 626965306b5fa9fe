import Architectures
import ModelFiles

extension Importance {
  /// By the size of weights, as published for heads and hidden layers (EdgeTran, section on GPTran; edgetran's public code):
  /// a head is the mean of the mean squares of its rows of q, k and v and of its kind's own weights; a feed-forward hidden layer the mean
  /// |w| of the matrix into it, and a neuron that of its row. A channel is the |gain| of its norms, a layer the mean of its hidden layers.
  ///
  /// - Throws: `ModelFileError` where the model lacks a tensor of its own architecture.
  package static func magnitude(of model: Model, pedigree: Pedigree) throws(ModelFileError) -> Importance {
    var result = Importance(zeroFor: pedigree)
    let weights = model.weights
    for (index, layer) in pedigree.layers.enumerated() {
      let name = "encoder.layer.\(index)"
      let (h, d) = (layer.channels.count, layer.headUnits.count)
      let attention = layer.heads.count * d
      var parts: [[Double]] = layer.heads.map { _ in [] }
      for part in ["query", "key", "value"] {
        let tensor = try weights.tensor("\(name).attention.self.\(part).weight", shape: [attention, h])
        tensor.withUnsafeFloats { floats in
          for head in layer.heads.indices {
            parts[head].append(meanSquare(floats[head * d * h..<(head + 1) * d * h]))
          }
        }
      }
      for specification in model.architecture.layerSpecifications(index) where specification.shape.count == 2 {
        let prefix = "\(name).attention.self.heads."
        guard specification.name.hasPrefix(prefix),
          let head = Int(specification.name.dropFirst(prefix.count).prefix { $0 != "." })
        else { continue }
        let tensor = try weights.tensor(specification.name, shape: specification.shape)
        tensor.withUnsafeFloats { floats in parts[head].append(meanSquare(floats[...])) }
      }
      result.heads[index] = parts.map { $0.reduce(0, +) / Double(max($0.count, 1)) }
      var width = h
      for (place, hidden) in layer.feedForward.enumerated() {
        let part = place == 0 ? "intermediate.dense" : "intermediate.stack.\(place - 1)"
        let tensor = try weights.tensor("\(name).\(part).weight", shape: [hidden.neurons.count, width])
        tensor.withUnsafeFloats { floats in
          for neuron in hidden.neurons.indices {
            let row = floats[neuron * width..<(neuron + 1) * width]
            result.neurons[index][place][neuron] = row.reduce(0.0) { $0 + Double(abs($1)) } / Double(width)
          }
        }
        let rows = result.neurons[index][place]
        result.hidden[index][place] = rows.reduce(0, +) / Double(max(rows.count, 1))
        width = hidden.neurons.count
      }
      var norms = ["\(name).attention.output.LayerNorm.weight", "\(name).output.LayerNorm.weight"]
      if index == 0 { norms.append("embeddings.LayerNorm.weight") }
      for norm in norms {
        let gains = try weights.tensor(norm, shape: [h]).values
        for (channel, gain) in gains.enumerated() { result.channels[index][channel] += Double(abs(gain)) }
      }
      result.layers[index] = result.hidden[index].reduce(0, +) / Double(max(result.hidden[index].count, 1))
    }
    return result
  }

  private static func meanSquare(_ values: Slice<UnsafeBufferPointer<Float>>) -> Double {
    values.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(max(values.count, 1))
  }
}
