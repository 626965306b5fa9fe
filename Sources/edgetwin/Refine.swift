import Architectures
import ArgumentParser
import Foundation
import GrowAndPrune
import ModelFiles
import Studies
import Text
import Training
import Workbench

struct Refine: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Grow and prune a model within a device's budget (GPTran).",
    discussion: """
        edgetwin refine sst2 --device rpi4-cpu --runtime native --task sst2 --train train.tsv --dev dev.tsv \\
          --max-latency 20ms --profile short --seed 1 --output refined
        edgetwin refine pretrained --device rpi4-cpu --task mlm --corpus books.txt --max-energy 0.2J --output refined
        edgetwin refine sst2 --device rpi4-cpu --task sst2 --train train.tsv --dev dev.tsv --output refined --resume

      The root is a model folder with a tokeniser: this project's, or Hugging Face's of a BERT encoder. Children are \
      its neighbours: heads, feed-forward layers and layers grown, heads, neurons, channels and layers pruned; each \
      inherits its parent's weights part by part and is trained, and only children whose predicted costs keep the \
      budget are. A root above the budget is pruned towards it first. Where --task is mlm, a share of the corpus is \
      held out; for other tasks --dev is what models are chosen by.

      Written to the output folder: best/ (the selected model), tree.jsonl (a row a node), tree.svg, and what --resume \
      goes on from, to the same result. Profiles: short (minutes for a small model), published (hundreds of thousands \
      of steps), or a YAML file (schema edgetwin.refinement/1; what it leaves out is as in its base: short or \
      published).
      """)

  @Argument(help: ArgumentHelp("Model folder of the root.", valueName: "folder"))
  var model: String

  @OptionGroup(title: "Device") var twin: TwinOptions
  @OptionGroup(title: "Budget") var budgets: BudgetOptions

  @Option(help: "mlm, or a task such as sst2.")
  var task: String

  @Option(help: ArgumentHelp("Rows to learn from.", valueName: "tsv"))
  var train: String?

  @Option(help: ArgumentHelp("Rows that models are chosen by.", valueName: "tsv"))
  var dev: String?

  @Option(help: ArgumentHelp("Texts for mlm, comma-separated, a text a line.", valueName: "a,b"), transform: listed)
  var corpus: [String] = []

  @Option(help: "Every so many-th line of the corpus is held out; as in pre-training, so that no model has seen it.")
  var heldOutEvery = 50

  @Option(help: ArgumentHelp("short, published, or the path of a YAML file.", valueName: "name-or-file"))
  var profile = "short"

  @Option(help: "What a classifier that the root lacks reads: first or mean; by default what the model says.")
  var pooling: Pooling?

  @Option(help: "Tokens of the longest row or sequence in training; longer ones are cut.")
  var trainingLength: Int?

  @Option(help: "Seed of everything that is drawn.")
  var seed: UInt64 = 0

  @Option(help: "Threads that train; the result does not depend on them. By default one a core.")
  var trainingThreads: Int?

  @Option(help: ArgumentHelp("Folder to write.", valueName: "folder"))
  var output: String

  @Flag(help: "Go on with the folder's refinement; begin one where there is none.")
  var resume = false

  @Option(
    name: .customLong("study"),
    help: ArgumentHelp("File of a study: it keeps the tree too, by the output folder's name.", valueName: "s.db"))
  var studyFile: String?

  @OptionGroup var format: FormatOption

  private static let masked = "mlm"
  private var isMasked: Bool { task.lowercased() == Self.masked }

  func validate() throws {
    if isMasked {
      guard !corpus.isEmpty else { throw ValidationError("--task mlm needs --corpus, a text file") }
      guard train == nil, dev == nil else { throw ValidationError("--train and --dev go with tasks, not with mlm") }
    } else {
      guard TextTask.named(task) != nil else {
        let known = ([Self.masked] + TextTask.all.map(\.id)).joined(separator: ", ")
        throw ValidationError("\"\(task)\" is no task; take one of \(known)")
      }
      guard corpus.isEmpty else { throw ValidationError("--corpus goes with --task mlm") }
    }
    if budgets.minAccuracy != nil {
      throw ValidationError("--min-accuracy is no budget here: the most accurate model within the others is selected")
    }
    guard heldOutEvery >= 2 else { throw ValidationError("--held-out-every must be 2 or more") }
    if let trainingThreads, !(1...256).contains(trainingThreads) {
      throw ValidationError("--training-threads must be from 1 to 256")
    }
    if let trainingLength, !(3...1_000_000).contains(trainingLength) {
      throw ValidationError("--training-length must be 3 or more")
    }
  }

  func run() async throws {
    let configuration = try RefinementConfiguration(profile: profile)
    let study = try studyFile.map { try Study.open($0) }
    defer { study?.close() }
    let root = try Model.open(folder: model)
    let tokenizer = try TokenizerFolder.open(model)
    let twin = try twin.request().twin()
    let length = min(trainingLength ?? (isMasked ? 64 : 128), root.architecture.maximumPositions)
    let (trainer, data) = try trainer(tokenizer, length: length)
    let limits = CostLimits(
      latencySeconds: budgets.maxLatency, energyJoules: budgets.maxEnergy, peakPowerWatts: budgets.maxPower,
      memoryBytes: budgets.maxMemory, parameters: budgets.maxParameters)
    let costs = CostModel(twin, confidence: budgets.confidence ?? 0.5)
    let settings = twin.settings
    let predicted = try costs.costs(root.architecture).map { "\($0.latencySeconds) s a sequence" } ?? "does not fit"
    let inputs: [(name: String, value: String)] = [
      ("task", task.lowercased()), ("data", data), ("root's weights", Self.hash(root.weights)),
      ("pooling", pooling?.rawValue ?? "the model's"), ("training length", "\(length)"),
      ("confidence", "\(budgets.confidence ?? 0.5)"),
      (
        "device",
        "\(twin.device.id), \(twin.runtime), batch \(settings.batchSize), \(settings.sequenceLength) tokens, threads \(settings.threads ?? 0): \(predicted)"
      ),
    ]
    let store = RefinementStore(folder: output)
    let scoreName =
      isMasked ? nil : TextTask.named(task).map { $0.metrics.count == 1 ? $0.metrics[0].rawValue : "score" }
    let (seed, resumes) = (seed, resume)
    let refinementTrainer = Confined(trainer)
    let outcome = try await Interrupt.cancelling { () throws -> RefinementOutcome? in
      let display = RefinementDisplay(scoreName: scoreName)
      let refinement = Refinement(
        root: root, configuration: configuration, limits: limits, costs: costs, trainer: refinementTrainer.value,
        store: store, seed: seed, inputs: inputs, tell: { try display.show($0) })
      do {
        return try refinement.run(resumes: resumes)
      } catch is CancellationError {
        return nil
      }
    }
    Console.endProgress()
    guard let outcome else {
      Console.say("\(output): stopped; the same command with --resume goes on from there")
      throw ExitCode(Failure.interrupted)
    }
    try TokenizerFolder.copy(from: model, to: store.bestFolder)
    if isMasked { try? FileManager.default.removeItem(atPath: Self.tokens(store)) }
    try study?.keep(outcome, name: URL(filePath: output).lastPathComponent)
    if format.format == .table {
      try Console.write(RefinementText(outcome, scoreName: scoreName).text)
    } else {
      try Console.write(RefinementText.records(outcome), format: format.format)
    }
    Console.say("\(store.bestFolder): the selected model; \(output)/tree.svg: the tree")
  }

  /// The trainer, and a hash of the data that it trains and judges with.
  private func trainer(_ tokenizer: any Tokenizer, length: Int) throws -> (any ChildTrainer, String) {
    let threads = trainingThreads ?? min(max(ProcessInfo.processInfo.activeProcessorCount, 1), 256)
    guard let known = TextTask.named(task), !isMasked else {
      let store = RefinementStore(folder: output)
      try store.makeFolder()
      // The corpus's tokens are written before the refinement takes the folder for itself.
      try FolderLock(output).release()
      let trainer = try MaskedTrainer(
        corpus: corpus, tokenizer: tokenizer, cache: Self.tokens(store), maximumLength: length,
        heldOutEvery: heldOutEvery, threads: threads)
      return (trainer, trainer.dataHash)
    }
    let rows = try TaskOption.rows(known, train, of: .train, flag: "--train")
    let judged = try TaskOption.rows(known, dev, of: .dev, flag: "--dev")
    let trainer = TaskTrainer(
      train: rows, dev: judged, tokenizer: tokenizer, pooling: pooling, maximumLength: length, threads: threads)
    return (trainer, TaskData.hash([rows, judged]))
  }

  /// The corpus's tokens, kept while they are needed.
  private static func tokens(_ store: RefinementStore) -> String { store.path("corpus.tokens") }

  private static func hash(_ weights: ModelWeights) -> String {
    var hash = StableHash()
    for name in weights.names {
      hash.combine(name.utf8)
      weights[name]?.withUnsafeFloats { hash.combine(UnsafeRawBufferPointer($0)) }
    }
    return String(hash.value, radix: 16)
  }
}

/// Hands a value to the one task that uses it from then on.
private struct Confined<Value>: @unchecked Sendable {
  let value: Value

  init(_ value: Value) { self.value = value }
}
