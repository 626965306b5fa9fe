import CKernels
import Kernels
import ModelFiles

/// The heads and their losses, forward and backward.
extension TrainingCore {
  /// Loss of the loaded batch given the last layer's output; with `isTraining` the gradient by that output goes into `plan.narrow[0]`.
  /// - Parameter logits: is given rows of scores where it is wanted.
  func loss(_ targets: TrainingTargets, hidden: Rows, isTraining: Bool, logits: ((Rows, Int) -> Void)?) -> TrainingLoss
  {
    switch targets {
    case .classes(let classes):
      scoreSequences(hidden, isTraining: isTraining)
      logits?(plan.scores, classes.count)
      let loss = crossEntropy(plan.scores, width: labels, targets: classes[...], isTraining: isTraining)
      if isTraining { scoreSequencesBackward() }
      return loss
    case .values(let values):
      scoreSequences(hidden, isTraining: isTraining)
      logits?(plan.scores, values.count)
      let loss = squaredError(values, isTraining: isTraining)
      if isTraining { scoreSequencesBackward() }
      return loss
    case .words(let words, let positions):
      return scoreWords(words, at: positions, hidden: hidden, isTraining: isTraining, logits: logits)
    case .allWords(let words):
      return scoreWords(words, at: nil, hidden: hidden, isTraining: isTraining, logits: logits)
    }
  }

  /// Softmax cross-entropy of rows, which become its gradient in training.
  private func crossEntropy(
    _ scores: Rows, width: Int, targets: ArraySlice<Int32>, isTraining: Bool
  ) -> TrainingLoss {
    let rows = rowLosses(targets.count)
    targets.withUnsafeBufferPointer { targets in
      var step = edgetwin_training_cross_entropy()
      step.rows = targets.count
      step.classes = width
      step.scores = scores.base
      step.scores_ld = scores.ld
      step.targets = targets.baseAddress
      step.wants_gradient = isTraining
      step.losses = rows.losses
      step.correct = rows.correct
      var workspace = workspace
      kernels.pointee.cross_entropy(&workspace, &step)
    }
    var loss = TrainingLoss(items: targets.count)
    for row in 0..<targets.count {
      loss.sum += rows.losses[row]
      loss.correct += Int(rows.correct[row])
    }
    return loss
  }

  private func squaredError(_ values: [Float], isTraining: Bool) -> TrainingLoss {
    var loss = TrainingLoss(items: values.count)
    for (row, value) in values.enumerated() {
      let difference = Real.load(plan.scores.base, row * plan.scores.ld, bytes: bytes) - Double(value)
      loss.sum += difference * difference
      if isTraining { Real.store(2 * difference, plan.scores.base, row * plan.scores.ld, bytes: bytes) }
    }
    return loss
  }

  // MARK: A sentence at a time

  private var pooling: Pooling {
    switch head {
    case .classification(let pooling), .regression(let pooling): pooling
    case .maskedLanguageModel: .first
    }
  }

  private var lastWidth: Int { architecture.layers.last?.hiddenSize ?? 0 }

  /// Scores of every sequence into `plan.scores`. Pooled rows stay in `plan.pooled`: [0] first tokens, [1] what is pooled, [2] slope of its tanh, [3] what
  /// dropout left of [1].
  private func scoreSequences(_ hidden: Rows, isTraining: Bool) {
    let (sequences, width) = (tokens.view.pointee.batch, lastWidth)
    let pooled = plan.pooled
    switch pooling {
    case .first:
      var gather = rowMove(EDGETWIN_ROWS_GATHER, width: width, count: sequences, from: hidden, to: pooled[0])
      gather.index = tokens.view.pointee.offsets
      run(gather)
      var pooler = linear(
        "pooler.dense", rows: sequences, inputs: width, outputs: width, from: pooled[0], to: pooled[1])
      pooler.activation = Int32(EDGETWIN_ACTIVATION_TANH.rawValue)
      if isTraining { pooler.slope = pooled[2].base }
      run(pooler)
    case .mean:
      run(rowMove(EDGETWIN_ROWS_MEAN, width: width, count: sequences, from: hidden, to: pooled[1]))
    }
    run(
      linear(
        "classifier", rows: sequences, inputs: width, outputs: labels,
        from: dropped(pooled[1], into: pooled[3], isTraining: isTraining), to: plan.scores))
  }

  /// The rows after dropout: themselves where there is none.
  private func dropped(_ rows: Rows, into target: Rows, isTraining: Bool) -> Rows {
    let dropout = dropout(Site.classifier, isTraining)
    guard dropout.threshold > 0 else { return rows }
    var move = rowMove(
      EDGETWIN_ROWS_DROPOUT, width: lastWidth, count: tokens.view.pointee.batch, from: rows, to: target)
    move.dropout = dropout
    run(move)
    return target
  }

  /// From the gradient by the scores to that by the last layer's output in `plan.narrow[0]`.
  private func scoreSequencesBackward() {
    let (sequences, width) = (tokens.view.pointee.batch, lastWidth)
    let rows = Int(tokens.view.pointee.offsets[sequences])
    let pooled = plan.pooled
    let drops = drops
    run(
      linearGradient(
        "classifier", rows: sequences, inputs: width, outputs: labels, input: drops ? pooled[3] : pooled[1],
        upstream: plan.scores, to: pooled[4]))
    _ = dropped(pooled[4], into: pooled[4], isTraining: true)
    switch pooling {
    case .first:
      multiply(pooled[4], by: pooled[2], rows: sequences)
      run(
        linearGradient(
          "pooler.dense", rows: sequences, inputs: width, outputs: width, input: pooled[0], upstream: pooled[4],
          to: pooled[3]))
      var scatter = rowMove(EDGETWIN_ROWS_SCATTER, width: width, count: sequences, from: pooled[3], to: plan.narrow[0])
      scatter.index = tokens.view.pointee.offsets
      scatter.output_rows = rows
      run(scatter)
    case .mean:
      run(rowMove(EDGETWIN_ROWS_SPREAD, width: width, count: rows, from: pooled[4], to: plan.narrow[0]))
    }
  }

  private func multiply(_ rows: Rows, by other: Rows, rows count: Int) {
    var move = rowMove(EDGETWIN_ROWS_MULTIPLY, width: lastWidth, count: count, from: rows, to: rows)
    move.other = UnsafeRawPointer(other.base)
    move.other_ld = other.ld
    run(move)
  }

  // MARK: A word at a time

  /// Rows in `plan.pooled`: [0] the scored tokens, [2] slope of the transform's GELU, [3] and [4] gradients. Scores are made some rows at a time.
  private func scoreWords(
    _ words: [Int32], at positions: [Int32]?, hidden: Rows, isTraining: Bool, logits: ((Rows, Int) -> Void)?
  ) -> TrainingLoss {
    let name = "cls.predictions"
    let (count, width, vocabulary) = (words.count, lastWidth, architecture.vocabularySize)
    let rows = Int(tokens.view.pointee.offsets[tokens.view.pointee.batch])
    let pooled = plan.pooled
    let everything = count == rows
    if !everything {
      (positions ?? []).withUnsafeBufferPointer { positions in
        var gather = rowMove(EDGETWIN_ROWS_GATHER, width: width, count: count, from: hidden, to: pooled[0])
        gather.index = positions.baseAddress
        run(gather)
      }
    }
    let input = everything ? hidden : pooled[0]
    var transform = linear(
      "\(name).transform.dense", rows: count, inputs: width, outputs: width, from: input, to: plan.scored.normalised)
    transform.activation = Int32(EDGETWIN_ACTIVATION_GELU.rawValue)
    if isTraining { transform.slope = pooled[2].base }
    transform.norm = norm("\(name).transform.LayerNorm", plan.scored)
    run(transform)

    let tied = store.layout.tiesDecoder
    let decoder = tied ? ParameterLayout.wordEmbeddings : "\(name).decoder.weight"
    var loss = TrainingLoss()
    for start in stride(from: 0, to: count, by: plan.scoreRows) {
      let part = start..<min(start + plan.scoreRows, count)
      let from = Rows(base: plan.scored.output.row(start, bytes: bytes), ld: plan.scored.output.ld)
      var scores = linear(
        "\(name).decoder", rows: part.count, inputs: width, outputs: vocabulary, from: from, to: plan.scores)
      scores.weights = UnsafeRawPointer(store.parameter(decoder))
      run(scores)
      logits?(plan.scores, part.count)
      loss += crossEntropy(plan.scores, width: vocabulary, targets: words[part], isTraining: isTraining)
      guard isTraining else { continue }
      var gradient = linearGradient(
        "\(name).decoder", rows: part.count, inputs: width, outputs: vocabulary, input: from, upstream: plan.scores,
        to: Rows(base: pooled[3].row(start, bytes: bytes), ld: pooled[3].ld))
      gradient.weights = UnsafeRawPointer(store.parameter(decoder))
      gradient.weight_gradient = store.gradient(decoder)
      gradient.accumulate = gradient.accumulate || tied || start > 0
      run(gradient)
    }
    guard isTraining else { return loss }
    normGradient(
      "\(name).transform.LayerNorm", rows: count, width: width, norm: plan.scored, upstream: pooled[3], to: pooled[4])
    multiply(pooled[4], by: pooled[2], rows: count)
    run(
      linearGradient(
        "\(name).transform.dense", rows: count, inputs: width, outputs: width, input: input, upstream: pooled[4],
        to: everything ? plan.narrow[0] : pooled[3]))
    if !everything {
      (positions ?? []).withUnsafeBufferPointer { positions in
        var scatter = rowMove(EDGETWIN_ROWS_SCATTER, width: width, count: count, from: pooled[3], to: plan.narrow[0])
        scatter.index = positions.baseAddress
        scatter.output_rows = rows
        run(scatter)
      }
    }
    return loss
  }
}
