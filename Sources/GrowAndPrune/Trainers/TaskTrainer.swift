import Architectures
import Foundation
import Kernels
import ModelFiles
import Numerics
import Text
import Training

/// Trains children for a task with labels, on the rows of its table.
package final class TaskTrainer: ChildTrainer {
  private let task: TextTask
  private let rows: EncodedRows
  private let dev: TaskData
  private let tokenizer: any Tokenizer
  /// Of a classifier that a model lacks; nil for what the model says.
  private let pooling: Pooling?
  private let threads: Int
  /// The teacher's scores, a row a training row.
  private var answers: [[Double]]?

  /// - Parameters:
  ///   - maximumLength: tokens of a training row; longer ones are cut.
  package init(
    train: TaskData, dev: TaskData, tokenizer: any Tokenizer, pooling: Pooling?, maximumLength: Int, threads: Int
  ) {
    task = train.task
    rows = EncodedRows(train, tokenizer: tokenizer, maximumLength: maximumLength)
    self.dev = dev
    self.tokenizer = tokenizer
    self.pooling = pooling
    self.threads = threads
  }

  /// With a classifier for the task, where the model has none for it.
  package func prepared(_ model: Model) throws -> Model {
    // Class 0 is output 0 from here on: of targets, of the teacher's answers.
    var prepared = model.arranged(for: task)
    // The rows may be of another vocabulary than the model's: found once, here.
    let highest = rows.sequences.lazy.map { $0.max() ?? 0 }.max() ?? 0
    guard Int(highest) < model.architecture.vocabularySize else {
      throw InputFileError(
        source: "tokeniser",
        problem: "it gives id \(highest); the model's vocabulary has \(model.architecture.vocabularySize) tokens")
    }
    let isFor = prepared.labels == task.labelCount && model.weights.contains("classifier.weight")
    if !isFor { prepared.pooling = pooling ?? model.pooling }
    prepared = prepared.prepared(for: head(prepared), labels: task.labelCount, seed: 0)
    if !isFor { prepared.labelNames = task.labelNames }
    return prepared
  }

  private func head(_ model: Model) -> TrainingHead {
    if case .regression = task.kind { return .regression(model.pooling) }
    return .classification(model.pooling)
  }

  private func session(_ model: Model, _ recipe: TrainingRecipe?) throws -> TrainingSession {
    try TrainingSession(
      model: model, head: head(model),
      options: TrainingOptions(
        threads: threads, dropout: recipe?.dropout ?? 0, seed: recipe?.seed ?? 0,
        optimiser: AdamWOptions(epsilon: 1e-6, weightDecay: recipe?.weightDecay ?? 0)))
  }

  // MARK: Training

  package func train(
    _ model: Model, _ recipe: TrainingRecipe, checkpoint: String, progress: (Int) throws -> Void
  ) throws -> TrainedChild {
    guard recipe.steps > 0 else { return TrainedChild(model: model, trainingLoss: .nan) }
    let session = try session(model, recipe)
    let batches = EpochBatches(count: rows.targets.count, size: recipe.batchSize, seed: recipe.seed)
    let loss = try TrainingLoop(session: session, recipe: recipe, checkpoint: checkpoint).run(
      batches: { step in
        let chosen = batches.rows(step: step)
        return [
          (try batch(chosen, of: model), targets(chosen, share: recipe.distillation, seed: recipe.seed, step: step))
        ]
      }, progress: progress)
    var trained = model
    trained.weights = session.model().weights
    return TrainedChild(model: trained, trainingLoss: loss)
  }

  private func batch(_ chosen: [Int], of model: Model) throws -> TokenBatch {
    let last = Int32(model.architecture.typeVocabularySize - 1)
    return try TokenBatch(
      sequences: chosen.map { rows.sequences[$0] }, types: chosen.map { rows.types[$0].map { min($0, last) } })
  }

  /// What rows should be answered with.
  ///
  /// A share of the teacher's answer (Hinton, Vinyals and Dean 2015, at temperature 1): numbers are mixed; a class is drawn, each time anew,
  /// from the teacher's probabilities with that share's chance, whose expected gradient is that of the mixed cross-entropy.
  private func targets(_ chosen: [Int], share: Double, seed: UInt64, step: Int) -> TrainingTargets {
    switch task.kind {
    case .regression:
      return .values(
        chosen.map { row in
          guard share > 0, let answers else { return Float(rows.targets[row]) }
          return Float((1 - share) * rows.targets[row] + share * answers[row][0])
        })
    case .classification:
      var random = CounterRandom(seed: seed, stream: 0x7465_6163_6865_72, UInt64(step))
      return .classes(
        chosen.map { row in
          guard share > 0, let answers else { return Int32(rows.targets[row]) }
          // Two draws a row, whatever comes of the first.
          let (isTaught, draw) = (random.nextUniform() < share, random.nextUniform())
          return isTaught ? Int32(Self.drawn(draw, from: answers[row])) : Int32(rows.targets[row])
        })
    }
  }

  private static func drawn(_ draw: Double, from probabilities: [Double]) -> Int {
    var sum = 0.0
    for (index, probability) in probabilities.enumerated() {
      sum += probability
      if draw < sum { return index }
    }
    return probabilities.count - 1
  }

  package func setTeacher(_ model: Model) throws {
    let order = rows.sequences.indices.sorted { (rows.sequences[$0].count, $0) < (rows.sequences[$1].count, $1) }
    let size = min(32, order.count)
    let session = try InferenceSession(
      model: model, batchSize: size, sequenceLength: rows.longest, head: .classifier,
      options: SessionOptions(threads: threads))
    var answers = [[Double]](repeating: [], count: order.count)
    for start in stride(from: 0, to: order.count, by: size) {
      let chosen = Array(order[start..<min(start + size, order.count)])
      let scores = try session.run(batch(chosen, of: model))
      let width = session.outputWidth
      for (index, row) in chosen.enumerated() {
        let own = scores[index * width..<(index + 1) * width].map(Double.init)
        if case .classification = task.kind {
          let highest = own.max() ?? 0
          let powers = own.map { exp($0 - highest) }
          let sum = powers.reduce(0, +)
          answers[row] = powers.map { $0 / sum }
        } else {
          answers[row] = own
        }
      }
    }
    self.answers = answers
  }

  // MARK: Judging

  package func evaluate(_ model: Model) throws -> HeldOut {
    let evaluation = TaskEvaluation(model: model, tokenizer: tokenizer, threads: threads)
    guard let score = try evaluation.finiteScore(dev) else { return HeldOut(loss: .nan, score: nil) }
    return HeldOut(loss: score.loss, score: score.score)
  }

  package func gradients(
    of model: Model, batches: Int, batchSize: Int, seed: UInt64, body: ((String) -> Tensor?) throws -> Void
  ) throws -> Double {
    let session = try session(model, nil)
    let source = EpochBatches(count: rows.targets.count, size: batchSize, seed: seed)
    var loss = TrainingLoss()
    for step in 0..<batches {
      let chosen = source.rows(step: step)
      loss += try session.accumulate(batch(chosen, of: model), targets(chosen, share: 0, seed: seed, step: step))
      try body { session.gradient($0) }
      session.discardGradients()
    }
    return loss.mean
  }
}

/// Batches by the number of a step: epoch after epoch, each a shuffle of its own.
final class EpochBatches {
  private let order: EpochOrder
  private let size: Int
  private var epoch = -1
  private var batches: [[Int]] = []

  init(count: Int, size: Int, seed: UInt64) {
    order = EpochOrder(count: count, seed: seed)
    self.size = size
  }

  func rows(step: Int) -> [Int] {
    let perEpoch = (order.count + size - 1) / size
    let own = step / max(perEpoch, 1)
    if own != epoch {
      epoch = own
      batches = order.batches(epoch: own, size: size)
    }
    return batches[step % max(perEpoch, 1)]
  }
}
