import Architectures
import Foundation

/// The heads of a layer, in groups of one operation each.
extension OnnxBuilder {
  /// Heads that become one chain of operators.
  private struct Group {
    var layer: Int
    var operation: HeadOperation
    /// Their numbers in the layer.
    var heads: [Int]
    var headSize: Int
    var hiddenSize: Int

    var width: Int { heads.count * headSize }
    var rows: [Int] { heads.flatMap { ($0 * headSize)..<(($0 + 1) * headSize) } }
    var name: String { "encoder.layer.\(layer).attention.self" }
  }

  /// Contexts of all heads of a layer, [batch, sequence, heads · head size], and the order of the heads in them.
  mutating func contexts(_ index: Int, _ x: String) throws(ModelFileError) -> (context: String, order: [Int]) {
    let groups = groups(index)
    let scope = graph.scope
    var contexts: [String] = []
    for (number, group) in groups.enumerated() {
      graph.scope = groups.count == 1 ? scope : "\(scope)/\(number).\(group.operation.name)"
      contexts.append(try context(group, x))
    }
    graph.scope = scope
    let joined =
      contexts.count == 1 ? contexts[0] : graph.add("Concat", contexts, [("axis", .integer(-1))])
    return (joined, groups.flatMap(\.heads))
  }

  private func groups(_ index: Int) -> [Group] {
    let layer = architecture.layers[index]
    func group(_ operation: HeadOperation, _ heads: [Int]) -> Group {
      Group(
        layer: index, operation: operation, heads: heads, headSize: layer.headSize, hiddenSize: layer.hiddenSize)
    }
    if form == .chain { return layer.heads.enumerated().map { group($1, [$0]) } }
    return HeadOperation.allCases.compactMap { operation in
      let heads = layer.heads.indices.filter { layer.heads[$0] == operation }
      return heads.isEmpty ? nil : group(operation, heads)
    }
  }

  private mutating func context(_ group: Group, _ x: String) throws(ModelFileError) -> String {
    let operation = group.operation
    let attends = architecture.position == .relativeKey || operation.isSelfAttention
    let query = attends || operation.taps != nil ? try projection("query", group, x) : ""
    let key = operation.isSelfAttention || operation.taps != nil ? try projection("key", group, x) : ""
    let value = try projection("value", group, x)
    var terms: [String] = []
    if attends { terms.append(try attention(group, query: query, key: key, value: value)) }
    if operation.isLinearTransform { terms.append(transform(group, value: value)) }
    if operation.taps != nil { terms.append(try convolution(group, query: query, key: key, value: value)) }
    return terms.count == 1 ? terms[0] : graph.plus(terms[0], terms[1])
  }

  /// The group's columns of q, k or v, [batch, sequence, heads · head size].
  private mutating func projection(_ part: String, _ group: Group, _ x: String) throws(ModelFileError) -> String {
    let a = architecture.layers[group.layer].attentionWidth
    let weight = try tensor("\(group.name).\(part).weight", [a, group.hiddenSize])
    let bias = try tensor("\(group.name).\(part).bias", [a])
    let rows = group.rows
    let matrix = graph.constant(
      "\(part)_weight", shape: [group.hiddenSize, group.width], .made { weight.transposed(rows: rows) })
    let product = graph.matMul(x, matrix)
    let vector = graph.constant("\(part)_bias", shape: [group.width], .made { bias.gathered(rows: rows) })
    return graph.plus(vector, product)
  }

  /// [batch, sequence, heads · head size] to [batch, heads, sequence, head size].
  private mutating func split(_ x: String, _ group: Group, order: [Int] = [0, 2, 1, 3]) -> String {
    graph.transpose(graph.reshape(x, [0, 0, group.heads.count, group.headSize]), order)
  }

  private mutating func merged(_ x: String, _ group: Group) -> String {
    graph.reshape(graph.transpose(x, [0, 2, 1, 3]), [0, 0, group.width])
  }

  // MARK: Attention

  private mutating func attention(
    _ group: Group, query: String, key: String, value: String
  ) throws(ModelFileError) -> String {
    let values = split(value, group)
    let root = graph.number(Float(group.headSize).squareRoot())
    let isRelative = architecture.position == .relativeKey
    var queries = split(query, group)
    // Where there are two terms it is cheaper to scale the queries than the scores.
    if isRelative { queries = graph.add("Div", [queries, root]) }
    var scores: [String] = []
    if group.operation.isSelfAttention {
      var left = queries
      if group.operation == .weightedMultiplicative {
        left = graph.matMul(queries, try stacked("wma.weight", "wma", [group.headSize, group.headSize], group))
      }
      scores.append(graph.matMul(left, split(key, group, order: [0, 2, 3, 1])))
    }
    if isRelative { scores.append(try relative(group, queries)) }
    let sum = scores.count == 1 ? scores[0] : graph.plus(scores[0], scores[1])
    let scaled = isRelative ? sum : graph.add("Div", [sum, root])
    let masked = graph.plus(scaled, scoreMask)
    let weights = graph.add("Softmax", [masked], [("axis", .integer(-1))])
    return merged(graph.matMul(weights, values), group)
  }

  /// q_s · R[s − t + P − 1], [batch, heads, sequence, sequence].
  private mutating func relative(_ group: Group, _ queries: String) throws(ModelFileError) -> String {
    let positions = architecture.maximumPositions
    let d = group.headSize
    let table = try tensor("\(group.name).distance_embedding.weight", [2 * positions - 1, d])
    let key = "distances_\(group.layer)"
    let (start, end) = window
    let distances: String
    if let name = distanceNames[key] {
      distances = name
    } else {
      // Column w is distance w − P + 1 of the key after the query, so that it grows with the key; a zero follows.
      let columns = graph.constant(
        "distances", shape: [d, 2 * positions],
        .made { Self.turnedTable(table) })
      distances = graph.slice(columns, from: start, to: end, axis: 1)
      distanceNames[key] = distances
    }
    return skewed(graph.matMul(queries, distances))
  }

  /// The rows of a table from last to first as columns, and a column of zeros.
  private static func turnedTable(_ table: Tensor) -> [Float] {
    let rows = table.shape.first ?? 0
    let columns = table.transposed(rows: Array((0..<rows).reversed()))
    var result: [Float] = []
    for start in stride(from: 0, to: columns.count, by: max(rows, 1)) {
      result += columns[start..<(start + rows)]
      result.append(0)
    }
    return result
  }

  /// A tensor of every head of the group, one after another; `turned` where each matrix is to be transposed, `row` where
  /// each vector is to be a matrix of one row.
  private mutating func stacked(
    _ name: String, _ label: String, _ shape: [Int], _ group: Group, turned: Bool = false, row: Bool = false
  ) throws(ModelFileError) -> String {
    let tensors = try group.heads.map { (head) throws(ModelFileError) in
      try tensor("\(group.name).heads.\(head).\(name)", shape)
    }
    var inner = turned ? shape.reversed() : shape
    if row { inner = [1] + inner }
    return graph.constant(
      label, shape: [group.heads.count] + inner,
      .made { tensors.flatMap { turned ? $0.transposed(rows: Array(0..<shape[0])) : $0.values } })
  }

  // MARK: Transforms

  /// Both transforms of v: along the tokens of each sentence, and along the columns of each head.
  private mutating func transform(_ group: Group, value: String) -> String {
    let d = group.headSize
    func alongColumns(_ builder: inout OnnxBuilder, _ label: String, _ element: @escaping (Int, Int) -> Double)
      -> String
    {
      let matrix = builder.graph.constant(
        label, shape: [d, d],
        .made { (0..<d).flatMap { row in (0..<d).map { Float(element(row, $0)) } } })
      let heads = builder.graph.reshape(value, [0, 0, group.heads.count, d])
      return builder.graph.reshape(builder.graph.matMul(heads, matrix), [0, 0, group.width])
    }
    if group.operation == .discreteCosine {
      // Element [l, j] of the transposed matrix.
      let inner = alongColumns(&self, "cosine") { l, j in
        (Double(j == 0 ? 1 : 2) / Double(d)).squareRoot()
          * cos(.pi * Double((2 * l + 1) * j % (4 * d)) / Double(2 * d))
      }
      return graph.matMul(cosineTransform, inner)
    }
    // Re((A − iB) v (C − iD)) = A v C − B v D.
    let scale = 1 / Double(d).squareRoot()
    let real = alongColumns(&self, "fourier_real") { scale * cos(2 * .pi * Double($0 * $1 % d) / Double(d)) }
    let imaginary = alongColumns(&self, "fourier_imaginary") {
      scale * sin(2 * .pi * Double($0 * $1 % d) / Double(d))
    }
    let outer = fourierTransform
    let first = graph.matMul(outer.real, real)
    return graph.add("Sub", [first, graph.matMul(outer.imaginary, imaginary)])
  }

  // MARK: Convolutions

  /// Dynamic span-based convolution; rows beyond the sentence are zeros.
  private mutating func convolution(
    _ group: Group, query: String, key: String, value: String
  ) throws(ModelFileError) -> String {
    let (d, taps) = (group.headSize, group.operation.taps ?? 1)
    let radius = (taps - 1) / 2
    let keys = graph.transpose(graph.times(key, maskRows), [0, 2, 1])
    let depthwise = try group.heads.map { (head) throws(ModelFileError) in
      try tensor("\(group.name).heads.\(head).convolution.depthwise.weight", [d, taps])
    }
    let kernel = graph.constant(
      "depthwise", shape: [group.width, 1, taps], .made { depthwise.flatMap(\.values) })
    let smooth = graph.add(
      "Conv", [keys, kernel],
      [
        ("group", .integer(group.width)), ("kernel_shape", .integers([taps])), ("pads", .integers([radius, radius])),
      ])
    // [batch, heads, sequence, head size] from here on.
    let u = graph.transpose(graph.reshape(smooth, [0, group.heads.count, d, -1]), [0, 1, 3, 2])
    let p = try headLinear(u, "pointwise", d, d, group)
    let product = graph.times(p, split(query, group))
    let gates = graph.add("Softmax", [try headLinear(product, "span", d, taps, group)], [("axis", .integer(-1))])
    let y = try headLinear(split(value, group), "value", d, d, group)
    let rows = graph.add("Unsqueeze", [maskRows, graph.integers([1])])
    let kept = graph.times(y, rows)
    let padded = graph.add("Pad", [kept, graph.integers([0, 0, radius, 0, 0, 0, radius, 0])])
    return merged(graph.matMul(banded(gates, taps: taps), padded), group)
  }

  /// x Wᵀ + b with weights of each head's own.
  private mutating func headLinear(
    _ x: String, _ name: String, _ input: Int, _ output: Int, _ group: Group
  ) throws(ModelFileError) -> String {
    let matrix = try stacked(
      "convolution.\(name).weight", "\(name)_weight", [output, input], group, turned: true)
    let product = graph.matMul(x, matrix)
    return graph.plus(
      product, try stacked("convolution.\(name).bias", "\(name)_bias", [output], group, row: true))
  }
}
