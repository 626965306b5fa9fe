import Architectures
import Foundation
import Kernels
import ModelFiles
import Training

/// The steps of one child's training, with a checkpoint every few minutes.
struct TrainingLoop {
  let session: TrainingSession
  let recipe: TrainingRecipe
  /// Path of the checkpoint.
  let checkpoint: String
  /// A task's value, so that tests need not wait.
  @TaskLocal static var secondsBetweenCheckpoints = 120.0
  /// Losses are logged so often, and the last five count.
  private static let stepsPerLog = 10
  private static let countedLogs = 5

  /// What a checkpoint must be of.
  private var key: String { "\(recipe) \(session.architecture.id) \(session.head)" }

  /// Trains from the first step, or from the checkpoint's.
  ///
  /// - Parameter batches: the micro-batches of a step, counted from 0.
  /// - Returns: the mean of the last logged losses; NaN without a step.
  func run(
    batches: (Int) throws -> [(TokenBatch, TrainingTargets)], progress: (Int) throws -> Void
  ) throws -> Double {
    let schedule = LearningRateSchedule(
      peak: recipe.learningRate, warmUpSteps: recipe.warmUpSteps, totalSteps: recipe.steps)
    var losses: [Double] = []
    var first = 0
    if let kept = try load() {
      (first, losses) = (kept.step, kept.losses)
      try session.restore(kept.state)
    }
    var saved = ContinuousClock.now
    for step in first..<max(recipe.steps, first) {
      for (batch, targets) in try batches(step) { try session.accumulate(batch, targets) }
      losses.append(try session.step(learningRate: schedule.rate(step: step)).loss.mean)
      if losses.count > Self.stepsPerLog * Self.countedLogs { losses.removeFirst() }
      if step + 1 < recipe.steps, saved.duration(to: .now) > .seconds(Self.secondsBetweenCheckpoints) {
        try save(step: step + 1, losses: losses)
        saved = .now
      }
      try progress(step + 1)
    }
    return losses.isEmpty ? .nan : losses.reduce(0, +) / Double(losses.count)
  }

  // MARK: Checkpoint

  private static let schema = "edgetwin.child_checkpoint/1"

  private func save(step: Int, losses: [Double]) throws {
    let header =
      "{\"schema\":\"\(Self.schema)\",\"key\":\(JSONText.quoted(key)),\"step\":\(step),"
      + "\"losses\":\(JSONText.list(losses.map { "\"\($0)\"" }))}\n"
    do {
      var file = try AtomicFile(path: checkpoint)
      try file.write(header.utf8)
      try session.state().withUnsafeBytes { try file.write($0) }
      try file.finish()
    } catch {
      throw RefinementError.output("\(error)")
    }
  }

  /// Nil where there is none, or it is of another training: then this one begins anew.
  private func load() throws -> (step: Int, losses: [Double], state: Data)? {
    guard let file = try? Data(contentsOf: URL(filePath: checkpoint), options: .alwaysMapped),
      let end = file.prefix(1 << 16).firstIndex(of: 0x0A),
      let value = try? JSONParser.document([UInt8](file[..<end]), source: checkpoint),
      let fields = try? FieldReader(value, source: checkpoint), (try? fields.checkSchema(Self.schema)) != nil,
      try fields.string("key") == key
    else { return nil }
    let losses = try fields.list("losses", count: 0...1_000).compactMap(\.string).compactMap(Double.init)
    return (try fields.integer("step", in: 0...recipe.steps), losses, Data(file[(end + 1)...]))
  }
}
