import Architectures
import Foundation
import Kernels
import ModelFiles
import Text

/// Trains a model's encoder and a classifier on the rows of a task.
public struct FineTuning: Sendable {
  public struct Options: Sendable, Hashable {
    public var epochs: Int
    public var batchSize: Int
    /// Rows whose activations are in memory at once; nil for the batch.
    public var microBatchSize: Int?
    /// Longer rows are cut.
    public var sequenceLength: Int
    public var learningRate: Double
    public var warmUpShare: Double
    public var weightDecay: Double
    public var dropout: Double
    /// What the classifier reads; nil for what the model says.
    public var pooling: Pooling?
    public var seed: UInt64
    public var threads: Int

    public init(
      epochs: Int, batchSize: Int = 32, microBatchSize: Int? = nil, sequenceLength: Int = 128,
      learningRate: Double = 1e-4, warmUpShare: Double = 0.1, weightDecay: Double = 0.01, dropout: Double = 0.1,
      pooling: Pooling? = nil, seed: UInt64 = 0, threads: Int = 1
    ) {
      self.epochs = epochs
      self.batchSize = batchSize
      self.microBatchSize = microBatchSize
      self.sequenceLength = sequenceLength
      self.learningRate = learningRate
      self.warmUpShare = warmUpShare
      self.weightDecay = weightDecay
      self.dropout = dropout
      self.pooling = pooling
      self.seed = seed
      self.threads = threads
    }
  }

  public let options: Options
  public let task: TextTask
  private let folder: String
  private let model: Model
  private let tokenizer: any Tokenizer
  private let rows: EncodedRows
  private let dev: TaskData?
  private let head: TrainingHead

  /// - Parameters:
  ///   - folder: model folder with a tokeniser. A classifier for as many labels goes on learning; another is replaced.
  ///   - dev: rows that the model is judged by after each epoch.
  /// - Throws: `InputFileError`, `ModelFileError`, `TextError`.
  public init(folder: String, train: TaskData, dev: TaskData? = nil, options: Options) throws {
    let opened = try Model.open(folder: folder).arranged(for: train.task)
    let pooling = options.pooling ?? opened.pooling
    task = train.task
    if case .regression = task.kind { head = .regression(pooling) } else { head = .classification(pooling) }
    var model = opened.prepared(for: head, labels: task.labelCount, seed: options.seed)
    model.pooling = pooling
    model.labelNames = task.labelNames
    self.model = model
    tokenizer = try TokenizerFolder.open(folder)
    rows = EncodedRows(
      train, tokenizer: tokenizer,
      maximumLength: min(options.sequenceLength, model.architecture.maximumPositions))
    try rows.check(model.architecture, source: folder)
    self.folder = folder
    self.dev = dev
    self.options = options
  }

  private var stepsPerEpoch: Int { (rows.targets.count + options.batchSize - 1) / options.batchSize }

  /// Trains, and writes the model's folder: weights, configuration, the tokeniser's files, and `log.jsonl`.
  ///
  /// - Parameters:
  ///   - judged: told the score on the dev rows after each epoch, counted from 1.
  ///   - progress: told after every step; false stops the run after a checkpoint.
  /// - Returns: false where the folder had the trained model already.
  /// - Throws: ``TrainingStopped``, `InputFileError`, `TextError`, `KernelError`, `ModelFileError` (also where another run is at work in the
  ///   folder).
  public func run(
    _ run: TrainingRunOptions, judged: @escaping (Int, TaskScore) -> Void = { _, _ in },
    progress: @escaping (TrainingProgress) -> Bool = { _ in true }
  ) throws -> Bool {
    try TrainingRun.makeFolder(run.output)
    let lock = try FolderLock(run.output)
    AtomicFile.removeLeftovers(in: run.output)
    defer { lock.release() }
    let session = try TrainingSession(
      model: model, head: head,
      options: TrainingOptions(
        threads: options.threads, dropout: options.dropout, seed: options.seed,
        optimiser: AdamWOptions(epsilon: 1e-6, weightDecay: options.weightDecay)))
    let total = options.epochs * stepsPerEpoch
    let order = EpochOrder(count: rows.targets.count, seed: options.seed)
    var known: (epoch: Int, batches: [[Int]]) = (-1, [])
    func trained() -> Model {
      var trained = session.model()
      trained.labels = task.labelCount
      trained.pooling = model.pooling
      trained.labelNames = model.labelNames
      return trained
    }
    return try TrainingRun(
      session: session,
      schedule: LearningRateSchedule(
        peak: options.learningRate, warmUpSteps: Int((options.warmUpShare * Double(total)).rounded()), totalSteps: total
      ),
      identity: identity, options: run,
      batches: { step in
        let epoch = step / stepsPerEpoch
        if known.epoch != epoch { known = (epoch, order.batches(epoch: epoch, size: options.batchSize)) }
        return try micro(known.batches[step % stepsPerEpoch])
      },
      judgement: { step in
        guard let dev, (step + 1) % stepsPerEpoch == 0 else { return nil }
        let score = try TaskEvaluation(model: trained(), tokenizer: tokenizer, threads: options.threads).score(dev)
        judged((step + 1) / stepsPerEpoch, score)
        return "\"epoch\":\((step + 1) / stepsPerEpoch),\"dev\":\(score.json)"
      },
      progress: progress,
      finish: {
        try trained().write(folder: run.output)
        if URL(filePath: folder).standardizedFileURL != URL(filePath: run.output).standardizedFileURL {
          try TokenizerFolder.copy(from: folder, to: run.output)
        }
      }
    ).run()
  }

  private func micro(_ chosen: [Int]) throws -> [(TokenBatch, TrainingTargets)] {
    let part = options.microBatchSize ?? options.batchSize
    let types = model.architecture.typeVocabularySize
    return try stride(from: 0, to: chosen.count, by: part).map { start in
      let own = Array(chosen[start..<min(start + part, chosen.count)])
      return (try rows.batch(own, typeVocabularySize: types), rows.targets(own))
    }
  }

  private var identity: RunIdentity {
    var hash = StableHash()
    for (sequence, target) in zip(rows.sequences, rows.targets) {
      hash.combine(sequence.flatMap { id in (0..<4).map { UInt8(truncatingIfNeeded: id >> (8 * $0)) } } + [0])
      hash.combine(Array("\(target)".utf8))
    }
    return RunIdentity(members: [
      ("kind", "finetune"), ("task", task.id), ("architecture", model.architecture.id),
      ("weights", model.weights.stableHash), ("rows", String(hash.value, radix: 16)),
      ("epochs", "\(options.epochs)"), ("batch size", "\(options.batchSize)"),
      ("micro-batch size", "\(options.microBatchSize ?? options.batchSize)"),
      ("sequence length", "\(options.sequenceLength)"), ("learning rate", "\(options.learningRate)"),
      ("warm-up", "\(options.warmUpShare)"), ("weight decay", "\(options.weightDecay)"),
      ("dropout", "\(options.dropout)"), ("pooling", model.pooling.rawValue), ("seed", "\(options.seed)"),
    ])
  }
}
