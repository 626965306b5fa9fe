import ArgumentParser
import Foundation
import ModelFiles
import Training

extension Pooling: ExpressibleByArgument {}

struct Finetune: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a model for a task.",
    discussion: """
        edgetwin finetune --model minilm --task sst2 --train SST-2/train.tsv --dev SST-2/dev.tsv --epochs 3 \
      --pooling mean --seed 1 --output sst2

      Tasks: \(TextTask.all.map(\.id).joined(separator: ", ")); files as GLUE has them, with a header or without. \
      wordnet needs no file where Debian's wordnet-base is installed. The model that is kept is that of the last epoch.
      """)

  @Option(help: ArgumentHelp("Model folder to begin with, with its tokeniser.", valueName: "folder"))
  var model: String

  @OptionGroup var task: TaskOption

  @Option(help: ArgumentHelp("Rows to learn from.", valueName: "tsv"))
  var train: String?

  @Option(help: ArgumentHelp("Rows to judge the model by after each epoch.", valueName: "tsv"))
  var dev: String?

  @Option(help: "How often every row is seen.")
  var epochs: Int

  @Option(help: "Peak of the learning rate.")
  var learningRate = 1e-4

  @Option(help: "Rows of a step.")
  var batchSize = 32

  @Option(help: "Tokens of the longest row; longer ones are cut.")
  var sequenceLength = 128

  @Option(
    help: "What the classifier reads: first (BERT's pooler) or mean (of all tokens); by default what the model says.")
  var pooling: Pooling?

  @OptionGroup var training: TrainingOptionGroup

  func validate() throws {
    guard (1...10_000).contains(epochs) else { throw ValidationError("--epochs must be from 1 to 10000") }
    try TrainingOptionGroup.check(learningRate: learningRate, batchSize: batchSize, sequenceLength: sequenceLength)
  }

  func run() async throws {
    let options = FineTuning.Options(
      epochs: epochs, batchSize: batchSize, microBatchSize: training.microBatchSize, sequenceLength: sequenceLength,
      learningRate: learningRate, warmUpShare: training.warmUp, weightDecay: training.weightDecay,
      dropout: training.dropout, pooling: pooling, seed: training.seed, threads: training.threadCount)
    let tuning = try FineTuning(
      folder: model, train: task.rows(train, of: .train, flag: "--train"),
      dev: dev == nil ? nil : task.rows(dev, of: .dev, flag: "--dev"), options: options)
    let (kept, folder) = (training.runOptions, training.output)
    defer { Console.endProgress() }
    let trained = try await Interrupt.cancelling {
      let display = TrainingDisplay()
      return try tuning.run(
        kept,
        judged: { epoch, score in
          Console.endProgress()
          Console.say("epoch \(epoch): \(score.line)")
        },
        progress: { display.show($0) })
    }
    Console.endProgress()
    Console.say("\(folder): \(trained ? "trained for \(epochs) epochs" : "was complete already")")
  }
}
