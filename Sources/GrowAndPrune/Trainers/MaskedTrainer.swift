import Architectures
import Foundation
import Kernels
import ModelFiles
import Text
import Training

/// Trains children as masked language models on a corpus; some of its sequences are held out.
package final class MaskedTrainer: ChildTrainer {
  /// Of the corpus and the tokeniser's vocabulary.
  package let dataHash: String
  private let sequences: CorpusSequences
  private let heldOut: MaskedLanguageModelEvaluation
  private let masking: TokenMasking
  private let threads: Int
  /// Held-out sequences that a model is judged by.
  private static let mostHeldOut = 512

  /// - Parameters:
  ///   - corpus: text files, a text a line.
  ///   - cache: where the corpus's tokens are kept.
  ///   - maximumLength: tokens of a sequence.
  ///   - heldOutEvery: every so many-th line is held out, as in pre-training.
  /// - Throws: `InputFileError` where the tokeniser has no mask token or the corpus has too little text, `TextError`, `ModelFileError`.
  package init(
    corpus: [String], tokenizer: any Tokenizer, cache: String, maximumLength: Int, heldOutEvery: Int, threads: Int
  ) throws {
    guard let masking = TokenMasking(tokenizer) else {
      throw InputFileError(source: "tokeniser", problem: "has no mask token ([MASK] or <mask>)")
    }
    self.masking = masking
    self.threads = threads
    let tokens = try TokenCorpus.open(corpus, tokenizer: tokenizer, cache: cache)
    dataHash = "\(String(tokens.key, radix: 16)), every \(heldOutEvery) lines held out"
    sequences = CorpusSequences(
      tokens, maximumLength: maximumLength, part: .training(heldOutEvery: heldOutEvery), masking: masking)
    let out = CorpusSequences(
      tokens, maximumLength: maximumLength, part: .heldOut(every: heldOutEvery), masking: masking)
    guard sequences.count > 0, out.count > 0 else {
      throw InputFileError(
        source: corpus.joined(separator: ","),
        problem: "has \(sequences.count) sequences to train on and \(out.count) held out; give more text, or hold out"
          + " more of it")
    }
    heldOut = MaskedLanguageModelEvaluation(out, masking: masking, limit: Self.mostHeldOut)
  }

  package func prepared(_ model: Model) throws -> Model {
    guard masking.vocabularySize <= model.architecture.vocabularySize else {
      throw InputFileError(
        source: "tokeniser",
        problem: "has \(masking.vocabularySize) tokens; the model's vocabulary has \(model.architecture.vocabularySize)"
      )
    }
    return model.prepared(for: .maskedLanguageModel, seed: 0)
  }

  private func session(_ model: Model, _ recipe: TrainingRecipe?) throws -> TrainingSession {
    try TrainingSession(
      model: model, head: .maskedLanguageModel,
      options: TrainingOptions(
        threads: threads, dropout: recipe?.dropout ?? 0, seed: recipe?.seed ?? 0,
        optimiser: AdamWOptions(epsilon: 1e-6, weightDecay: recipe?.weightDecay ?? 0)))
  }

  private func batch(_ rows: [Int], seed: UInt64, step: Int) throws -> (TokenBatch, TrainingTargets) {
    let masked = masking.masked(rows.map { sequences[$0] }, seed: seed, stream: UInt64(step))
    return (try TokenBatch(sequences: masked.sequences), .words(masked.words, tokens: masked.positions))
  }

  package func train(
    _ model: Model, _ recipe: TrainingRecipe, checkpoint: String, progress: (Int) throws -> Void
  ) throws -> TrainedChild {
    guard recipe.steps > 0 else { return TrainedChild(model: model, trainingLoss: .nan) }
    let session = try session(model, recipe)
    let batches = EpochBatches(count: sequences.count, size: recipe.batchSize, seed: recipe.seed)
    let loss = try TrainingLoop(session: session, recipe: recipe, checkpoint: checkpoint).run(
      batches: { step in [try batch(batches.rows(step: step), seed: recipe.seed, step: step)] },
      progress: progress)
    var trained = model
    trained.weights = session.model().weights
    return TrainedChild(model: trained, trainingLoss: loss)
  }

  package func evaluate(_ model: Model) throws -> HeldOut {
    try HeldOut(loss: heldOut.loss(session(model, nil)).mean, score: nil)
  }

  package func gradients(
    of model: Model, batches: Int, batchSize: Int, seed: UInt64, body: ((String) -> Tensor?) throws -> Void
  ) throws -> Double {
    let session = try session(model, nil)
    let source = EpochBatches(count: sequences.count, size: batchSize, seed: seed)
    var loss = TrainingLoss()
    for step in 0..<batches {
      let (batch, targets) = try batch(source.rows(step: step), seed: seed, step: step)
      loss += try session.accumulate(batch, targets)
      try body { session.gradient($0) }
      session.discardGradients()
    }
    return loss.mean
  }

  /// The corpus alone teaches: a teacher's distribution over the vocabulary at every masked token would cost as much as training.
  package func setTeacher(_ model: Model) throws {}
}
