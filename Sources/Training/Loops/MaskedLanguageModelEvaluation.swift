import Kernels

/// Judges a masked language model by what it makes of sequences that it has not seen, under masks that are the same every time, so that losses of
/// several models compare token by token.
public struct MaskedLanguageModelEvaluation: Sendable {
  private static let seed: UInt64 = 0x6865_6C64
  private static let batchSize = 32

  private let batches: [TokenMasking.Masked]

  /// - Parameters:
  ///   - sequences: of the corpus's lines that were kept out of training.
  ///   - limit: at most so many sequences, spread evenly.
  public init(_ sequences: CorpusSequences, masking: TokenMasking, limit: Int = 2048) {
    let count = min(sequences.count, limit)
    let chosen = (0..<count).map { sequences[$0 * sequences.count / count] }
    batches = stride(from: 0, to: count, by: Self.batchSize).map { start in
      let end = min(start + Self.batchSize, count)
      return masking.masked(Array(chosen[start..<end]), seed: Self.seed, stream: UInt64(start))
    }
  }

  /// Loss over all masked tokens, without dropout; the session stays as it is.
  ///
  /// - Throws: `KernelError`.
  public func loss(_ session: TrainingSession) throws(KernelError) -> TrainingLoss {
    var loss = TrainingLoss()
    for batch in batches {
      let answer = try session.evaluate(
        TokenBatch(sequences: batch.sequences), .words(batch.words, tokens: batch.positions), wantsLogits: false)
      loss += answer.loss
    }
    return loss
  }
}
