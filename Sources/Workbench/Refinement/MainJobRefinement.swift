import Architectures
import Foundation
import GrowAndPrune
import ModelFiles
import Numerics
import Text
import Training
import Twins

/// The last part of the main job: a small root in the manner of a finalist is trained for a task, then grown and pruned within a budget that
/// this machine's twin predicts.
package struct MainJobRefinement: Sendable {
  package struct Options: Sendable {
    /// Rows to learn from, and rows that models are chosen and judged by, half each.
    package var train: TaskData
    package var dev: TaskData
    package var profile: RefinementConfiguration
    package var trainingSeconds: Double
    package var refiningSeconds: Double
    /// Steps of the root's training in place of a time; the profile's steps then stay as they are, and the result is the same everywhere.
    package var trainingSteps: Int?
    /// How many times lower the latency is to be than the root's.
    package var speedUp: Double
    package var seed: UInt64
    package var threads: Int
    /// Where `root/` and `refined/` are written.
    package var folder: String

    package init(
      train: TaskData, dev: TaskData, profile: RefinementConfiguration, trainingSeconds: Double,
      refiningSeconds: Double, trainingSteps: Int? = nil, speedUp: Double = 1.5, seed: UInt64, threads: Int,
      folder: String
    ) {
      self.train = train
      self.dev = dev
      self.profile = profile
      self.trainingSeconds = trainingSeconds
      self.refiningSeconds = refiningSeconds
      self.trainingSteps = trainingSteps
      self.speedUp = speedUp
      self.seed = seed
      self.threads = threads
      self.folder = folder
    }
  }

  package enum Event: Sendable {
    /// Something that takes its time begins.
    case note(String)
    case training(TrainingProgress)
    case refining(RefinementEvent)
  }

  package let options: Options
  package let twin: Twin
  private static let batchSize = 32
  private static let vocabularySize = 4_096
  /// Tokens of the longest training row.
  private static let length = 64
  private static let mostEpochs = 12
  /// Rows that children learn from: a teacher answers them all first.
  private static let mostRefiningRows = 16_000
  /// Rows of each half of dev.
  private static let mostJudgingRows = 2_000

  package init(_ options: Options, twin: Twin) {
    self.options = options
    self.twin = twin
  }

  package var rootFolder: String { options.folder + "/root" }
  package var refinedFolder: String { options.folder + "/refined" }

  /// Rows of dev in two halves: one chooses, one judges what was chosen.
  var halves: (choosing: TaskData, judging: TaskData) {
    let rows = shuffled(options.dev, seed: 1)
    let count = min(rows.count / 2, Self.mostJudgingRows)
    func part(_ rows: ArraySlice<TaskData.Row>) -> TaskData {
      TaskData(task: options.dev.task, source: options.dev.source, rows: Array(rows))
    }
    // One row cannot be halved.
    guard count > 0 else { return (options.dev, options.dev) }
    return (part(rows[..<count]), part(rows[count..<min(2 * count, rows.count)]))
  }

  /// Tables come sorted by label now and then: parts of them are drawn.
  private func shuffled(_ data: TaskData, seed: UInt64) -> [TaskData.Row] {
    EpochOrder(count: data.rows.count, seed: options.seed &+ seed << 32).rows(epoch: 0).map { data.rows[Int($0)] }
  }

  /// Trains and refines; the task that runs it can be cancelled.
  ///
  /// - Parameter finalist: whose manner the root has.
  /// - Throws: `CancellationError`, ``TrainingStopped``, `RefinementError` (not `unreachable`), `TwinError`, and what reading, training and
  ///   writing throw.
  package func run(_ finalist: Architecture, tell: @escaping (Event) throws -> Void) throws -> RefinementReport {
    let rows = TaskData(task: options.train.task, source: options.train.source, rows: shuffled(options.train, seed: 0))
    let (choosing, judging) = halves
    try tell(.note("learning a vocabulary of \(rows.rows.count) texts"))
    let initial = options.folder + "/initial"
    defer { try? FileManager.default.removeItem(atPath: initial) }
    let choice = try makeRoot(finalist, rows: rows.rows, folder: initial)
    let (steps, secondsPerStep) = try trainRoot(from: initial, rows: rows, architecture: choice.architecture, tell)
    let tokenizer = try TokenizerFolder.open(rootFolder)
    let root = try Model.open(folder: rootFolder)
    let evaluationSeconds = try seconds {
      _ = try TaskEvaluation(model: root, tokenizer: tokenizer, threads: options.threads).score(choosing)
    }
    try Task.checkCancellation()
    let (profile, scale) = fitted(secondsPerStep, evaluationSeconds: evaluationSeconds)
    let trainer = TaskTrainer(
      train: TaskData(
        task: rows.task, source: rows.source, rows: Array(rows.rows.prefix(Self.mostRefiningRows))),
      dev: choosing, tokenizer: tokenizer, pooling: nil,
      maximumLength: min(Self.length, root.architecture.maximumPositions), threads: options.threads)
    let begin = ContinuousClock.now
    let found = try refine(root, profile: profile, trainer: trainer, tell)
    let refiningSeconds = begin.duration(to: .now) / .seconds(1)
    func side(_ model: Model) throws -> RefinementReport.Side {
      RefinementReport.Side(
        prediction: try twin.predict(model.architecture), architecture: model.architecture,
        score: try TaskEvaluation(model: model, tokenizer: tokenizer, threads: options.threads).score(judging))
    }
    let best = found.flatMap { found in
      found.outcome.best == 0 ? nil : RefinementStore(folder: refinedFolder).bestFolder
    }
    return RefinementReport(
      twin: twin, finalist: finalist.id, cuts: choice.cuts, data: options.train.source, root: try side(root),
      refined: try best.map { try side(Model.open(folder: $0)) }, expected: judging.rows.map(\.target),
      choosingRows: choosing.rows.count, trainingSteps: steps, trainingSeconds: Double(steps) * secondsPerStep,
      outcome: found?.outcome, speedUp: found?.speedUp, wantedSpeedUp: options.speedUp,
      refiningSeconds: refiningSeconds,
      stepScale: scale)
  }

  // MARK: Root

  /// Writes a fresh root with its tokeniser into a folder.
  private func makeRoot(_ finalist: Architecture, rows: [TaskData.Row], folder: String) throws -> RootChoice {
    var learner = try WordPieceTrainer(vocabularySize: Self.vocabularySize)
    for row in rows {
      learner.add(row.text)
      if let pair = row.pair { learner.add(pair) }
    }
    let vocabulary = try learner.train { _ in }
    let choice = RootChoice(
      finalist, vocabularySize: vocabulary.vocabulary.count, positions: max(twin.settings.sequenceLength, Self.length))
    try Model.initialised(choice.architecture, labels: nil, maskedLanguageModel: false, seed: options.seed)
      .write(folder: folder)
    try vocabulary.write(folder: folder)
    try Task.checkCancellation()
    return choice
  }

  /// Trains it for the time or the steps that were asked for; gives the steps and the seconds of each.
  private func trainRoot(
    from folder: String, rows: TaskData, architecture: Architecture, _ tell: @escaping (Event) throws -> Void
  ) throws -> (steps: Int, secondsPerStep: Double) {
    let most = Self.mostEpochs * max(rows.rows.count / Self.batchSize, 1)
    var steps = options.trainingSteps ?? 0
    if options.trainingSteps == nil {
      let probe = options.folder + "/probe"
      defer { try? FileManager.default.removeItem(atPath: probe) }
      let pace = try train(from: folder, to: probe, rows, steps: 14, architecture: architecture) { _ in }
      steps = min(max(Int(options.trainingSeconds / pace.secondsPerStep), 20), most)
    }
    try tell(.note("training the root, \(architecture.id), for \(steps) steps"))
    return try train(from: folder, to: rootFolder, rows, steps: steps, architecture: architecture) {
      try tell(.training($0))
    }
  }

  /// About so many steps: whole epochs where there is more than one.
  private func train(
    from folder: String, to output: String, _ rows: TaskData, steps: Int, architecture: Architecture,
    _ tell: @escaping (TrainingProgress) throws -> Void
  ) throws -> (steps: Int, secondsPerStep: Double) {
    let perEpoch = (rows.rows.count + Self.batchSize - 1) / Self.batchSize
    let epochs = max(Int((Double(steps) / Double(perEpoch)).rounded()), 1)
    let used = steps < perEpoch ? Array(rows.rows.prefix(steps * Self.batchSize)) : rows.rows
    let width = architecture.layers.map(\.hiddenSize).max() ?? 0
    let tuning = try FineTuning(
      folder: folder, train: TaskData(task: rows.task, source: rows.source, rows: used),
      options: FineTuning.Options(
        epochs: epochs, batchSize: Self.batchSize, sequenceLength: Self.length,
        learningRate: width > 128 ? 5e-4 : 1e-3, pooling: .mean, seed: options.seed, threads: options.threads))
    // The first steps grow buffers and wake threads: they are not counted.
    let skipped = 3
    var (done, begin, last) = (0, ContinuousClock.now, ContinuousClock.now)
    _ = try tuning.run(
      TrainingRunOptions(output: output, resumes: false),
      progress: { progress in
        done = progress.step
        last = .now
        if done == skipped { begin = last }
        return (try? tell(progress)) != nil && !Task.isCancelled
      })
    try Task.checkCancellation()
    let counted = max(done - skipped, 1)
    return (done, max(begin.duration(to: last) / .seconds(1) / Double(counted), 1e-6))
  }

  private func seconds(_ body: () throws -> Void) rethrows -> Double {
    let begin = ContinuousClock.now
    try body()
    return begin.duration(to: .now) / .seconds(1)
  }

  // MARK: Refinement

  /// The profile with its steps cut to the time, never lengthened; and by how much.
  private func fitted(
    _ secondsPerStep: Double, evaluationSeconds: Double
  ) -> (profile: RefinementConfiguration, scale: Double) {
    guard options.trainingSteps == nil else { return (options.profile, 1) }
    let most = options.profile.most
    let rounds = options.profile.approach.rounds + options.profile.rounds
    // Judged at birth and when trained; a round's importance takes batches forward and back, and so does the teacher once.
    let teacher = Double(min(options.train.rows.count, Self.mostRefiningRows) / Self.batchSize) / 3
    let judging = Double(2 * most.models + 2) * evaluationSeconds
    let scoring = (Double(rounds * options.profile.importanceBatches) + teacher) * secondsPerStep
    let room = max(options.refiningSeconds - judging - scoring, options.refiningSeconds / 4)
    let scale = min(room / (Double(max(most.steps, 1)) * secondsPerStep), 1)
    return (options.profile.scalingSteps(by: scale), scale)
  }

  /// Refines within the latency that was asked for, or where pruning cannot reach it, within a looser one; nil where it reaches none.
  private func refine(
    _ root: Model, profile: RefinementConfiguration, trainer: TaskTrainer, _ tell: @escaping (Event) throws -> Void
  ) throws -> (outcome: RefinementOutcome, speedUp: Double)? {
    let costs = CostModel(twin)
    guard let latency = try costs.costs(root.architecture)?.latencySeconds else { return nil }
    let end = ContinuousClock.now + .seconds(options.refiningSeconds)
    let isTimed = options.trainingSteps == nil
    for share in [1, 0.5, 0.25] {
      let speedUp = 1 + (options.speedUp - 1) * share
      let refinement = Refinement(
        root: root, configuration: profile, limits: CostLimits(latencySeconds: latency / speedUp), costs: costs,
        trainer: trainer, store: RefinementStore(folder: refinedFolder), seed: options.seed,
        tell: { event in
          try Task.checkCancellation()
          try tell(.refining(event))
        }, isOver: { isTimed && ContinuousClock.now > end })
      do {
        let outcome = try refinement.run(resumes: false)
        try TokenizerFolder.copy(from: rootFolder, to: RefinementStore(folder: refinedFolder).bestFolder)
        return (outcome, speedUp)
      } catch RefinementError.unreachable {
        try? FileManager.default.removeItem(atPath: refinedFolder)
        try tell(.note("\(Self.shown(speedUp))× lower latency is out of reach of pruning"))
      }
    }
    return nil
  }

  static func shown(_ factor: Double) -> String { String(format: "%.2f", factor) }
}
