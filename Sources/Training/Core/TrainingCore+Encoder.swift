import Architectures
import CKernels

/// The encoder, forward and backward.
extension TrainingCore {
  /// Output of the last layer for the loaded batch. Without `isTraining` there is no dropout, and nothing is kept that only gradients need.
  func encode(isTraining: Bool) -> Rows {
    let rows = Int(tokens.view.pointee.offsets[tokens.view.pointee.batch])
    var embedding = edgetwin_training_embedding()
    embedding.tokens = UnsafePointer(tokens.view)
    embedding.word = UnsafeRawPointer(store.parameter(ParameterLayout.wordEmbeddings))
    embedding.type = UnsafeRawPointer(store.parameter("embeddings.token_type_embeddings.weight"))
    if architecture.position == .absolute {
      embedding.position = UnsafeRawPointer(store.parameter("embeddings.position_embeddings.weight"))
    }
    embedding.width = architecture.embeddingWidth
    embedding.norm = norm("embeddings.LayerNorm", plan.embedding)
    embedding.dropout = dropout(Site.embedding, isTraining)
    var workspace = workspace
    kernels.pointee.embedding(&workspace, &embedding)
    var x = plan.embedding.output
    for index in architecture.layers.indices {
      runLayer(index, x, rows: rows, isTraining: isTraining)
      x = plan.layers[index].next
    }
    return x
  }

  private func runLayer(_ index: Int, _ x: Rows, rows: Int, isTraining: Bool) {
    let layer = architecture.layers[index]
    let kept = plan.layers[index]
    let name = "encoder.layer.\(index)"
    let (h, a) = (layer.hiddenSize, layer.attentionWidth)
    run(linear("\(name).attention.self.query", rows: rows, inputs: h, outputs: 3 * a, from: x, to: kept.projections))
    var attention = attention(index, isTraining: isTraining)
    var workspace = workspace
    kernels.pointee.attention(&workspace, &attention)
    var output = linear(
      "\(name).attention.output.dense", rows: rows, inputs: a, outputs: h, from: kept.contexts,
      to: kept.attention.normalised)
    output.residual = UnsafeRawPointer(x.base)
    output.residual_ld = x.ld
    output.dropout = dropout(site(index), isTraining)
    output.norm = norm("\(name).attention.output.LayerNorm", kept.attention)
    run(output)

    var z = kept.attention.output
    var width = h
    for (position, next) in layer.feedForward.enumerated() {
      var inner = linear(
        Self.feedForwardName(index, position), rows: rows, inputs: width, outputs: next, from: z,
        to: kept.feedForward[position].output)
      inner.activation = Int32(EDGETWIN_ACTIVATION_GELU.rawValue)
      if isTraining { inner.slope = kept.feedForward[position].slope.base }
      run(inner)
      z = kept.feedForward[position].output
      width = next
    }
    var last = linear(
      "\(name).output.dense", rows: rows, inputs: width, outputs: h, from: z, to: kept.output.normalised)
    last.residual = UnsafeRawPointer(kept.attention.output.base)
    last.residual_ld = kept.attention.output.ld
    last.dropout = dropout(site(index) + 1, isTraining)
    last.norm = norm("\(name).output.LayerNorm", kept.output)
    run(last)
    if let join = kept.join {
      let next = architecture.layers[index + 1].hiddenSize
      run(linear("\(name).join", rows: rows, inputs: h, outputs: next, from: kept.output.output, to: join))
    }
  }

  private static func feedForwardName(_ layer: Int, _ position: Int) -> String {
    "encoder.layer.\(layer).intermediate.\(position == 0 ? "dense" : "stack.\(position - 1)")"
  }

  private func attention(_ index: Int, isTraining: Bool) -> edgetwin_training_attention {
    let layer = architecture.layers[index]
    let kept = plan.layers[index]
    var step = edgetwin_training_attention()
    step.tokens = UnsafePointer(tokens.view)
    step.longest = tokens.longest
    step.head_count = layer.heads.count
    step.head_size = layer.headSize
    step.heads = UnsafePointer(heads[index].heads)
    step.parameters = UnsafeRawPointer(store.parameters)
    step.gradients = store.gradients
    step.relative = architecture.position == .relativeKey
    if step.relative {
      step.distances = store.layout.first("encoder.layer.\(index).attention.self.distance_embedding.weight")
    }
    step.maximum_positions = architecture.maximumPositions
    step.projections = UnsafeRawPointer(kept.projections.base)
    step.projections_ld = kept.projections.ld
    step.fourier = UnsafePointer(tokens.fourier)
    step.cosine = UnsafePointer(tokens.cosine)
    step.fourier_width = heads[index].fourierWidth.map { UnsafeRawPointer($0.base) }
    step.cosine_width = heads[index].cosineWidth.map { UnsafeRawPointer($0.base) }
    step.dropout = dropout(site(index) + 2, isTraining)
    step.contexts = kept.contexts.base
    step.contexts_ld = kept.contexts.ld
    return step
  }

  // MARK: Backward

  /// From the gradient by the last layer's output, in `plan.narrow[0]`, to the embeddings.
  func encodeBackward() {
    let rows = Int(tokens.view.pointee.offsets[tokens.view.pointee.batch])
    for index in architecture.layers.indices.reversed() { runLayerBackward(index, rows: rows) }
    let width = architecture.embeddingWidth
    normGradient(
      "embeddings.LayerNorm", rows: rows, width: width, norm: plan.embedding, upstream: plan.narrow[0],
      before: dropout(Site.embedding, true), to: plan.narrow[1])
    var embedding = edgetwin_training_embedding_gradient()
    embedding.tokens = UnsafePointer(tokens.view)
    embedding.upstream = UnsafeRawPointer(plan.narrow[1].base)
    embedding.upstream_ld = plan.narrow[1].ld
    embedding.width = width
    embedding.word = store.gradient(ParameterLayout.wordEmbeddings)
    embedding.type = store.gradient("embeddings.token_type_embeddings.weight")
    if architecture.position == .absolute {
      embedding.position = store.gradient("embeddings.position_embeddings.weight")
    }
    var workspace = workspace
    kernels.pointee.embedding_gradient(&workspace, &embedding)
  }

  /// From the gradient by the layer's output to that by its input, both in `plan.narrow[0]`.
  private func runLayerBackward(_ index: Int, rows: Int) {
    let layer = architecture.layers[index]
    let kept = plan.layers[index]
    let name = "encoder.layer.\(index)"
    let (h, a) = (layer.hiddenSize, layer.attentionWidth)
    let input = index == 0 ? plan.embedding.output : plan.layers[index - 1].next
    let narrow = plan.narrow
    var upstream = narrow[0]
    if kept.join != nil {
      let next = architecture.layers[index + 1].hiddenSize
      run(
        linearGradient(
          "\(name).join", rows: rows, inputs: h, outputs: next, input: kept.output.output, upstream: upstream,
          to: narrow[1]))
      upstream = narrow[1]
    }
    // The residual's gradient into [2], that of what was added to it into [3].
    let drops = drops
    normGradient(
      "\(name).output.LayerNorm", rows: rows, width: h, norm: kept.output, upstream: upstream,
      after: dropout(site(index) + 1, true), to: narrow[2], dropped: drops ? narrow[3] : nil)
    var z = drops ? narrow[3] : narrow[2]
    var outputs = h
    var part = "\(name).output.dense"
    for position in layer.feedForward.indices.reversed() {
      let width = layer.feedForward[position]
      let target = plan.wide[position % 2]
      var step = linearGradient(
        part, rows: rows, inputs: width, outputs: outputs, input: kept.feedForward[position].output, upstream: z,
        to: target)
      step.slope = UnsafeRawPointer(kept.feedForward[position].slope.base)
      step.slope_ld = kept.feedForward[position].output.ld
      run(step)
      z = target
      outputs = width
      part = Self.feedForwardName(index, position)
    }
    var first = linearGradient(
      part, rows: rows, inputs: h, outputs: outputs, input: kept.attention.output, upstream: z, to: narrow[1])
    first.added = UnsafeRawPointer(narrow[2].base)
    first.added_ld = narrow[2].ld
    run(first)

    normGradient(
      "\(name).attention.output.LayerNorm", rows: rows, width: h, norm: kept.attention, upstream: narrow[1],
      after: dropout(site(index), true), to: narrow[2], dropped: drops ? narrow[3] : nil)
    run(
      linearGradient(
        "\(name).attention.output.dense", rows: rows, inputs: a, outputs: h, input: kept.contexts,
        upstream: drops ? narrow[3] : narrow[2], to: plan.contexts))
    runAttentionBackward(index)
    var projections = linearGradient(
      "\(name).attention.self.query", rows: rows, inputs: h, outputs: 3 * a, input: input, upstream: plan.projections,
      to: narrow[0])
    projections.added = UnsafeRawPointer(narrow[2].base)
    projections.added_ld = narrow[2].ld
    run(projections)
  }

  private func runAttentionBackward(_ index: Int) {
    var step = attention(index, isTraining: true)
    step.contexts_gradient = UnsafeRawPointer(plan.contexts.base)
    step.contexts_gradient_ld = plan.contexts.ld
    step.projections_gradient = plan.projections.base
    step.projections_gradient_ld = plan.projections.ld
    var workspace = workspace
    // Where no weights are shared by sequences, every sequence is a task of its own.
    let everySequence = (0...tokens.view.pointee.batch).map { Int32($0) }
    let sums = step.relative || heads[index].hasOwnWeights
    everySequence.withUnsafeBufferPointer { every in
      step.group_count = sums ? tokens.groupCount : tokens.view.pointee.batch
      step.groups = sums ? UnsafePointer(tokens.groups) : every.baseAddress
      if sums {
        step.partial_count = edgetwin_training_attention_partials(&step)
        step.partials = partialSums(step.group_count * step.head_count * step.partial_count + 64)
      }
      kernels.pointee.attention_gradient(&workspace, &step)
    }
  }
}
