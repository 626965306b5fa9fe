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
  /// Steps of the root's training between checkpoints: some seconds.
  private static let checkpointSteps = 100
  /// Tokens of the longest training row.
  private static let length = 64
  private static let mostEpochs = 12
  /// Rows that children learn from: a teacher answers them all first.
  private static let mostRefiningRows = 16_000
  /// Rows of each half of dev.
  private static let mostJudgingRows = 2_000
  /// The first steps grow buffers and wake threads: they are not counted.
  private static let skippedSteps = 3

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
  /// - Parameters:
  ///   - begun: how far it has come; what is in the folder by then is gone on with.
  ///   - keep: told how far it has come, before what follows.
  /// - Throws: `CancellationError`, ``TrainingStopped``, `RefinementError` (not `unreachable`), `TwinError`, and what reading, training and
  ///   writing throw.
  package func run(
    from begun: MainJobPlan.Progress, keep: @escaping (MainJobPlan.Progress) throws -> Void = { _ in },
    tell: @escaping (Event) throws -> Void
  ) throws -> RefinementReport {
    var progress = begun
    let rows = TaskData(task: options.train.task, source: options.train.source, rows: shuffled(options.train, seed: 0))
    let (choosing, judging) = halves
    let choice = try rootChoice(&progress, rows: rows, keep: keep, tell)
    let pace = try TrainingPace(folder: rootFolder, skipping: Self.skippedSteps)
    let tokenizer = try TokenizerFolder.open(rootFolder)
    let root = try Model.open(folder: rootFolder)
    if progress.stepShare == nil {
      let evaluationSeconds = try seconds {
        _ = try TaskEvaluation(model: root, tokenizer: tokenizer, threads: options.threads).score(choosing)
      }
      try Task.checkCancellation()
      progress.stepShare = stepShare(pace.secondsPerStep, evaluationSeconds: evaluationSeconds)
      try keep(progress)
    }
    let share = progress.stepShare ?? 1
    let trainer = TaskTrainer(
      train: TaskData(
        task: rows.task, source: rows.source, rows: Array(rows.rows.prefix(Self.mostRefiningRows))),
      dev: choosing, tokenizer: tokenizer, pooling: nil,
      maximumLength: min(Self.length, root.architecture.maximumPositions), threads: options.threads)
    let profile = share < 1 ? options.profile.scalingSteps(by: share) : options.profile
    let found = try refine(root, profile: profile, trainer: trainer, &progress, keep: keep, tell)
    func side(_ model: Model) throws -> RefinementReport.Side {
      RefinementReport.Side(
        prediction: try twin.predict(model.architecture), architecture: model.architecture,
        score: try TaskEvaluation(model: model, tokenizer: tokenizer, threads: options.threads).score(judging))
    }
    let best = found.flatMap { found in
      found.outcome.best == 0 ? nil : RefinementStore(folder: refinedFolder).bestFolder
    }
    return RefinementReport(
      twin: twin, finalist: progress.finalist.id, cuts: choice.cuts, data: options.train.source, root: try side(root),
      refined: try best.map { try side(Model.open(folder: $0)) }, expected: judging.rows.map(\.target),
      choosingRows: choosing.rows.count, trainingSteps: pace.steps,
      trainingSeconds: Double(pace.steps) * pace.secondsPerStep, outcome: found?.outcome, speedUp: found?.speedUp,
      wantedSpeedUp: options.speedUp, refiningSeconds: progress.refiningSeconds, stepScale: share)
  }

  // MARK: Root

  /// The root's choice, once it is trained.
  private func rootChoice(
    _ progress: inout MainJobPlan.Progress, rows: TaskData, keep: (MainJobPlan.Progress) throws -> Void,
    _ tell: @escaping (Event) throws -> Void
  ) throws -> RootChoice {
    if progress.isRootTrained, let trained = try? Model.open(folder: rootFolder) {
      try tell(.note("the root is trained already"))
      return choice(progress.finalist, vocabularySize: trained.architecture.vocabularySize)
    }
    try tell(.note("learning a vocabulary of \(rows.rows.count) texts"))
    let initial = options.folder + "/initial"
    defer { try? FileManager.default.removeItem(atPath: initial) }
    let choice = try makeRoot(progress.finalist, rows: rows.rows, folder: initial)
    if progress.rootSteps == nil {
      progress.rootSteps = try rootSteps(from: initial, rows: rows, architecture: choice.architecture)
      try keep(progress)
    }
    let steps = progress.rootSteps ?? 1
    try tell(.note("training the root, \(choice.architecture.id), for \(steps) steps"))
    try train(from: initial, to: rootFolder, rows, steps: steps, architecture: choice.architecture, resumes: true) {
      try tell(.training($0))
    }
    progress.isRootTrained = true
    try keep(progress)
    return choice
  }

  private func choice(_ finalist: Architecture, vocabularySize: Int) -> RootChoice {
    RootChoice(
      finalist, vocabularySize: vocabularySize, positions: max(twin.settings.sequenceLength, Self.length))
  }

  /// Writes a fresh root with its tokeniser into a folder.
  private func makeRoot(_ finalist: Architecture, rows: [TaskData.Row], folder: String) throws -> RootChoice {
    var learner = try WordPieceTrainer(vocabularySize: Self.vocabularySize)
    for row in rows {
      learner.add(row.text)
      if let pair = row.pair { learner.add(pair) }
    }
    let vocabulary = try learner.train { _ in }
    let choice = choice(finalist, vocabularySize: vocabulary.vocabulary.count)
    try Model.initialised(choice.architecture, labels: nil, maskedLanguageModel: false, seed: options.seed)
      .write(folder: folder)
    try vocabulary.write(folder: folder)
    try Task.checkCancellation()
    return choice
  }

  /// Steps to train the root for: those that were asked for, or as many as the time has.
  private func rootSteps(from folder: String, rows: TaskData, architecture: Architecture) throws -> Int {
    if let steps = options.trainingSteps { return steps }
    let most = Self.mostEpochs * max(rows.rows.count / Self.batchSize, 1)
    let probe = options.folder + "/probe"
    defer { try? FileManager.default.removeItem(atPath: probe) }
    try train(from: folder, to: probe, rows, steps: 14, architecture: architecture, resumes: false) { _ in }
    let pace = try TrainingPace(folder: probe, skipping: Self.skippedSteps)
    return min(max(Int(options.trainingSeconds / pace.secondsPerStep), 20), most)
  }

  /// About so many steps: whole epochs where there is more than one.
  private func train(
    from folder: String, to output: String, _ rows: TaskData, steps: Int, architecture: Architecture, resumes: Bool,
    _ tell: @escaping (TrainingProgress) throws -> Void
  ) throws {
    let perEpoch = (rows.rows.count + Self.batchSize - 1) / Self.batchSize
    let epochs = max(Int((Double(steps) / Double(perEpoch)).rounded()), 1)
    let used = steps < perEpoch ? Array(rows.rows.prefix(steps * Self.batchSize)) : rows.rows
    let width = architecture.layers.map(\.hiddenSize).max() ?? 0
    let tuning = try FineTuning(
      folder: folder, train: TaskData(task: rows.task, source: rows.source, rows: used),
      options: FineTuning.Options(
        epochs: epochs, batchSize: Self.batchSize, sequenceLength: Self.length,
        learningRate: width > 128 ? 5e-4 : 1e-3, pooling: .mean, seed: options.seed, threads: options.threads))
    _ = try tuning.run(
      TrainingRunOptions(output: output, resumes: resumes, checkpointSteps: Self.checkpointSteps),
      progress: { progress in (try? tell(progress)) != nil && !Task.isCancelled })
    try Task.checkCancellation()
  }

  private func seconds(_ body: () throws -> Void) rethrows -> Double {
    let begin = ContinuousClock.now
    try body()
    return begin.duration(to: .now) / .seconds(1)
  }

  // MARK: Refinement

  /// Share of the profile's steps that the time has, 1 at most.
  private func stepShare(_ secondsPerStep: Double, evaluationSeconds: Double) -> Double {
    guard options.trainingSteps == nil else { return 1 }
    let most = options.profile.most
    let rounds = options.profile.approach.rounds + options.profile.rounds
    // Judged at birth and when trained; a round's importance takes batches forward and back, and so does the teacher once.
    let teacher = Double(min(options.train.rows.count, Self.mostRefiningRows) / Self.batchSize) / 3
    let judging = Double(2 * most.models + 2) * evaluationSeconds
    let scoring = (Double(rounds * options.profile.importanceBatches) + teacher) * secondsPerStep
    let room = max(options.refiningSeconds - judging - scoring, options.refiningSeconds / 4)
    return min(room / (Double(max(most.steps, 1)) * secondsPerStep), 1)
  }

  /// Refines within the latency that was asked for, or where pruning cannot reach it, within a looser one; nil where it reaches none.
  private func refine(
    _ root: Model, profile: RefinementConfiguration, trainer: TaskTrainer, _ progress: inout MainJobPlan.Progress,
    keep: @escaping (MainJobPlan.Progress) throws -> Void, _ tell: @escaping (Event) throws -> Void
  ) throws -> (outcome: RefinementOutcome, speedUp: Double)? {
    let costs = CostModel(twin)
    guard let latency = try costs.costs(root.architecture)?.latencySeconds else { return nil }
    let clock = RefiningClock(progress)
    let isTimed = options.trainingSteps == nil
    let store = RefinementStore(folder: refinedFolder)
    defer { progress = clock.progress }
    for share in [1, 0.5, 0.25].dropFirst(progress.unreachableBudgets) {
      let speedUp = 1 + (options.speedUp - 1) * share
      let refinement = Refinement(
        root: root, configuration: profile, limits: CostLimits(latencySeconds: latency / speedUp), costs: costs,
        trainer: trainer, store: store, seed: options.seed,
        tell: { event in
          try Task.checkCancellation()
          try tell(.refining(event))
          if case .finished(_, wasStored: false) = event { try keep(clock.progress) }
        }, isOver: { isTimed && clock.progress.refiningSeconds > options.refiningSeconds })
      do {
        let outcome = try refinement.run(resumes: true)
        try TokenizerFolder.copy(from: rootFolder, to: store.bestFolder)
        return (outcome, speedUp)
      } catch RefinementError.unreachable {
        try? FileManager.default.removeItem(atPath: refinedFolder)
        clock.unreachableBudgets += 1
        try keep(clock.progress)
        try tell(.note("\(Self.shown(speedUp))× lower latency is out of reach of pruning"))
      }
    }
    return nil
  }

  static func shown(_ factor: Double) -> String { String(format: "%.2f", factor) }
}

/// The time that refining takes, over all processes.
private final class RefiningClock {
  private let begun: MainJobPlan.Progress
  private let begin = ContinuousClock.now
  var unreachableBudgets: Int

  init(_ begun: MainJobPlan.Progress) {
    self.begun = begun
    unreachableBudgets = begun.unreachableBudgets
  }

  var progress: MainJobPlan.Progress {
    var progress = begun
    progress.refiningSeconds += begin.duration(to: .now) / .seconds(1)
    progress.unreachableBudgets = unreachableBudgets
    return progress
  }
}
