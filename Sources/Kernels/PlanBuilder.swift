import Architectures
import CKernels
import Foundation
import ModelFiles

/// A forward pass written down as steps over memory that is planned once.
struct Plan {
  var steps: [edgetwin_step] = []
  var labels: [Label] = []
  /// Where the answer lies: rows of `width` floats, `ld` apart.
  var output: UnsafeMutablePointer<Float>
  var outputStride = 0
  var outputWidth = 0
  var activations: AlignedMemory
  var scratchFloats = 0
  var usesFourier = false
  var usesCosine = false
  /// How groups of steps are run for parts of a batch.
  var parts: edgetwin_parts

  struct Label {
    var name: String
    var kernelClass: String
    var layer: Int?
  }
}

/// Writes the plan of a model, layer by layer.
struct PlanBuilder {
  let model: Model
  let packed: PackedModel
  let batchSize: Int
  /// Longest sequence.
  let sequenceLength: Int
  let head: OutputHead
  private var plan: Plan
  private let regions: Regions
  /// The group of the next steps, zero for none, the last one that was given, and bytes of its weights.
  private var group: (current: Int32, last: Int32, bytes: Int) = (0, 0, 0)

  private var architecture: Architecture { model.architecture }
  private var kernels: UnsafePointer<edgetwin_kernels> { packed.kernels }

  /// Distance between rows: whole vectors, and never a multiple of 4 KiB, which would put a column of rows into few sets of the cache.
  static func stride(_ width: Int) -> Int { PackedModel.rounded(width) + 16 }

  /// Buffers of the activations; those that are never needed together share memory.
  private struct Regions {
    var first: UnsafeMutablePointer<Float>
    var second: UnsafeMutablePointer<Float>
    var projections: UnsafeMutablePointer<Float>
    var contexts: UnsafeMutablePointer<Float>
    var wideFirst: UnsafeMutablePointer<Float>
    var wideSecond: UnsafeMutablePointer<Float>
    var answer: UnsafeMutablePointer<Float>
  }

  init(model: Model, packed: PackedModel, batchSize: Int, sequenceLength: Int, head: OutputHead, threads: Int) {
    self.model = model
    self.packed = packed
    self.batchSize = batchSize
    self.sequenceLength = sequenceLength
    self.head = head
    let rows = batchSize * sequenceLength
    let layers = model.architecture.layers
    func largest(_ width: (Architecture.Layer) -> Int) -> Int { layers.map(width).max() ?? 0 }
    let hidden = rows * Self.stride(max(largest(\.hiddenSize), 1))
    let projections = rows * Self.stride(largest { 3 * $0.attentionWidth })
    let contexts = rows * Self.stride(largest(\.attentionWidth))
    let wide = rows * Self.stride(largest { $0.feedForward.max() ?? 0 })
    let stacked = layers.contains { $0.feedForward.count > 1 } ? wide : 0
    let width = max(projections + contexts, wide + stacked) / rows
    // Each thread's part of a batch has its place in the shared buffers.
    let partRows = max(sequenceLength, BatchParts.rows)
    let shared = width * (batchSize > 1 ? max(rows, threads * partRows) : rows)
    let last = layers.last?.hiddenSize ?? 0
    let answer: Int
    switch head {
    case .mlm: answer = rows * Self.stride(model.architecture.vocabularySize)
    case .hidden: answer = 0
    case .mean: answer = batchSize * Self.stride(last)
    case .classifier: answer = batchSize * (2 * Self.stride(last) + Self.stride(model.labels ?? 0))
    }
    let memory = AlignedMemory(floats: 2 * hidden + shared + answer + 256)
    let base = memory.floats
    regions = Regions(
      first: base, second: base + hidden, projections: base + 2 * hidden,
      contexts: base + 2 * hidden + projections, wideFirst: base + 2 * hidden,
      wideSecond: base + 2 * hidden + wide, answer: base + 2 * hidden + shared)
    plan = Plan(
      output: base, activations: memory,
      parts: edgetwin_parts(
        rows: batchSize > 1 ? partRows : 0, shared: base + 2 * hidden, planned_rows: rows, width: width))
  }

  /// Begins the steps of a block with so many weights; without weights, steps that always take the whole batch.
  private mutating func beginBlock(weights: Int?) {
    guard packed.library == nil, let weights,
      BatchParts.isApart(weightBytes: weights * (packed.precision == .int8 ? 1 : 4))
    else {
      (group.current, group.bytes) = (0, 0)
      return
    }
    let bytes = weights * (packed.precision == .int8 ? 1 : 4)
    if group.current > 0, BatchParts.isApart(weightBytes: group.bytes + bytes) {
      group.bytes += bytes
    } else {
      group = (group.last + 1, group.last + 1, bytes)
    }
  }

  private mutating func add(_ step: edgetwin_step, _ name: String, _ kernelClass: String, _ layer: Int? = nil) {
    var step = step
    step.group = group.current
    plan.labels.append(Plan.Label(name: name, kernelClass: kernelClass, layer: layer))
    guard packed.library != nil, step.kind == Int32(EDGETWIN_STEP_LINEAR.rawValue), step.of.linear.norm.gamma != nil
    else {
      plan.steps.append(step)
      return
    }
    // A library's tasks are parts of rows: the norm, which needs whole ones, is a step of its own.
    var product = step
    product.of.linear.norm = edgetwin_norm()
    plan.steps.append(product)
    var norm = edgetwin_step()
    norm.kind = Int32(EDGETWIN_STEP_NORM.rawValue)
    norm.of.norm = edgetwin_row_norm(
      rows: step.of.linear.output, ld: step.of.linear.output_ld, width: step.of.linear.outputs,
      norm: step.of.linear.norm)
    plan.labels.append(Plan.Label(name: "\(name): norm", kernelClass: kernelClass, layer: layer))
    plan.steps.append(norm)
  }

  private struct LinearOptions {
    var activation = EDGETWIN_ACTIVATION_NONE
    var residual: (UnsafeMutablePointer<Float>, Int)?
    var norm: edgetwin_norm?
    var bySequence = false
  }

  private func linear(
    _ weights: PackedModel.Linear, from input: (UnsafeMutablePointer<Float>, Int),
    to output: (UnsafeMutablePointer<Float>, Int), _ options: LinearOptions = LinearOptions()
  ) -> edgetwin_step {
    var linear = edgetwin_linear()
    linear.input = UnsafePointer(input.0)
    linear.input_ld = input.1
    linear.weights = weights.weights
    linear.library = packed.library
    linear.scales = weights.scales
    linear.sums = weights.sums
    linear.bias = weights.bias
    linear.inputs = weights.inputs
    linear.outputs = weights.outputs
    linear.output = output.0
    linear.output_ld = output.1
    linear.activation = Int32(options.activation.rawValue)
    linear.precision = packed.precision == .int8 ? Int32(EDGETWIN_INT8.rawValue) : Int32(EDGETWIN_FP32.rawValue)
    if let residual = options.residual {
      linear.residual = UnsafePointer(residual.0)
      linear.residual_ld = residual.1
    }
    if let norm = options.norm { linear.norm = norm }
    linear.by_sequence = options.bySequence
    var step = edgetwin_step()
    step.kind = Int32(EDGETWIN_STEP_LINEAR.rawValue)
    step.of.linear = linear
    return step
  }

  private mutating func note(scratch floats: Int) { plan.scratchFloats = max(plan.scratchFloats, floats) }

  mutating func build() throws(KernelError) -> Plan {
    try addEmbedding()
    var width = architecture.embeddingWidth
    var current = regions.first
    var other = regions.second
    for (index, layer) in architecture.layers.enumerated() {
      try addLayer(index, layer, current: current, other: other)
      if index + 1 < architecture.layers.count, architecture.layers[index + 1].hiddenSize != width {
        let next = architecture.layers[index + 1].hiddenSize
        let weights = try packed.linear(["encoder.layer.\(index).join"], inputs: width, outputs: next)
        // Rows lie further apart behind it than before: parts must not be at different layers.
        beginBlock(weights: nil)
        add(
          linear(weights, from: (current, Self.stride(width)), to: (other, Self.stride(next))), "join", "join", index)
        swap(&current, &other)
        width = next
      }
    }
    beginBlock(weights: nil)
    try addHead(from: current, width: width, spare: other)
    for step in plan.steps where step.kind == Int32(EDGETWIN_STEP_LINEAR.rawValue) {
      var linear = step.of.linear
      note(scratch: edgetwin_linear_scratch(&linear))
    }
    return plan
  }

  private mutating func addEmbedding() throws(KernelError) {
    let width = architecture.embeddingWidth
    var embedding = edgetwin_embedding()
    embedding.word = try packed.rows("embeddings.word_embeddings.weight", [architecture.vocabularySize, width])
    embedding.type = try packed.rows(
      "embeddings.token_type_embeddings.weight", [architecture.typeVocabularySize, width])
    if architecture.position == .absolute {
      embedding.position = try packed.rows(
        "embeddings.position_embeddings.weight", [architecture.maximumPositions, width])
    }
    embedding.width = width
    embedding.norm = try packed.norm("embeddings.LayerNorm", width)
    embedding.output = regions.first
    embedding.output_ld = Self.stride(width)
    var step = edgetwin_step()
    step.kind = Int32(EDGETWIN_STEP_EMBEDDING.rawValue)
    step.of.embedding = embedding
    add(step, "embeddings", "embedding")
  }

  /// The layer's output replaces its input in `current`.
  private mutating func addLayer(
    _ index: Int, _ layer: Architecture.Layer, current: UnsafeMutablePointer<Float>,
    other: UnsafeMutablePointer<Float>
  ) throws(KernelError) {
    let name = "encoder.layer.\(index)"
    let (h, a) = (layer.hiddenSize, layer.attentionWidth)
    let stride = Self.stride(h)
    let projection = try packed.linear(
      ["query", "key", "value"].map { "\(name).attention.self.\($0)" }, inputs: h, outputs: a)
    let wide = (regions.projections, Self.stride(3 * a))
    beginBlock(weights: BatchParts.attentionWeights(width: a))
    add(linear(projection, from: (current, stride), to: wide), "query, key, value", "projection", index)

    let contexts = (regions.contexts, Self.stride(a))
    try addAttention(index, layer, path: "\(name).attention.self", from: wide, to: contexts)

    let output = try packed.linear(["\(name).attention.output.dense"], inputs: a, outputs: h)
    let attended = LinearOptions(
      residual: (current, stride), norm: try packed.norm("\(name).attention.output.LayerNorm", h))
    add(
      linear(output, from: contexts, to: (other, stride), attended), "attention output, residual, norm",
      "projection", index)

    var input = (other, stride)
    var width = h
    let widths = [h] + layer.feedForward + [h]
    beginBlock(weights: zip(widths, widths.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 })
    for (position, next) in layer.feedForward.enumerated() {
      let part = position == 0 ? "intermediate.dense" : "intermediate.stack.\(position - 1)"
      let weights = try packed.linear(["\(name).\(part)"], inputs: width, outputs: next)
      let target = (position % 2 == 0 ? regions.wideFirst : regions.wideSecond, Self.stride(next))
      add(
        linear(weights, from: input, to: target, LinearOptions(activation: EDGETWIN_ACTIVATION_GELU)),
        "feed forward \(position), GELU", "feed_forward", index)
      input = target
      width = next
    }
    let last = try packed.linear(["\(name).output.dense"], inputs: width, outputs: h)
    let finished = LinearOptions(residual: (other, stride), norm: try packed.norm("\(name).output.LayerNorm", h))
    add(
      linear(last, from: input, to: (current, stride), finished), "feed forward output, residual, norm",
      "feed_forward", index)
  }

  private mutating func addAttention(
    _ index: Int, _ layer: Architecture.Layer, path: String, from input: (UnsafeMutablePointer<Float>, Int),
    to output: (UnsafeMutablePointer<Float>, Int)
  ) throws(KernelError) {
    let d = layer.headSize
    let padded = PackedModel.rounded(d)
    var attention = edgetwin_attention()
    attention.input = UnsafePointer(input.0)
    attention.input_ld = input.1
    attention.output = output.0
    attention.output_ld = output.1
    attention.head_count = layer.heads.count
    attention.head_size = d
    attention.head_size_padded = padded
    attention.heads = try packed.heads(layer, path: path)
    attention.maximum_positions = architecture.maximumPositions
    if architecture.position == .relativeKey {
      let columns = 2 * architecture.maximumPositions - 1
      let stride = PackedModel.rounded(columns) + 48
      let tensor = try packed.finiteTensor("\(path).distance_embedding.weight", [columns, d])
      attention.distances = tensor.withUnsafeFloats { values in
        packed.table(rows: d, columns: columns, stride: stride) { values[(columns - 1 - $1) * d + $0] }
      }
      attention.distances_ld = stride
    }
    if layer.heads.contains(.discreteFourier) {
      plan.usesFourier = true
      attention.fourier = packed.table(rows: d, columns: 2 * padded, stride: 2 * padded) { row, column in
        let j = column % padded
        guard j < d else { return 0 }
        let angle = 2 * Double.pi * Double(row * j % d) / Double(d)
        return Float((column < padded ? cos(angle) : sin(angle)) / Double(d).squareRoot())
      }
    }
    if layer.heads.contains(.discreteCosine) {
      plan.usesCosine = true
      attention.cosine = packed.table(rows: d, columns: d, stride: padded) { row, column in
        let norm = ((column == 0 ? 1 : 2) / Double(d)).squareRoot()
        return Float(norm * cos(Double.pi * Double((2 * row + 1) * column) / Double(2 * d)))
      }
    }
    note(scratch: edgetwin_attention_scratch(kernels, &attention, sequenceLength))
    var step = edgetwin_step()
    step.kind = Int32(EDGETWIN_STEP_ATTENTION.rawValue)
    step.of.attention = attention
    add(step, "heads", "attention", index)
  }

  private func rows(
    _ kind: edgetwin_step_kind, width: Int, from input: UnsafeMutablePointer<Float>,
    to output: UnsafeMutablePointer<Float>
  ) -> edgetwin_step {
    var step = edgetwin_step()
    step.kind = Int32(kind.rawValue)
    step.of.rows = edgetwin_rows(
      input: UnsafePointer(input), input_ld: Self.stride(width), width: width, output: output,
      output_ld: Self.stride(width))
    return step
  }

  private mutating func answer(_ output: UnsafeMutablePointer<Float>, width: Int) {
    plan.output = output
    plan.outputWidth = width
    plan.outputStride = Self.stride(width)
  }

  private mutating func addHead(
    from hidden: UnsafeMutablePointer<Float>, width: Int, spare: UnsafeMutablePointer<Float>
  ) throws(KernelError) {
    let stride = Self.stride(width)
    switch head {
    case .hidden: answer(hidden, width: width)
    case .mean:
      add(rows(EDGETWIN_STEP_MEAN, width: width, from: hidden, to: regions.answer), "mean", "pooler")
      answer(regions.answer, width: width)
    case .classifier:
      guard let labels = model.labels else {
        throw KernelError(
          .model,
          "the model has no classifier (classifier.weight); ask for --head hidden or mean, or fine-tune it first")
      }
      let first = regions.answer
      let pooled = first + batchSize * stride
      let scores = pooled + batchSize * stride
      switch model.pooling {
      case .first:
        add(rows(EDGETWIN_STEP_FIRST, width: width, from: hidden, to: first), "first token", "pooler")
        let pooler = try packed.linear(["pooler.dense"], inputs: width, outputs: width)
        add(
          linear(
            pooler, from: (first, stride), to: (pooled, stride),
            LinearOptions(activation: EDGETWIN_ACTIVATION_TANH, bySequence: true)), "pooler", "pooler")
      case .mean:
        add(rows(EDGETWIN_STEP_MEAN, width: width, from: hidden, to: pooled), "mean", "pooler")
      }
      let classifier = try packed.linear(["classifier"], inputs: width, outputs: labels)
      add(
        linear(
          classifier, from: (pooled, stride), to: (scores, Self.stride(labels)), LinearOptions(bySequence: true)),
        "classifier", "pooler")
      answer(scores, width: labels)
    case .mlm:
      let name = "cls.predictions"
      let transform = try packed.linear(["\(name).transform.dense"], inputs: width, outputs: width)
      add(
        linear(
          transform, from: (hidden, stride), to: (spare, stride),
          LinearOptions(
            activation: EDGETWIN_ACTIVATION_GELU, norm: try packed.norm("\(name).transform.LayerNorm", width))),
        "masked-LM transform", "pooler")
      let vocabulary = architecture.vocabularySize
      let decoder: Tensor
      let bias: Tensor
      do {
        decoder = try model.maskedLanguageModelDecoder()
        // Hugging Face's files have the bias under either name.
        let isShared = model.weights.contains("\(name).bias") && !model.weights.contains("\(name).decoder.bias")
        bias = try model.weights.tensor(isShared ? "\(name).bias" : "\(name).decoder.bias", shape: [vocabulary])
      } catch { throw KernelError(error) }
      let weights = try packed.pack(
        [decoder], biases: [bias], inputs: width, outputs: vocabulary, names: ["\(name).decoder"])
      add(
        linear(weights, from: (spare, stride), to: (regions.answer, Self.stride(vocabulary))), "masked-LM decoder",
        "pooler")
      answer(regions.answer, width: vocabulary)
    }
  }
}
