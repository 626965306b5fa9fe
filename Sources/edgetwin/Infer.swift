import ArgumentParser
import Kernels
import Workbench

extension OutputHead: ExpressibleByArgument {}
extension KernelPrecision: ExpressibleByArgument {}

struct Infer: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a model on token ids or texts.",
    discussion: """
        edgetwin infer --model my-model --input sentences.jsonl --head mean
        echo '{"id":1,"text":"A fine day."}' | \\
          edgetwin infer --model my-model --input - --head classifier

      Reads {"id","input_ids":[…],"token_type_ids":[…]} or {"id","text":…,"pair":…}, a line each, and prints \
      {"id","shape":[…],"values":[…]} in order. Nothing is padded, so that what a sentence is batched with changes \
      nothing, and any number of threads gives the same bits. Tokens that an "attention_mask" leaves out on the right are not run.
      """)

  @Option(help: "Model folder: config.json, model.safetensors and, for texts, a tokeniser's files.")
  var model: String

  @Option(help: "JSON Lines; - is standard input.")
  var input: String

  @Option(help: "classifier (a score a label), mlm (a score a word at each token), hidden (last layer) or mean.")
  var head: OutputHead = .classifier

  @Option(help: "Threads that share the work.")
  var threads: Int = 1

  @Option(help: "Sequences run at once.")
  var batchSize: Int = 8

  @Option(help: "fp32, or int8: 8-bit weights and activations where the processor has instructions for them.")
  var precision: KernelPrecision = .fp32

  @Flag(help: "Say on standard error what multiplies the matrices and what memory was planned.")
  var verbose = false

  func validate() throws {
    guard (1...256).contains(threads) else { throw ValidationError("--threads must be from 1 to 256") }
    guard (1...65_536).contains(batchSize) else { throw ValidationError("--batch-size must be from 1 to 65536") }
  }

  func run() throws {
    let inference = try Inference(
      folder: model, input: input, head: head, batchSize: batchSize,
      options: SessionOptions(threads: threads, precision: precision))
    if verbose {
      let plan = inference.memoryPlan
      Console.say(
        "\(inference.matrixLibrary): weights \(plan.weightBytes) bytes, activations \(plan.activationBytes) bytes")
    }
    try inference.run { try Console.write($0) }
  }
}
