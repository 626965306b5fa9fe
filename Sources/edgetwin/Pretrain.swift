import Architectures
import ArgumentParser
import Foundation
import GrowAndPrune
import ModelFiles
import Training
import Workbench

extension TransferOptions.UnequalSizes: ExpressibleByArgument {}

struct Pretrain: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a model on text: masked words are to be guessed.",
    discussion: """
        edgetwin tokenizer train --corpus books.txt --vocabulary-size 8192 --kind wordpiece --output tokenizer
        edgetwin pretrain --corpus books.txt --architecture a.json --tokenizer tokenizer --steps 5000 --batch-size 64 \
      --seed 1 --output model

        edgetwin pretrain --corpus books.txt --architecture b.json --model model --steps 1000 --batch-size 64 --output wider

      With both an architecture and a model, the architecture begins with what that neighbour has learnt, head by head. A line is a text; longer ones are cut. Nothing is padded. A run that was stopped or killed goes on with --resume and gives \
      the same model, to the bit.
      """)

  @Option(help: ArgumentHelp("Text files, a text a line; several with commas between them.", valueName: "files"))
  var corpus: String

  @Option(help: "File of one architecture.")
  var architecture: String?

  @Option(
    help: ArgumentHelp(
      "A model folder whose weights to begin with: as they are, or handed on to --architecture.", valueName: "folder"))
  var model: String?

  @Option(help: "How parts whose sizes differ are handed on: ordered_copy or random_projection.")
  var transfer: TransferOptions.UnequalSizes?

  @Option(help: ArgumentHelp("Folder of a tokeniser; by default the model's.", valueName: "folder"))
  var tokenizer: String?

  @Option(help: "Steps of the optimiser.")
  var steps: Int

  @Option(help: "Sequences of a step.")
  var batchSize: Int

  @Option(help: "Tokens of the longest sequence; by default 64, or as many as the model takes.")
  var sequenceLength: Int?

  @Option(help: "Peak of the learning rate.")
  var learningRate = 1e-3

  @Option(help: "Every n-th line of the corpus is kept out of training, and the model is judged by those.")
  var heldOutEvery: Int?

  @Option(help: "Steps between judgements; by default there is one, after the last step.")
  var judgementSteps: Int?

  @OptionGroup var training: TrainingOptionGroup

  func validate() throws {
    guard architecture != nil || model != nil else { throw ValidationError("give --architecture or --model") }
    guard transfer == nil || architecture != nil && model != nil else {
      throw ValidationError("--transfer needs --architecture and --model")
    }
    guard tokenizer != nil || model != nil else { throw ValidationError("give --tokenizer") }
    if let every = heldOutEvery, every < 2 { throw ValidationError("--held-out-every must be 2 or more") }
    if let steps = judgementSteps, steps < 1 || heldOutEvery == nil {
      throw ValidationError("--judgement-steps must be 1 or more, and needs --held-out-every")
    }
    guard !listed(corpus).isEmpty else { throw ValidationError("--corpus names no file") }
    try TrainingOptionGroup.check(
      learningRate: learningRate, batchSize: batchSize, sequenceLength: sequenceLength ?? 64, steps: steps)
  }

  private func initialModel() throws -> Model {
    let parent = try model.map { try Model.open(folder: $0) }
    guard let architecture else { return try parent ?? Model.open(folder: "") }
    let own = try ArchitectureReader.one(architecture)
    guard let parent else {
      return Model.initialised(own, labels: nil, maskedLanguageModel: true, seed: training.seed)
    }
    let (child, report) = try Transfer.child(
      ofNeighbour: parent, as: own, unequalSizes: transfer ?? .orderedCopy, seed: training.seed)
    Console.say("\(Humane.percent(report.transferredShare)) of the weights are the neighbour's")
    return child
  }

  func run() async throws {
    let initial = try initialModel()
    let options = Pretraining.Options(
      steps: steps, batchSize: batchSize, microBatchSize: training.microBatchSize,
      sequenceLength: sequenceLength ?? min(64, initial.architecture.maximumPositions), learningRate: learningRate,
      warmUpShare: training.warmUp, weightDecay: training.weightDecay, dropout: training.dropout,
      heldOutEvery: heldOutEvery, judgementSteps: judgementSteps, seed: training.seed, threads: training.threadCount)
    let pretraining = try Pretraining(model: initial, tokenizerFolder: tokenizer ?? model ?? "", options: options)
    let (paths, kept, folder) = (listed(corpus), training.runOptions, training.output)
    defer { Console.endProgress() }
    let trained = try await Interrupt.cancelling {
      let display = TrainingDisplay()
      return try pretraining.run(
        corpus: paths, kept, reading: { Console.progress("\($0 / 1_000_000) MB of text read") },
        judged: { step, loss in
          Console.endProgress()
          let share = TaskScore.shown(Double(loss.correct) / Double(max(loss.items, 1)))
          Console.say(
            "step \(step): held-out loss \(TaskScore.shown(loss.mean)), \(share) of \(loss.items) words right")
        },
        progress: { display.show($0) })
    }
    Console.endProgress()
    Console.say("\(folder): \(trained ? "trained for \(steps) steps" : "was complete already")")
  }
}
