import Architectures

/// Turns a model into a graph of ONNX operators: embeddings, layers and the heads of the model.
///
/// Plain BERT comes out as the operators that PyTorch's exporter writes, in that order, since ONNX Runtime's optimiser knows
/// those patterns and replaces them by fused kernels.
struct OnnxBuilder {
  static let inputs = ["input_ids", "attention_mask", "token_type_ids"]

  let model: Model
  let form: OnnxExport.HeadForm
  var graph = OnnxGraph()
  /// Values that several layers use, by what they are; made when the first asks.
  var shared: [Shared: String] = [:]

  /// Distances of a layer as far as sequences need them, by layer.
  var distanceNames: [String: String] = [:]

  enum Shared: Hashable {
    /// [sequence length].
    case length
    /// [batch, sequence] of 0 and 1.
    case mask
    /// [batch, sequence, 1] and [batch, 1, 1, sequence] of 0 and 1.
    case maskRows, maskColumns
    /// [batch, 1, 1, sequence]: 0, and a very low number at padding.
    case scoreMask
    /// Bounds of slices and shapes for relative positions.
    case windowStart, windowEnd, skewStart, skewEnd, skewShape
    /// Bounds and shapes for convolutions with so many taps.
    case bandEnd(Int)
    case bandShape(Int)
    case bandPads
    /// [batch, sequence, sequence]: the transform along the tokens of each sentence.
    case cosine, fourierReal, fourierImaginary
    /// Numbers that the three transforms share.
    case tokenCount, positions
  }

  init(model: Model, form: OnnxExport.HeadForm) {
    self.model = model
    self.form = form
  }

  var architecture: Architecture { model.architecture }

  /// The value `key`, made by `make` outside of any scope where it does not exist yet.
  mutating func shared(_ key: Shared, _ make: (inout OnnxBuilder) -> String) -> String {
    if let name = shared[key] { return name }
    let scope = graph.scope
    graph.scope = "shared"
    let name = make(&self)
    graph.scope = scope
    shared[key] = name
    return name
  }

  // MARK: Weights

  func tensor(_ name: String, _ shape: [Int]) throws(ModelFileError) -> Tensor {
    try model.weights.tensor(name, shape: shape)
  }

  /// x Wᵀ + b with the model's tensors; the weight is stored transposed, as runtimes want it.
  mutating func linear(_ x: String, _ name: String, from input: Int, to output: Int) throws(ModelFileError) -> String {
    let weight = try tensor("\(name).weight", [output, input])
    let bias = try tensor("\(name).bias", [output])
    let matrix = graph.constant(
      "weight", shape: [input, output], .made { weight.transposed(rows: Array(0..<output)) })
    let product = graph.matMul(x, matrix)
    let vector = graph.constant("bias", shape: [output], .tensor(bias))
    return graph.plus(vector, product)
  }

  mutating func layerNorm(
    _ x: String, _ name: String, width: Int, output: String? = nil
  ) throws(ModelFileError) -> String {
    let weight = try tensor("\(name).weight", [width])
    let bias = try tensor("\(name).bias", [width])
    return graph.add(
      "LayerNormalization",
      [
        x, graph.constant("norm_weight", shape: [width], .tensor(weight)),
        graph.constant("norm_bias", shape: [width], .tensor(bias)),
      ],
      [("axis", .integer(-1)), ("epsilon", .float(Float(model.layerNormEpsilon)))], output: output)
  }

  /// x·Φ(x), by the error function.
  mutating func gelu(_ x: String) -> String {
    let scaled = graph.add("Div", [x, graph.number(Float(2).squareRoot())])
    let erf = graph.add("Erf", [scaled])
    let sum = graph.plus(erf, graph.number(1))
    return graph.times(graph.times(x, sum), graph.number(0.5))
  }

  // MARK: Encoder

  /// The last layer's output [batch, sequence, hidden size].
  mutating func encoder() throws(ModelFileError) -> String {
    var x = try embeddings()
    for index in architecture.layers.indices { x = try layer(index, x) }
    graph.scope = ""
    return x
  }

  private mutating func embeddings() throws(ModelFileError) -> String {
    graph.scope = "embeddings"
    let width = architecture.embeddingWidth
    func table(_ name: String, _ rows: Int) throws(ModelFileError) -> Tensor {
      try tensor("embeddings.\(name)_embeddings.weight", [rows, width])
    }
    let words = graph.constant(
      "words", shape: [architecture.vocabularySize, width], .tensor(try table("word", architecture.vocabularySize)))
    let types = graph.constant(
      "types", shape: [architecture.typeVocabularySize, width],
      .tensor(try table("token_type", architecture.typeVocabularySize)))
    var sum = graph.plus(
      graph.add("Gather", [words, "input_ids"]), graph.add("Gather", [types, "token_type_ids"]))
    // Slices up to the length also hide from ONNX Runtime that all rows are as long as the input's: where it knows, it fuses
    // each residual sum with its norm into a kernel that takes five times as long as the two (version 1.32, on a CPU).
    if architecture.position == .absolute {
      let rows = architecture.maximumPositions
      let positions = graph.constant("positions", shape: [rows, width], .tensor(try table("position", rows)))
      sum = graph.plus(sum, graph.slice(positions, from: graph.integers([0]), to: length, axis: 0))
    } else {
      sum = graph.slice(sum, from: graph.integers([0]), to: length, axis: 1)
    }
    return try layerNorm(sum, "embeddings.LayerNorm", width: width)
  }

  private mutating func layer(_ index: Int, _ input: String) throws(ModelFileError) -> String {
    let layer = architecture.layers[index]
    let h = layer.hiddenSize
    let name = "encoder.layer.\(index)"
    graph.scope = "layer.\(index)/attention"
    let (context, order) = try contexts(index, input)
    let d = layer.headSize
    let weight = try tensor("\(name).attention.output.dense.weight", [h, layer.attentionWidth])
    let bias = try tensor("\(name).attention.output.dense.bias", [h])
    let columns = order.flatMap { ($0 * d)..<(($0 + 1) * d) }
    let matrix = graph.constant(
      "output_weight", shape: [layer.attentionWidth, h],
      .made { weight.transposed(rows: Array(0..<h), columns: columns) })
    let product = graph.matMul(context, matrix)
    let attended = graph.plus(graph.constant("output_bias", shape: [h], .tensor(bias)), product)
    let x = try layerNorm(graph.plus(attended, input), "\(name).attention.output.LayerNorm", width: h)
    graph.scope = "layer.\(index)/feed_forward"
    var (z, width) = (x, h)
    for (position, next) in layer.feedForward.enumerated() {
      let part = position == 0 ? "intermediate.dense" : "intermediate.stack.\(position - 1)"
      z = gelu(try linear(z, "\(name).\(part)", from: width, to: next))
      width = next
    }
    z = try linear(z, "\(name).output.dense", from: width, to: h)
    let output = try layerNorm(graph.plus(z, x), "\(name).output.LayerNorm", width: h)
    guard index + 1 < architecture.layers.count, architecture.layers[index + 1].hiddenSize != h else { return output }
    graph.scope = "layer.\(index)/join"
    return try linear(output, "\(name).join", from: h, to: architecture.layers[index + 1].hiddenSize)
  }

  // MARK: Heads of the model

  mutating func classifier(_ x: inout String, labels: Int, output: String) throws(ModelFileError) {
    let last = architecture.layers.last?.hiddenSize ?? 0
    let pooled: String
    switch model.pooling {
    case .first:
      graph.scope = "pooler"
      let first = graph.add("Gather", [x, graph.constant("first", shape: [], .integers([0]))], [("axis", .integer(1))])
      pooled = graph.add("Tanh", [try gemm(first, "pooler.dense", from: last, to: last)])
    case .mean: pooled = mean(x)
    }
    graph.scope = "classifier"
    x = try gemm(pooled, "classifier", from: last, to: labels, output: output)
  }

  private mutating func gemm(
    _ x: String, _ name: String, from input: Int, to width: Int, output: String? = nil
  ) throws(ModelFileError) -> String {
    let weight = graph.constant(
      "weight", shape: [width, input], .tensor(try tensor("\(name).weight", [width, input])))
    let bias = graph.constant("bias", shape: [width], .tensor(try tensor("\(name).bias", [width])))
    return graph.add("Gemm", [x, weight, bias], [("transB", .integer(1))], output: output)
  }

  mutating func maskedLanguageModel(_ x: inout String, output: String) throws(ModelFileError) {
    let last = architecture.layers.last?.hiddenSize ?? 0
    let vocabulary = architecture.vocabularySize
    graph.scope = "mlm"
    let name = "cls.predictions.transform"
    let transformed = gelu(try linear(x, "\(name).dense", from: last, to: last))
    let normed = try layerNorm(transformed, "\(name).LayerNorm", width: last)
    let decoder = try model.maskedLanguageModelDecoder()
    let bias = try tensor("cls.predictions.decoder.bias", [vocabulary])
    let matrix = graph.constant(
      "decoder", shape: [last, vocabulary], .made { decoder.transposed(rows: Array(0..<vocabulary)) })
    let product = graph.matMul(normed, matrix)
    x = graph.add("Add", [product, graph.constant("bias", shape: [vocabulary], .tensor(bias))], output: output)
  }

  mutating func hidden(_ x: String, output: String) { _ = graph.add("Identity", [x], output: output) }

  @discardableResult
  mutating func mean(_ x: String, output: String? = nil) -> String {
    graph.scope = "mean"
    let kept = graph.times(x, maskRows)
    let sum = graph.add("ReduceSum", [kept, graph.integers([1])], [("keepdims", .integer(0))])
    let count = graph.add("ReduceSum", [mask, graph.integers([1])], [("keepdims", .integer(1))])
    return graph.add("Div", [sum, graph.add("Max", [count, graph.number(1)])], output: output)
  }
}

extension Tensor {
  /// A matrix's chosen rows and columns, transposed: element [j, i] is that of row `rows[i]`, column `columns[j]`.
  func transposed(rows: [Int], columns: [Int]? = nil) -> [Float] {
    let width = shape.last ?? 0
    let columns = columns ?? Array(0..<width)
    return withUnsafeFloats { source in
      Array(unsafeUninitializedCapacity: rows.count * columns.count) { buffer, initialised in
        // Blocks of columns, so that both sides stay in the cache.
        for start in stride(from: 0, to: columns.count, by: 16) {
          let end = min(start + 16, columns.count)
          for (i, row) in rows.enumerated() {
            for j in start..<end { buffer[j * rows.count + i] = source[row * width + columns[j]] }
          }
        }
        initialised = rows.count * columns.count
      }
    }
  }

  /// Chosen rows of a matrix, or elements of a vector.
  func gathered(rows: [Int]) -> [Float] {
    let width = shape.count > 1 ? shape[1] : 1
    return withUnsafeFloats { source in rows.flatMap { source[($0 * width)..<(($0 + 1) * width)] } }
  }
}
