import Architectures
import Foundation
import Kernels
import ModelFiles
import Numerics
import Text

/// Masked-LM training of a model on any text (Devlin et al. 2019).
public struct Pretraining: Sendable {
  public struct Options: Sendable, Hashable {
    public var steps: Int
    /// Sequences of a step.
    public var batchSize: Int
    /// Sequences whose activations are in memory at once; a step's gradients are gathered over as many parts as it takes. Nil for all.
    public var microBatchSize: Int?
    /// Tokens of the longest sequence, special ones among them.
    public var sequenceLength: Int
    public var learningRate: Double
    /// Share of the steps in which the learning rate rises.
    public var warmUpShare: Double
    public var weightDecay: Double
    public var dropout: Double
    /// Every n-th line of the corpus is kept out of training, to judge the model by; nil for none.
    public var heldOutEvery: Int?
    /// Steps between judgements; nil for one after the last step. Needs ``heldOutEvery``.
    public var judgementSteps: Int?
    public var seed: UInt64
    public var threads: Int

    public init(
      steps: Int, batchSize: Int, microBatchSize: Int? = nil, sequenceLength: Int = 64, learningRate: Double = 1e-3,
      warmUpShare: Double = 0.1, weightDecay: Double = 0.01, dropout: Double = 0.1,
      heldOutEvery: Int? = nil, judgementSteps: Int? = nil, seed: UInt64 = 0, threads: Int = 1
    ) {
      self.steps = steps
      self.batchSize = batchSize
      self.microBatchSize = microBatchSize
      self.sequenceLength = sequenceLength
      self.learningRate = learningRate
      self.warmUpShare = warmUpShare
      self.weightDecay = weightDecay
      self.dropout = dropout
      self.heldOutEvery = heldOutEvery
      self.judgementSteps = judgementSteps
      self.seed = seed
      self.threads = threads
    }
  }

  public let options: Options
  private let model: Model
  private let tokenizerFolder: String
  private let tokenizer: any Tokenizer
  private let masking: TokenMasking

  /// - Parameters:
  ///   - model: where training begins; tensors that the masked-LM head needs are added.
  ///   - tokenizerFolder: whose files go into the model's folder.
  /// - Throws: `InputFileError` where tokeniser and model do not go together, `TextError`.
  public init(model: Model, tokenizerFolder: String, options: Options) throws {
    tokenizer = try TokenizerFolder.open(tokenizerFolder)
    guard let masking = TokenMasking(tokenizer) else {
      throw InputFileError(source: tokenizerFolder, problem: "the tokeniser has no mask token ([MASK] or <mask>)")
    }
    try Self.check(model.architecture, tokenizer: tokenizer, source: tokenizerFolder, options: options)
    self.model = model.prepared(for: .maskedLanguageModel, seed: options.seed)
    self.tokenizerFolder = tokenizerFolder
    self.masking = masking
    self.options = options
  }

  /// - Parameter source: how messages call the tokeniser.
  /// - Throws: `InputFileError` where an architecture is not one to be trained with these options.
  static func check(
    _ architecture: Architecture, tokenizer: any Tokenizer, source: String, options: Options
  ) throws {
    guard tokenizer.vocabularySize <= architecture.vocabularySize else {
      throw InputFileError(
        source: source,
        problem: "the tokeniser has \(tokenizer.vocabularySize) tokens; the architecture's vocabulary_size is "
          + "\(architecture.vocabularySize), and must be as many at least")
    }
    guard 3 <= options.sequenceLength, options.sequenceLength <= architecture.maximumPositions else {
      throw InputFileError(
        source: "architecture", field: "maximum_positions",
        problem: "is \(architecture.maximumPositions); sequences of \(options.sequenceLength) tokens do not fit, and"
          + " training needs 3 at least")
    }
  }

  /// Trains, and writes the model's folder: weights, configuration, the tokeniser's files, and `log.jsonl`.
  ///
  /// - Parameters:
  ///   - corpus: text files, a text a line.
  ///   - reading: told how many bytes of text have been tokenised.
  ///   - judged: told the step and the loss on the lines that were kept out.
  ///   - progress: told after every step; false stops the run after a checkpoint.
  /// - Returns: false where the folder had the trained model already.
  /// - Throws: ``TrainingStopped``, `InputFileError`, `TextError`, `KernelError`, `ModelFileError` (also where another run is at work in the
  ///   folder).
  public func run(
    corpus paths: [String], _ run: TrainingRunOptions, reading: (Int) -> Void = { _ in },
    judged: @escaping (Int, TrainingLoss) -> Void = { _, _ in },
    progress: @escaping (TrainingProgress) -> Bool = { _ in true }
  ) throws -> Bool {
    try TrainingRun.makeFolder(run.output)
    let lock = try FolderLock(run.output)
    AtomicFile.removeLeftovers(in: run.output)
    defer { lock.release() }
    let cache = run.output + "/corpus.tokens"
    let corpus = try TokenCorpus.open(paths, tokenizer: tokenizer, cache: cache, progress: reading)
    let length = options.sequenceLength
    let sequences = CorpusSequences(
      corpus, maximumLength: length, part: options.heldOutEvery.map { .training(heldOutEvery: $0) } ?? .all,
      masking: masking)
    let heldOut = options.heldOutEvery.map {
      CorpusSequences(corpus, maximumLength: length, part: .heldOut(every: $0), masking: masking)
    }
    guard sequences.count > 0, heldOut?.count != 0 else {
      let out = heldOut.map { " and \($0.count) to hold out" } ?? ""
      throw InputFileError(
        source: paths.joined(separator: ","),
        problem: "has \(sequences.count) sequences with words of the tokeniser's to train on\(out)"
          + (heldOut == nil ? "" : "; give more text, or hold out another share"))
    }
    let judge = heldOut.map { MaskedLanguageModelEvaluation($0, masking: masking) }
    let session = try TrainingSession(
      model: model, head: .maskedLanguageModel,
      options: TrainingOptions(
        threads: options.threads, dropout: options.dropout, seed: options.seed,
        optimiser: AdamWOptions(epsilon: 1e-6, weightDecay: options.weightDecay)))
    let source = CorpusBatches(sequences: sequences, masking: masking, options: options)
    let trained = try TrainingRun(
      session: session,
      schedule: LearningRateSchedule(
        peak: options.learningRate, warmUpSteps: Int((options.warmUpShare * Double(options.steps)).rounded()),
        totalSteps: options.steps),
      identity: identity(corpus), options: run, batches: { try source.batches(step: $0) },
      judgement: { step in
        let isDue = options.judgementSteps.map { (step + 1) % $0 == 0 } ?? false
        guard let judge, isDue || step + 1 == options.steps else { return nil }
        let loss = try judge.loss(session)
        judged(step + 1, loss)
        return "\"held_out_loss\":\(JSONText.number(loss.mean)),\"items\":\(loss.items),\"correct\":\(loss.correct)"
      },
      progress: progress,
      finish: {
        try session.model().write(folder: run.output)
        try TokenizerFolder.copy(from: tokenizerFolder, to: run.output)
      }
    ).run()
    try? FileManager.default.removeItem(atPath: cache)
    return trained
  }

  private func identity(_ corpus: TokenCorpus) -> RunIdentity {
    RunIdentity(members: [
      ("kind", "pretrain"), ("architecture", model.architecture.id), ("weights", model.weights.stableHash),
      ("corpus and tokenizer", String(corpus.key, radix: 16)), ("steps", "\(options.steps)"),
      ("batch size", "\(options.batchSize)"), ("micro-batch size", "\(options.microBatchSize ?? options.batchSize)"),
      ("sequence length", "\(options.sequenceLength)"), ("learning rate", "\(options.learningRate)"),
      ("warm-up", "\(options.warmUpShare)"), ("weight decay", "\(options.weightDecay)"),
      ("dropout", "\(options.dropout)"), ("held out", options.heldOutEvery.map { "every \($0) lines" } ?? "nothing"),
      ("judged", options.judgementSteps.map { "every \($0) steps" } ?? "at the end"), ("seed", "\(options.seed)"),
    ])
  }
}

/// The masked batches of a corpus, by the number of the step.
private final class CorpusBatches {
  private let sequences: CorpusSequences
  private let masking: TokenMasking
  private let options: Pretraining.Options
  private let order: EpochOrder
  /// Of the last epoch that was asked for, so that it is shuffled once.
  private var epoch = -1
  private var rows: [Int32] = []

  init(sequences: CorpusSequences, masking: TokenMasking, options: Pretraining.Options) {
    self.sequences = sequences
    self.masking = masking
    self.options = options
    order = EpochOrder(count: sequences.count, seed: options.seed)
  }

  private func row(_ position: Int) -> Int {
    let own = position / sequences.count
    if own != epoch {
      epoch = own
      rows = order.rows(epoch: own)
    }
    return Int(rows[position % sequences.count])
  }

  func batches(step: Int) throws -> [(TokenBatch, TrainingTargets)] {
    let start = step * options.batchSize
    let part = options.microBatchSize ?? options.batchSize
    let chosen = (start..<start + options.batchSize).map { sequences[row($0)] }
    let masked = masking.masked(chosen, seed: options.seed, stream: UInt64(step))
    var result: [(TokenBatch, TrainingTargets)] = []
    var (word, token) = (0, 0)
    for first in stride(from: 0, to: chosen.count, by: part) {
      let own = Array(masked.sequences[first..<min(first + part, chosen.count)])
      let end = token + own.reduce(0) { $0 + $1.count }
      var targets: (words: [Int32], tokens: [Int32]) = ([], [])
      while word < masked.words.count, Int(masked.positions[word]) < end {
        targets.words.append(masked.words[word])
        targets.tokens.append(masked.positions[word] - Int32(token))
        word += 1
      }
      result.append((try TokenBatch(sequences: own), .words(targets.words, tokens: targets.tokens)))
      token = end
    }
    return result
  }
}

extension ModelWeights {
  /// Of names, shapes and numbers: the same for the same weights, wherever they come from.
  var stableHash: String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for name in names {
      for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
      self[name]?.withUnsafeFloats { floats in
        for value in floats { hash = (hash ^ UInt64(value.bitPattern)) &* 0x100_0000_01B3 }
      }
    }
    return String(hash, radix: 16)
  }
}
