import Architectures
import ArgumentParser
import ModelFiles

struct Init: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a model folder with initial weights.",
    discussion: """
        edgetwin sample --count 1 --seed 1 > a.json
        edgetwin init --architecture a.json --labels 2 --seed 1 --output model

      Writes config.json and model.safetensors; a model that is there is replaced, other files in the folder stay. The same \
      seed gives the same weights.
      """)

  @Option(help: "File of one architecture, or - for standard input.")
  var architecture: String

  @Option(help: "Width of the classifier (regression: 1); by default there is none.")
  var labels: Int?

  @Flag(help: "With the masked-LM head, its decoder tied to the word embeddings where the widths allow it.")
  var maskedLanguageModel = false

  @Option(help: "Seed of the weights.")
  var seed: UInt64 = 0

  @Option(help: ArgumentHelp("Folder to write; made where it does not exist.", valueName: "folder"))
  var output: String

  func validate() throws {
    if let labels, !(1...1_000_000).contains(labels) {
      throw ValidationError("--labels must be from 1 to 1000000")
    }
  }

  func run() throws {
    let only = try ArchitectureReader.one(architecture)
    try Model.initialised(only, labels: labels, maskedLanguageModel: maskedLanguageModel, seed: seed)
      .write(folder: output)
    Console.say("\(output): \(only.id), \(only.parameterCount(.native).total) parameters")
  }
}
