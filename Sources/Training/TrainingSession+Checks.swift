import Kernels

extension TrainingOptions {
  /// - Throws: ``KernelError`` (kind `input`) naming the first option out of range.
  func check() throws(KernelError) {
    guard (1...256).contains(threads) else { throw KernelError(.input, "threads must be 1 to 256, not \(threads)") }
    guard dropout >= 0, dropout < 1 else {
      throw KernelError(.input, "dropout must be from 0 to below 1, not \(dropout)")
    }
    if let set = instructionSet, !SessionOptions.instructionSets.contains(set) {
      throw KernelError(
        .input,
        "instruction set \(set) is not known; take one of \(SessionOptions.instructionSets.joined(separator: ", "))")
    }
    for (name, beta) in [("beta1", optimiser.beta1), ("beta2", optimiser.beta2)] where !(beta >= 0 && beta < 1) {
      throw KernelError(.input, "\(name) must be from 0 to below 1, not \(beta)")
    }
    guard optimiser.epsilon > 0, optimiser.epsilon.isFinite else {
      throw KernelError(.input, "epsilon must be above 0, not \(optimiser.epsilon)")
    }
    guard optimiser.weightDecay >= 0, optimiser.weightDecay.isFinite else {
      throw KernelError(.input, "weight decay must be from 0 on, not \(optimiser.weightDecay)")
    }
    if let norm = optimiser.maximumGradientNorm, !(norm > 0) {
      throw KernelError(.input, "the largest gradient norm must be above 0, not \(norm)")
    }
  }
}

extension TrainingSession {
  /// - Throws: ``KernelError`` (kind `input`) naming the first token or target at fault.
  func check(_ batch: TokenBatch, _ targets: TrainingTargets) throws(KernelError) {
    try batch.check(architecture)
    switch (head, targets) {
    case (.classification, .classes(let classes)):
      try check(count: classes.count, of: batch.count, "sequences")
      for (index, value) in classes.enumerated() where value < 0 || value >= core.labels {
        throw KernelError(.input, "sequence \(index): class \(value); classes run from 0 to \(core.labels - 1)")
      }
    case (.regression, .values(let values)):
      try check(count: values.count, of: batch.count, "sequences")
      for (index, value) in values.enumerated() where !value.isFinite {
        throw KernelError(.input, "sequence \(index): the target \(value) is not finite")
      }
    case (.maskedLanguageModel, .words(let words, let tokens)):
      guard words.count == tokens.count else {
        throw KernelError(.input, "there are \(words.count) words for \(tokens.count) tokens")
      }
      var last: Int32 = -1
      for token in tokens {
        guard token > last, token < batch.tokenCount else {
          throw KernelError(
            .input, "scored token \(token): tokens must rise, from 0 to \(batch.tokenCount - 1) in this batch")
        }
        last = token
      }
      try check(words: words)
    case (.maskedLanguageModel, .allWords(let words)):
      try check(count: words.count, of: batch.tokenCount, "tokens")
      try check(words: words)
    default: throw KernelError(.input, "the targets are not those of the head that is trained")
    }
  }

  private func check(count: Int, of expected: Int, _ what: String) throws(KernelError) {
    guard count == expected else { throw KernelError(.input, "there are \(count) targets for \(expected) \(what)") }
  }

  private func check(words: [Int32]) throws(KernelError) {
    for (index, word) in words.enumerated() where word < 0 || word >= architecture.vocabularySize {
      throw KernelError(
        .input, "target \(index): word \(word); words run from 0 to \(architecture.vocabularySize - 1)")
    }
  }
}
