import Architectures
import ModelFiles

extension Transfer {
  /// A tensor of one layer; `part` is its name after the layer's.
  mutating func layerTensor(
    _ specification: TensorSpecification, layer: Int, part: String
  ) throws(ModelFileError) -> Tensor {
    if part.hasPrefix("join.") { return try join(specification, layer: layer, isBias: part == "join.bias") }
    guard let source = sources[layer] else {
      // Placed among the others by ``placeInsertedLayers(_:)``; its outputs are zero until it learns.
      let isOutput = part == "attention.output.dense.weight" || part == "output.dense.weight"
      return new(specification, isZero: isOutput && options.growth == .preserving)
    }
    let name = "\(Name.layer(source)).\(part)"
    let h = channels(layer, source)
    switch part {
    case "attention.self.query.weight", "attention.self.key.weight", "attention.self.value.weight":
      return try make(specification, from: name, rows: attention(layer, source), columns: h)
    case "attention.self.query.bias", "attention.self.key.bias", "attention.self.value.bias":
      return try make(specification, from: name, rows: attention(layer, source))
    case "attention.self.distance_embedding.weight":
      guard from.position == .relativeKey else { return new(specification) }
      // Row r is the distance r − (P − 1).
      let shift = from.maximumPositions - to.maximumPositions
      let rows = (0..<2 * to.maximumPositions - 1).map { $0 + shift }
      return try make(
        specification, from: name, rows: .gather(rows, parentCount: 2 * from.maximumPositions - 1),
        columns: headUnits(layer, source))
    case "attention.output.dense.weight":
      return try make(specification, from: name, rows: h, columns: attention(layer, source))
    case "attention.output.dense.bias", "attention.output.LayerNorm.bias", "output.LayerNorm.bias":
      return try make(specification, from: name, rows: h)
    case "attention.output.LayerNorm.weight", "output.LayerNorm.weight":
      return try make(specification, from: name, rows: h.orderedIfProjection)
    default: break
    }
    if part.hasPrefix("attention.self.heads.") {
      return try headTensor(specification, layer: layer, source: source, part: part)
    }
    return try feedForwardTensor(specification, layer: layer, source: source, part: part)
  }

  /// The own weights of a head: those of the parent's head of the same identity and operation.
  private mutating func headTensor(
    _ specification: TensorSpecification, layer: Int, source: Int, part: String
  ) throws(ModelFileError) -> Tensor {
    let rest = part.dropFirst("attention.self.heads.".count).split(separator: ".", maxSplits: 1)
    guard rest.count == 2, let head = Int(rest[0]), let old = heads(layer, source)[head],
      from.layers[source].heads[old].operation == to.layers[layer].heads[head].operation
    else { return new(specification) }
    let name = "\(Name.layer(source)).attention.self.heads.\(old).\(rest[1])"
    let d = headUnits(layer, source)
    switch rest[1] {
    case "convolution.depthwise.weight":
      return try make(specification, from: name, rows: d, columns: .whole(specification.shape[1]))
    case "convolution.span.weight":
      return try make(specification, from: name, rows: .whole(specification.shape[0]), columns: d)
    case "convolution.span.bias": return try make(specification, from: name, rows: .whole(specification.shape[0]))
    case "convolution.pointwise.bias", "convolution.value.bias":
      return try make(specification, from: name, rows: d)
    default: return try make(specification, from: name, rows: d, columns: d)
    }
  }

  // MARK: Feed-forward

  /// The parent's hidden layer of each of a layer's stack.
  func hiddenSources(_ layer: Int, _ source: Int) -> [Int?] {
    AxisMap.identities(
      to.layers[layer].feedForward.map(\.identity), in: from.layers[source].feedForward.map(\.identity)
    ).indices
  }

  /// Whether hidden layers of a stack that follow all of the parent's can carry its output u unchanged: gelu(u) − gelu(−u) = u, so that a
  /// hidden layer of [u, −u] followed by [1, −1] is the identity. It takes twice the hidden size.
  private func carriesOutput(_ layer: Int, from first: Int) -> Bool {
    let width = 2 * to.layers[layer].channels.count
    return options.growth == .preserving && options.unequalSizes == nil
      && to.layers[layer].feedForward[first...].allSatisfy { $0.neurons.count >= width }
  }

  private mutating func feedForwardTensor(
    _ specification: TensorSpecification, layer: Int, source: Int, part: String
  ) throws(ModelFileError) -> Tensor {
    let isBias = part.hasSuffix(".bias")
    let kind = isBias ? "bias" : "weight"
    let hidden = hiddenSources(layer, source)
    let old = from.layers[source].feedForward.count
    // Hidden layers behind all of the parent's.
    let firstAppended = (hidden.lastIndex { $0 != nil } ?? -1) + 1
    let isPrefix = hidden.prefix(firstAppended).elementsEqual((0..<old).map { Int?.some($0) })
    let carries = isPrefix && firstAppended < hidden.count && carriesOutput(layer, from: firstAppended)
    let position: Int
    if part == "output.dense.\(kind)" {
      position = hidden.count
    } else if part == "intermediate.dense.\(kind)" {
      position = 0
    } else {
      position = (Int(part.split(separator: ".").dropFirst(2).first ?? "") ?? 0) + 1
    }
    // The parent's linear map at this place: into a hidden layer of its own, or out of the stack.
    let isOutput = position == hidden.count
    guard let target = isOutput ? old : hidden[position] else {
      guard carries else { return new(specification) }
      return try carrying(specification, layer: layer, source: source, position: position, isBias: isBias)
    }
    let name = "\(Name.layer(source)).\(Self.linear(target, of: old)).\(kind)"
    let rows = isOutput ? channels(layer, source) : neurons(layer, position, source, target)
    if isBias { return try make(specification, from: name, rows: rows) }
    if isOutput, carries { return identityPair(specification, layer: layer, isOutput: true) }
    let columns: AxisMap
    switch (position, target) {
    case (0, 0): columns = channels(layer, source)
    case (0, _), (_, 0): columns = .ordered(specification.shape[1], parentCount: inputWidth(of: target, in: source))
    case (_, _) where hidden[position - 1] == target - 1:
      columns = neurons(layer, position - 1, source, target - 1)
    default: columns = .ordered(specification.shape[1], parentCount: inputWidth(of: target, in: source))
    }
    return try make(specification, from: name, rows: rows, columns: columns)
  }

  private func inputWidth(of target: Int, in source: Int) -> Int {
    target == 0 ? from.layers[source].channels.count : from.layers[source].feedForward[target - 1].neurons.count
  }

  /// Name of the linear map into hidden layer `index`, or out of a stack of `count`.
  private static func linear(_ index: Int, of count: Int) -> String {
    if index == count { return "output.dense" }
    return index == 0 ? "intermediate.dense" : "intermediate.stack.\(index - 1)"
  }

  /// The map into an appended hidden layer: plus and minus what the parent's stack put out.
  private mutating func carrying(
    _ specification: TensorSpecification, layer: Int, source: Int, position: Int, isBias: Bool
  ) throws(ModelFileError) -> Tensor {
    // The output's own bias stays where it is.
    if isBias { return new(specification) }
    guard hiddenSources(layer, source)[position - 1] != nil else {
      return identityPair(specification, layer: layer, isOutput: false)
    }
    let old = from.layers[source].feedForward.count
    var plain = specification
    let h = channels(layer, source)
    plain.shape = [h.count, specification.shape[1]]
    let output = try make(
      plain, from: "\(Name.layer(source)).output.dense.weight", rows: h,
      columns: neurons(layer, position - 1, source, old - 1))
    var values = specification.initialTensor(seed: options.seed).values
    report.new += values.count - output.count
    output.withUnsafeFloats { floats in
      for index in floats.indices {
        values[index] = floats[index]
        values[floats.count + index] = -floats[index]
      }
    }
    return Tensor(shape: specification.shape, values: values) ?? output
  }

  /// What takes [u, −u, …] to u (the output), or on to [u, −u, …] with initial rows below (another appended hidden layer).
  private mutating func identityPair(_ specification: TensorSpecification, layer: Int, isOutput: Bool) -> Tensor {
    let initial = specification.initialTensor(seed: options.seed)
    let width = specification.shape[1]
    let h = to.layers[layer].channels.count
    var values = initial.values
    for row in 0..<(isOutput ? h : 2 * h) {
      for column in 0..<width { values[row * width + column] = 0 }
      let sign: Float = row < h ? 1 : -1
      values[row * width + row % h] = sign
      values[row * width + h + row % h] = -sign
    }
    report.new += values.count
    return Tensor(shape: specification.shape, values: values) ?? initial
  }
}
