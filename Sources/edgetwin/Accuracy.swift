import Architectures
import ArgumentParser
import Foundation
import ModelFiles
import Training

struct AccuracyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accuracy", abstract: "Measure accuracy by training, and learn to predict it.",
    discussion: """
        edgetwin accuracy measure --architectures small.jsonl --corpus books.txt --tokenizer tokenizer --steps 1000 --output accuracy
        edgetwin accuracy predict --accuracy measured=accuracy --architectures others.jsonl
      """,
    subcommands: [AccuracyMeasure.self, AccuracyPredict.self])
}

struct AccuracyMeasure: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "measure",
    abstract: "Train architectures with the same budget and record what each reaches.",
    discussion: """
        edgetwin accuracy measure --architectures small.jsonl --corpus books.txt --tokenizer tokenizer --steps 1000 \
      --task sst2 --train train.tsv --dev dev.tsv --output accuracy

      Writes rows.jsonl: for each architecture and seed a row a judgement, with the loss on lines that were kept out of training; the last \
      has the score on the task too. A run that was stopped or killed goes on with --resume, which also adds architectures or seeds to \
      rows of the same recipe. Searches learn from the rows with \
      --accuracy measured=accuracy.
      """)

  @Option(help: "File of architectures; their vocabulary becomes that of the tokeniser.")
  var architectures: String

  @Option(help: ArgumentHelp("Text files, a text a line; several with commas between them.", valueName: "files"))
  var corpus: String

  @Option(help: ArgumentHelp("Folder of a tokeniser.", valueName: "folder"))
  var tokenizer: String

  @Option(help: "Steps of pre-training.")
  var steps: Int

  @Option(help: "Sequences of a step.")
  var batchSize = 32

  @Option(help: "Tokens of the longest sequence.")
  var sequenceLength = 64

  @Option(help: "Peak of the learning rate in pre-training.")
  var learningRate = 1e-3

  @Option(help: "Every n-th line of the corpus is kept out of training, and the models are judged by those.")
  var heldOutEvery = 50

  @Option(help: "Steps between judgements, each a row of less fidelity; by default a quarter of all.")
  var judgementSteps: Int?

  @Option(help: "A task to train each model on afterwards.", transform: TaskOption.task)
  var task: TextTask?

  @Option(help: ArgumentHelp("Rows of the task to learn from.", valueName: "tsv"))
  var train: String?

  @Option(help: ArgumentHelp("Rows of the task to judge by.", valueName: "tsv"))
  var dev: String?

  @Option(help: "How often every row of the task is seen.")
  var epochs = 3

  @Option(help: "Peak of the learning rate on the task.")
  var taskLearningRate = 2e-4

  @Option(help: "What the classifier reads: first or mean.")
  var pooling = Pooling.mean

  @Option(help: "Seeds, with commas between them: each architecture is trained with each.")
  var seeds = "1"

  @Option(help: "Threads that share the work; by default one a core.")
  var threads: Int?

  @Option(help: ArgumentHelp("Folder to write.", valueName: "folder"))
  var output: String

  @Flag(help: "Leave the models in their folders.")
  var keepModels = false

  @Flag(help: "Keep the rows that are there, and go on with the model that was being trained.")
  var resume = false

  func validate() throws {
    guard heldOutEvery >= 2 else { throw ValidationError("--held-out-every must be 2 or more") }
    guard (1...10_000).contains(epochs) else { throw ValidationError("--epochs must be from 1 to 10000") }
    if let judgementSteps, judgementSteps < 1 { throw ValidationError("--judgement-steps must be 1 or more") }
    if let threads, !(1...256).contains(threads) { throw ValidationError("--threads must be from 1 to 256") }
    guard !listed(corpus).isEmpty else { throw ValidationError("--corpus names no file") }
    let numbers = listed(seeds).map { UInt64($0) }
    guard !numbers.isEmpty, numbers.allSatisfy({ $0.map { $0 <= UInt64(Int.max) } ?? false }) else {
      throw ValidationError("--seeds must be whole numbers from 0 to \(Int.max) with commas between them")
    }
    if task == nil, let flag = train != nil ? "--train" : dev != nil ? "--dev" : nil {
      throw ValidationError("\(flag) needs --task")
    }
    for rate in [learningRate, taskLearningRate] {
      try TrainingOptionGroup.check(
        learningRate: rate, batchSize: batchSize, sequenceLength: sequenceLength, steps: steps)
    }
  }

  func run() async throws {
    let threadCount = threads ?? min(max(ProcessInfo.processInfo.activeProcessorCount, 1), 256)
    let options = Pretraining.Options(
      steps: steps, batchSize: batchSize, sequenceLength: sequenceLength, learningRate: learningRate,
      heldOutEvery: heldOutEvery, judgementSteps: judgementSteps ?? max(steps / 4, 1), threads: threadCount)
    let budget = try task.map { task in
      AccuracyMeasurement.TaskBudget(
        train: try TaskOption.rows(task, train, of: .train, flag: "--train"),
        dev: try TaskOption.rows(task, dev, of: .dev, flag: "--dev"), epochs: epochs,
        learningRate: taskLearningRate, pooling: pooling)
    }
    let measurement = AccuracyMeasurement(
      corpus: listed(corpus), tokenizerFolder: tokenizer, pretraining: options, task: budget, output: output,
      keepsModels: keepModels)
    let found = try ArchitectureReader.read(architectures).map(\.architecture)
    let (seeds, resume) = (listed(seeds).compactMap { UInt64($0) }, resume)
    defer { Console.endProgress() }
    try await Interrupt.cancelling {
      let display = TrainingDisplay()
      try measurement.run(
        found, seeds: seeds, resumes: resume,
        began: { index, count in
          Console.endProgress()
          Console.say("model \(index + 1) of \(count)")
        },
        progress: { display.show($0) })
    }
  }
}
