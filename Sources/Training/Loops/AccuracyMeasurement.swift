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
  /// the tokeniser. What is given twice is trained once.
  ///
  /// - Parameters:
  ///   - resumes: keeps the rows that are there, which must be of the same recipe, and goes on with the model that was being trained; without it a
  ///     folder with rows is an error.
  ///   - began: told the number of a model, from 0, of how many.
  /// - Throws: ``TrainingStopped``, ``AccuracyMeasurementError``, `InputFileError` (before anything is trained where an architecture is at
  ///   fault), `TextError`, `KernelError`, `ModelFileError` (also where another process is at work in the folder).
  public func run(
    _ architectures: [Architecture], seeds: [UInt64], resumes: Bool, began: (Int, Int) -> Void = { _, _ in },
    progress: @escaping (TrainingProgress) -> Bool = { _ in true }
  ) throws {
    try TrainingRun.makeFolder(output)
    let lock = try FolderLock(output)
    defer { lock.release() }
    AtomicFile.removeLeftovers(in: output)
    let path = "\(output)/\(Self.rowsName)"
    var rows = FileManager.default.fileExists(atPath: path) ? try Self.lines(path) : []
    guard resumes || rows.isEmpty else { throw AccuracyMeasurementError.alreadyBegun(folder: output, rows: rows.count) }
    let tokenizer = try TokenizerFolder.open(tokenizerFolder)
    let recipe = try recipe(tokenizer)
    var done = try Set(rows.compactMap { try Self.finished($0, source: path, recipe: recipe, of: self) })
    let fitting = try architectures.map { architecture in
      var architecture = architecture
      architecture.vocabularySize = tokenizer.vocabularySize
      try Pretraining.check(architecture, tokenizer: tokenizer, source: tokenizerFolder, options: pretraining)
      return architecture
    }
    var number = 0
    for architecture in fitting {
      for seed in seeds {
        began(number, fitting.count * seeds.count)
        number += 1
        guard done.insert("\(architecture.id) \(seed)").inserted else { continue }
        let folder = "\(output)/\(architecture.id)-\(seed)"
        rows += try measure(
          architecture, seed: seed, recipe: recipe, folder: folder, resumes: resumes, progress: progress)
        // The whole file, so that it never ends within a row.
        try OutputFile.write(rows.map { $0 + "\n" }.joined(), to: path)
        if !keepsModels { try? FileManager.default.removeItem(atPath: folder) }
      }
    }
  }

  private func measure(
    _ architecture: Architecture, seed: UInt64, recipe: Recipe, folder: String, resumes: Bool,
    progress: @escaping (TrainingProgress) -> Bool
  ) throws -> [String] {
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
        "\"loss_items\":\(judgement.items)", "\"recipe\":\(recipe.json)",
      ]
      let last = isLast ? members + ["\"seconds\":\(JSONText.number((seconds * 10).rounded() / 10))"] : []
      return "{" + (common + last).joined(separator: ",") + "}"
    }
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
  ///
  /// - Throws: `InputFileError`, ``AccuracyMeasurementError`` where the row is of another recipe.
  private static func finished(
    _ line: String, source: String, recipe: Recipe, of measurement: AccuracyMeasurement
  ) throws -> String? {
    let fields = try FieldReader(JSONParser.document([UInt8](line.utf8), source: source), source: source)
    try fields.checkSchema(schema)
    let count = 0...Int.max
    let options = measurement.pretraining
    let total = try fields.integer("total_steps", in: count)
    let isLast = try fields.integer("steps", in: count) == total
    var pairs = [
      ("total_steps", "\(total)", "\(options.steps)"),
      ("batch_size", "\(try fields.integer("batch_size", in: count))", "\(options.batchSize)"),
      ("sequence_length", "\(try fields.integer("sequence_length", in: count))", "\(options.sequenceLength)"),
    ]
    if isLast {
      pairs.append(("task", try fields.optionalString("task") ?? "none", measurement.task?.train.task.id ?? "none"))
    }
    // Rows of before recipes were written say nothing of theirs.
    if let value = fields["recipe"] {
      let known = try FieldReader(value, source: source, path: "recipe")
      pairs += try recipe.members.map { ($0.name, try known.optionalString($0.name) ?? "none", $0.value) }
    }
    for (name, was, isNow) in pairs where was != isNow {
      throw AccuracyMeasurementError.otherRecipe(folder: measurement.output, name: name, was: was, isNow: isNow)
    }
    return isLast ? "\(try fields.string("id")) \(try fields.integer("seed", in: count))" : nil
  }

  // MARK: Recipe

  /// What results depend on besides architecture, seed, steps, batch size and length, by name.
  private struct Recipe {
    var members: [(name: String, value: String)]

    var json: String {
      "{" + members.map { "\"\($0.name)\":\(JSONText.quoted($0.value))" }.joined(separator: ",") + "}"
    }
  }

  private func recipe(_ tokenizer: any Tokenizer) throws -> Recipe {
    var recipe = Recipe(members: [
      ("corpus", String(try TokenCorpus.key(of: corpus, tokenizer: tokenizer), radix: 16)),
      ("learning_rate", "\(pretraining.learningRate)"),
      ("held_out_every", pretraining.heldOutEvery.map(String.init) ?? "none"),
    ])
    if let task {
      recipe.members += [
        ("train", TaskData.hash([task.train])), ("dev", TaskData.hash([task.dev])), ("epochs", "\(task.epochs)"),
        ("task_learning_rate", "\(task.learningRate)"), ("pooling", task.pooling.rawValue),
      ]
    }
    return recipe
  }
}
