import ArgumentParser
import Foundation
import Training

/// What all commands that train have in common.
struct TrainingOptionGroup: ParsableArguments {
  @Option(help: "Seed of fresh weights, order, masks and dropout.")
  var seed: UInt64 = 0

  @Option(help: "Threads that share the work; the result does not depend on them. By default one a core.")
  var threads: Int?

  @Option(help: "Share of the steps in which the learning rate rises; then it falls to 0 in a line.")
  var warmUp = 0.1

  @Option(help: "AdamW's weight decay.")
  var weightDecay = 0.01

  @Option(help: "Share of activations that dropout takes out.")
  var dropout = 0.1

  @Option(
    help: "Rows whose activations are in memory at once: a batch's gradients are gathered in parts. By default all.")
  var microBatchSize: Int?

  @Option(help: ArgumentHelp("Folder to write: model, tokeniser, log.jsonl, and a checkpoint.", valueName: "folder"))
  var output: String

  @Flag(help: "Go on from the folder's checkpoint, to the same bits; without one, begin.")
  var resume = false

  @Option(help: "Steps between checkpoints; by default one every two minutes.")
  var checkpointSteps: Int?

  func validate() throws {
    if let threads, !(1...256).contains(threads) { throw ValidationError("--threads must be from 1 to 256") }
    guard (0...1).contains(warmUp) else { throw ValidationError("--warm-up must be from 0 to 1") }
    guard weightDecay >= 0, weightDecay.isFinite else { throw ValidationError("--weight-decay must not be negative") }
    guard dropout >= 0, dropout < 1 else { throw ValidationError("--dropout must be from 0 to below 1") }
    if let size = microBatchSize, size < 1 { throw ValidationError("--micro-batch-size must be 1 or more") }
    if let steps = checkpointSteps, steps < 1 { throw ValidationError("--checkpoint-steps must be 1 or more") }
  }

  var threadCount: Int { threads ?? min(max(ProcessInfo.processInfo.activeProcessorCount, 1), 256) }

  var runOptions: TrainingRunOptions {
    TrainingRunOptions(output: output, resumes: resume, checkpointSteps: checkpointSteps)
  }

  static func check(learningRate: Double, batchSize: Int, sequenceLength: Int, steps: Int = 1) throws {
    guard (1...1_000_000_000).contains(steps) else { throw ValidationError("--steps must be from 1 to 1000000000") }
    guard learningRate > 0, learningRate < 10 else {
      throw ValidationError("--learning-rate must be above 0, such as 1e-4")
    }
    guard (1...65_536).contains(batchSize) else { throw ValidationError("--batch-size must be from 1 to 65536") }
    guard (3...1_000_000).contains(sequenceLength) else { throw ValidationError("--sequence-length must be 3 or more") }
  }
}

/// Shows a run's progress on a terminal, a few times a second, and asks it to stop when its task is cancelled.
final class TrainingDisplay {
  private var last = ContinuousClock.now - .seconds(1)

  func show(_ progress: TrainingProgress) -> Bool {
    if ContinuousClock.now - last > .milliseconds(200) {
      last = .now
      Console.progress(progress.line)
    }
    return !Task.isCancelled
  }
}
