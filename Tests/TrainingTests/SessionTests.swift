import Kernels
import ModelFiles
import Testing

@testable import Training

struct SessionTests {
  static let heads: [TrainingHead] = [.classification(.first), .classification(.mean), .maskedLanguageModel]

  /// Steps on the example's batch, and on half of it.
  private func train(_ session: TrainingSession, _ example: Example, steps: Int) throws {
    for _ in 0..<steps {
      try session.accumulate(example.batch(), example.targets(session.head))
      try session.accumulate(example.batch(), example.targets(session.head))
      try session.step(learningRate: 0.003)
    }
  }

  @Test(arguments: [Example.relative, .large], heads) func sameBitsForAnyNumberOfThreads(
    _ example: Example, head: TrainingHead
  ) throws {
    let sessions = try [1, 2, 3, 7].map {
      try TrainingSession(
        model: example.model(spread: 0.1), head: head, options: TrainingOptions(threads: $0, dropout: 0.1, seed: 5))
    }
    for session in sessions { try train(session, example, steps: 2) }
    for name in sessions[0].trainedNames {
      let expected = bits(sessions[0].weight(name))
      for session in sessions.dropFirst() { #expect(bits(session.weight(name)) == expected, "\(name)") }
    }
    let other = try TrainingSession(
      model: example.model(spread: 0.1), head: head, options: TrainingOptions(dropout: 0.1, seed: 6))
    try train(other, example, steps: 2)
    let name = ParameterLayout.wordEmbeddings
    #expect(bits(other.weight(name)) != bits(sessions[0].weight(name)))
  }

  /// A sequence's loss and gradient do not depend on what it is batched with: micro-batches of one sequence each add up to the batch.
  @Test(arguments: Example.small) func microBatchesAddUp(_ example: Example) throws {
    let head = TrainingHead.classification(.first)
    let options = TrainingOptions(dropout: 0)
    let whole = try TrainingSession(doublePrecision: example.model(), head: head, options: options)
    let parts = try TrainingSession(doublePrecision: example.model(), head: head, options: options)
    guard case .classes(let classes) = example.targets(head) else { return }
    let loss = try whole.accumulate(example.batch(), .classes(classes))
    var sum = TrainingLoss()
    for index in classes.indices { sum += try parts.accumulate(example.batch([index]), .classes([classes[index]])) }
    #expect(abs(sum.mean - loss.mean) < 1e-12)
    for name in whole.trainedNames {
      let left = whole.gradient(name)?.values ?? []
      let right = parts.gradient(name)?.values ?? []
      let size = left.map { abs($0) }.max() ?? 0
      #expect((zip(left, right).map { abs($0 - $1) }.max() ?? 1) <= 1e-6 * size + 1e-9, "\(name)")
    }
    #expect(abs(whole.gradientNorm() - parts.gradientNorm()) < 1e-9)
  }

  /// Dropout leaves the expectation: the mean over many masks of what an embedding's dropout lets through is what there was.
  @Test func dropoutZeroesItsShare() throws {
    let example = Example.large
    let session = try TrainingSession(
      model: example.model(spread: 0.1), head: .maskedLanguageModel, options: TrainingOptions(dropout: 0.1, seed: 1))
    session.core.load(try example.batch())
    var zeros = 0
    var count = 0
    var ratios = 0.0
    for pass in 0..<20 {
      session.core.passCount = UInt32(pass)
      _ = session.core.encode(isTraining: true)
      let norm = session.core.plan.embedding
      let dropped = (0..<479).flatMap { row in
        (0..<48).map { Real.load(norm.output.base, row * norm.output.ld + $0, bytes: 4) }
      }
      _ = session.core.encode(isTraining: false)
      let full = (0..<479).flatMap { row in
        (0..<48).map { Real.load(norm.output.base, row * norm.output.ld + $0, bytes: 4) }
      }
      count += full.count
      for (left, right) in zip(dropped, full) {
        if left == 0 { zeros += 1 } else { ratios += left / right }
      }
    }
    // Standard error of the share: 0.0004.
    #expect(abs(Double(zeros) / Double(count) - 0.1) < 0.002)
    #expect(abs(ratios / Double(count - zeros) - 1 / 0.9) < 1e-4)
  }

  @Test(arguments: heads) func learns(_ head: TrainingHead) throws {
    let example = Example.relative
    let session = try TrainingSession(
      model: Model.initialised(example.architecture, labels: 3, maskedLanguageModel: true, seed: 1), head: head,
      options: TrainingOptions(threads: 2))
    let batch = try example.batch()
    let targets = example.targets(head)
    let before = try session.evaluate(batch, targets)
    let items = targets.count
    for _ in 0..<150 {
      try session.accumulate(batch, targets)
      try session.step(learningRate: 0.01)
    }
    let after = try session.evaluate(batch, targets)
    #expect(after.loss.mean < 0.3 * before.loss.mean, "\(before.loss.mean) to \(after.loss.mean)")
    #expect(after.loss.correct > before.loss.correct)
    #expect(after.logits.count == items * after.width)
    #expect(session.stepCount == 150)
  }

  /// The scores are those of the inference kernels, and a trained model's snapshot gives them too.
  @Test(arguments: Example.allCases) func evaluationAgreesWithInference(_ example: Example) throws {
    for (head, output) in [(TrainingHead.classification(.first), OutputHead.classifier), (.maskedLanguageModel, .mlm)] {
      let session = try TrainingSession(
        model: example.model(spread: 0.15), head: head, options: TrainingOptions(dropout: 0.1))
      let batch = try example.batch()
      let targets = example.targets(head, everyWord: true)
      try session.accumulate(batch, targets)
      try session.step(learningRate: 0.001)
      let logits = try session.evaluate(batch, targets).logits
      let inference = try InferenceSession(
        model: session.model(), batchSize: batch.count, sequenceLength: example.lengths.max() ?? 1, head: output)
      let expected = try inference.run(batch)
      let size = expected.map { abs($0) }.max() ?? 0
      #expect(logits.count == expected.count)
      #expect((zip(logits, expected).map { abs($0 - $1) }.max() ?? 1) < 2e-5 * size)
    }
  }

  /// Words without a gradient: moments decay, and weights of words never seen only by weight decay.
  @Test func unseenWordsOnlyDecay() throws {
    let example = Example.relative
    let model = example.model(ownDecoder: true)
    let session = try TrainingSession(
      model: model, head: .maskedLanguageModel,
      options: TrainingOptions(dropout: 0, optimiser: AdamWOptions(weightDecay: 0.5)))
    let batch = try TokenBatch(sequences: [[3, 4, 3]])
    try session.accumulate(batch, .allWords([1, 2, 3]))
    let gradient = try #require(session.gradient(ParameterLayout.wordEmbeddings)).values
    let width = example.architecture.embeddingWidth
    #expect(gradient[3 * width..<5 * width].contains { $0 != 0 })
    #expect(gradient[..<(3 * width)].allSatisfy { $0 == 0 })
    try session.step(learningRate: 0.1)
    let before = try #require(model.weights[ParameterLayout.wordEmbeddings]).values
    let after = try #require(session.weight(ParameterLayout.wordEmbeddings)).values
    for index in 0..<(3 * width) { #expect(abs(after[index] - 0.95 * before[index]) < 1e-6) }
    #expect(abs(after[3 * width] - before[3 * width]) > 0.05)
  }

  @Test func emptyTargetsChangeNothing() throws {
    let session = try TrainingSession(model: Example.relative.model(ownDecoder: true), head: .maskedLanguageModel)
    #expect(try session.accumulate(Example.relative.batch(), .words([], tokens: [])) == TrainingLoss())
    #expect(kernelMessage(.input) { try session.step(learningRate: 1) } == "there is no gradient to take a step by")
    #expect(session.gradientNorm() == 0)
  }
}
