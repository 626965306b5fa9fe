import Architectures
import Foundation
import ModelFiles
import Text

/// Trains architectures one after another with the same budget and records what each reaches: the rows that an accuracy predictor learns from.
public struct AccuracyMeasurement: Sendable {
  /// How each model is trained on the task after pre-training.
  public struct TaskBudget: Sendable {
    public var train: TaskData
    public var dev: TaskData
    public var epochs: Int
    public var learningRate: Double
    public var pooling: Pooling

    public init(train: TaskData, dev: TaskData, epochs: Int, learningRate: Double, pooling: Pooling) {
      self.train = train
      self.dev = dev
      self.epochs = epochs
      self.learningRate = learningRate
      self.pooling = pooling
    }
  }

  public let corpus: [String]
  public let tokenizerFolder: String
  /// Seed and threads of each run; every n-th line must be held out.
  public let pretraining: Pretraining.Options
  public let task: TaskBudget?
  /// Folder of `rows.jsonl`, and of the models while they are trained.
  public let output: String
  /// Leaves the models in their folders.
  public let keepsModels: Bool

  public init(
    corpus: [String], tokenizerFolder: String, pretraining: Pretraining.Options, task: TaskBudget?, output: String,
    keepsModels: Bool = false
  ) {
    self.corpus = corpus
    self.tokenizerFolder = tokenizerFolder
    self.pretraining = pretraining
    self.task = task
    self.output = output
    self.keepsModels = keepsModels
  }

  static let rowsName = "rows.jsonl"
  private static let schema = "edgetwin.accuracy/1"

  /// Trains every architecture with every seed, and appends a row a judgement to `rows.jsonl`: the last has the task's score. Architectures get the vocabulary of
  /// the tokeniser.
  ///
  /// - Parameters:
  ///   - resumes: keeps the rows that are there, and goes on with the model that was being trained; else begins anew.
  ///   - began: told the number of a model, from 0, of how many.
  /// - Throws: ``TrainingStopped``, `InputFileError`, `TextError`, `KernelError`, `ModelFileError` (also where another process is at work in
  ///   the folder).
  public func run(
    _ architectures: [Architecture], seeds: [UInt64], resumes: Bool, began: (Int, Int) -> Void = { _, _ in },
    progress: @escaping (TrainingProgress) -> Bool = { _ in true }
  ) throws {
    try TrainingRun.makeFolder(output)
    let lock = try FolderLock(output)
    defer { lock.release() }
    let path = "\(output)/\(Self.rowsName)"
    var rows = resumes && FileManager.default.fileExists(atPath: path) ? try Self.lines(path) : []
    let done = try Set(rows.compactMap { try Self.finished($0, source: path) })
    let vocabularySize = try TokenizerFolder.open(tokenizerFolder).vocabularySize
    var number = 0
    for architecture in architectures {
      var architecture = architecture
      architecture.vocabularySize = vocabularySize
      for seed in seeds {
        began(number, architectures.count * seeds.count)
        number += 1
        guard !done.contains("\(architecture.id) \(seed)") else { continue }
        rows += try measure(architecture, seed: seed, resumes: resumes, progress: progress)
        // The whole file, so that it never ends within a row.
        try OutputFile.write(rows.map { $0 + "\n" }.joined(), to: path)
      }
    }
  }

  private func measure(
    _ architecture: Architecture, seed: UInt64, resumes: Bool, progress: @escaping (TrainingProgress) -> Bool
  ) throws -> [String] {
    let folder = "\(output)/\(architecture.id)-\(seed)"
    var options = pretraining
    options.seed = seed
    let model = Model.initialised(architecture, labels: nil, maskedLanguageModel: true, seed: seed)
    let begin = ContinuousClock.now
    _ = try Pretraining(model: model, tokenizerFolder: tokenizerFolder, options: options).run(
      corpus: corpus, TrainingRunOptions(output: folder, resumes: resumes), progress: progress)
    var members: [String] = []
    if let task {
      let tuned = folder + "/tuned"
      let tuning = try FineTuning(
        folder: folder, train: task.train,
        options: FineTuning.Options(
          epochs: task.epochs, sequenceLength: min(128, architecture.maximumPositions),
          learningRate: task.learningRate, pooling: task.pooling, seed: seed, threads: options.threads))
      _ = try tuning.run(TrainingRunOptions(output: tuned, resumes: resumes), progress: progress)
      let score = try TaskEvaluation(folder: tuned, threads: options.threads).score(task.dev)
      let metrics = score.metrics.map { "\"\($0.metric.rawValue)\":\(JSONText.number($0.value))" }
      members = [
        "\"task\":\"\(score.task.id)\"", "\"task_loss\":\(JSONText.number(score.loss))",
        "\"score\":\(JSONText.number(score.score))", "\"metrics\":{\(metrics.joined(separator: ","))}",
      ]
    }
    let seconds = (ContinuousClock.now - begin).inSeconds
    let judgements = try Self.judgements(folder)
    let rows = judgements.map { judgement in
      let isLast = judgement.step == options.steps
      let common = [
        "\"schema\":\"\(Self.schema)\"", "\"architecture\":\(architecture.jsonLine)", "\"id\":\"\(architecture.id)\"",
        "\"parameters\":\(architecture.parameterCount(.native).total)", "\"seed\":\(seed)",
        "\"steps\":\(judgement.step)", "\"total_steps\":\(options.steps)", "\"batch_size\":\(options.batchSize)",
        "\"sequence_length\":\(options.sequenceLength)", "\"loss\":\(JSONText.number(judgement.loss))",
        "\"loss_items\":\(judgement.items)",
      ]
      let last = isLast ? members + ["\"seconds\":\(JSONText.number((seconds * 10).rounded() / 10))"] : []
      return "{" + (common + last).joined(separator: ",") + "}"
    }
    if !keepsModels { try? FileManager.default.removeItem(atPath: folder) }
    return rows
  }

  /// What the log of a pre-training says of the held-out lines.
  private static func judgements(_ folder: String) throws -> [(step: Int, loss: Double, items: Int)] {
    let path = "\(folder)/\(TrainingLog.name)"
    var lines = try LineReader(path: path)
    var result: [(step: Int, loss: Double, items: Int)] = []
    while let (number, bytes) = try lines.next() {
      let fields = try FieldReader(JSONParser.document(bytes, source: path, line: number), source: path)
      guard let loss = try fields.optionalNumber("held_out_loss", in: 0...1e9) else { continue }
      let count = 0...Int.max
      result.append((try fields.integer("step", in: count), loss, try fields.integer("items", in: count)))
    }
    return result
  }

  private static func lines(_ path: String) throws -> [String] {
    var lines = try LineReader(path: path)
    var result: [String] = []
    while let (_, bytes) = try lines.next() { result.append(String(decoding: bytes, as: UTF8.self)) }
    return result
  }

  /// Architecture and seed of a model's last row; nil for another row.
  private static func finished(_ line: String, source: String) throws -> String? {
    let fields = try FieldReader(JSONParser.document([UInt8](line.utf8), source: source), source: source)
    try fields.checkSchema(schema)
    let count = 0...Int.max
    guard try fields.integer("steps", in: count) == fields.integer("total_steps", in: count) else { return nil }
    return "\(try fields.string("id")) \(try fields.integer("seed", in: count))"
  }
}
