import Architectures
import Foundation
import Kernels
import ModelFiles

/// How a run is kept.
public struct TrainingRunOptions: Sendable {
  /// Folder of log, checkpoint and, at the end, the model.
  public var output: String
  /// Goes on from the folder's checkpoint where there is one; else begins anew.
  public var resumes: Bool
  /// Steps between checkpoints; nil for one every two minutes. What is learnt does not depend on it.
  public var checkpointSteps: Int?

  public init(output: String, resumes: Bool = false, checkpointSteps: Int? = nil) {
    self.output = output
    self.resumes = resumes
    self.checkpointSteps = checkpointSteps
  }
}

/// Drives a session through all steps of a run: batches, learning rate, log, checkpoints.
///
/// What a step does depends on the session's state and the step's number alone, so that a run that was killed and resumed
/// gives the same bits as one that was not.
struct TrainingRun {
  private static let checkpointSeconds = 120.0

  let session: TrainingSession
  let schedule: LearningRateSchedule
  let identity: RunIdentity
  let options: TrainingRunOptions
  /// Batches of a step, by its number from 0.
  let batches: (Int) throws -> [(TokenBatch, TrainingTargets)]
  /// What is to be logged after a step besides its loss; nil for nothing.
  let judgement: (Int) throws -> String?
  /// Told after every step; false asks to stop.
  let progress: (TrainingProgress) -> Bool
  /// Writes the model after the last step.
  let finish: () throws -> Void

  /// The steps of a run whose folder, which the caller has locked, says that it is complete are not done again.
  ///
  /// - Returns: whether this call did anything: where it did not, the folder has the model already.
  /// - Throws: ``TrainingStopped``, `InputFileError`, `KernelError`, `ModelFileError`.
  func run() throws -> Bool {
    try Self.makeFolder(options.output)
    var seconds = 0.0
    var first = 0
    var logBytes = 0
    if options.resumes, let checkpoint = try Checkpoint.read(folder: options.output, identity: identity) {
      if checkpoint.step >= schedule.totalSteps, checkpoint.state.isEmpty { return false }
      try session.restore(checkpoint.state)
      (first, seconds, logBytes) = (checkpoint.step, checkpoint.seconds, checkpoint.logBytes)
    } else {
      try? FileManager.default.removeItem(atPath: "\(options.output)/\(Checkpoint.name)")
    }
    var log = try TrainingLog(folder: options.output, byteCount: logBytes)
    var meter = RateMeter()
    var saved = ContinuousClock.now
    let begin = ContinuousClock.now
    for step in first..<max(schedule.totalSteps, first) {
      var tokens = 0
      for (batch, targets) in try batches(step) {
        try session.accumulate(batch, targets)
        tokens += batch.tokenCount
      }
      let done = try session.step(learningRate: schedule.rate(step: step))
      let elapsed = seconds + (ContinuousClock.now - begin).inSeconds
      try log.append(Self.members(done, step: step + 1, tokens: tokens, seconds: elapsed))
      if let text = try judgement(step) { try log.append("\"step\":\(step + 1),\(text)") }
      let goesOn = progress(meter.add(done.loss.mean, tokens: tokens, step: step + 1, of: schedule.totalSteps))
      let isLast = step + 1 == schedule.totalSteps
      let isDue =
        options.checkpointSteps.map { (step + 1) % $0 == 0 }
        ?? ((ContinuousClock.now - saved).inSeconds >= Self.checkpointSeconds)
      if !isLast, isDue || !goesOn {
        try save(step: step + 1, seconds: elapsed, log: log, state: session.state())
        saved = .now
      }
      guard goesOn || isLast else { throw TrainingStopped(step: step + 1, folder: options.output) }
    }
    try finish()
    // Says that the run is complete, and lets go of the state's memory on the disk.
    let elapsed = seconds + (ContinuousClock.now - begin).inSeconds
    try save(step: schedule.totalSteps, seconds: elapsed, log: log, state: Data())
    return true
  }

  private func save(step: Int, seconds: Double, log: TrainingLog, state: Data) throws {
    try log.synchronise()
    try Checkpoint(identity: identity, step: step, seconds: seconds, logBytes: log.byteCount, state: state)
      .write(folder: options.output)
  }

  private static func members(_ done: TrainingStep, step: Int, tokens: Int, seconds: Double) -> String {
    "\"step\":\(step),\"loss\":\(JSONText.number(done.loss.mean)),"
      + "\"learning_rate\":\(JSONText.number(done.learningRate)),"
      + "\"gradient_norm\":\(JSONText.number(done.gradientNorm)),\"items\":\(done.loss.items),\"tokens\":\(tokens),"
      + "\"seconds\":\(JSONText.number((seconds * 1000).rounded() / 1000))"
  }

  static func makeFolder(_ path: String) throws {
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw ModelFileError(kind: .output, source: path, problem: "is no name for a folder")
    }
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw ModelFileError(
        kind: .output, source: path, problem: "cannot be made a folder: \(error.localizedDescription)")
    }
  }
}

/// Rates of this process, and a running mean of the loss.
private struct RateMeter {
  private let begin = ContinuousClock.now
  private var steps = 0
  private var tokens = 0
  private var losses: [Double] = []

  mutating func add(_ loss: Double, tokens more: Int, step: Int, of total: Int) -> TrainingProgress {
    steps += 1
    tokens += more
    losses.append(loss)
    if losses.count > 50 { losses.removeFirst() }
    let elapsed = max((ContinuousClock.now - begin).inSeconds, 1e-9)
    return TrainingProgress(
      step: step, totalSteps: total, loss: losses.reduce(0, +) / Double(losses.count),
      stepsPerSecond: Double(steps) / elapsed, tokensPerSecond: Double(tokens) / elapsed)
  }
}

extension Duration {
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
