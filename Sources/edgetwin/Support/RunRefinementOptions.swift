import ArgumentParser
import Foundation
import GrowAndPrune
import Training
import Workbench

/// The last part of `run`: what is trained, and for how long.
struct RunRefinementOptions: ParsableArguments {
  @Flag(
    inversion: .prefixedNo,
    help: "Train a small model like the fastest finalist of this machine, and grow and prune it within a budget.")
  var refine: Bool?

  @Option(help: "Task that it is trained for; by default wordnet, which needs no files.", transform: TaskOption.task)
  var task: TextTask?

  @Option(help: ArgumentHelp("Rows to learn from.", valueName: "tsv"))
  var train: String?

  @Option(help: ArgumentHelp("Rows that models are chosen and judged by, half each.", valueName: "tsv"))
  var dev: String?

  @Option(help: ArgumentHelp("short, published, or the path of a YAML file.", valueName: "name-or-file"))
  var profile = "short"

  @Option(help: "How many times lower than the root's the latency is to be.")
  var speedUp = 1.5

  @Option(help: "Time to train and refine, two parts in five for the root.", transform: Quantities.duration)
  var refinementTime: Double = 150

  @Option(help: "Steps of the root's training in place of a time; the profile's steps then stay whole.")
  var trainingSteps: Int?

  @Option(help: ArgumentHelp("Folder for the models, the tree and the report.", valueName: "folder"))
  var output: String?

  func validate() throws {
    guard speedUp > 1, speedUp <= 100 else { throw ValidationError("--speed-up must be above 1, such as 1.5") }
    if let trainingSteps, !(1...10_000_000).contains(trainingSteps) {
      throw ValidationError("--training-steps must be 1 or more")
    }
    guard task != nil || (train == nil && dev == nil) else { throw ValidationError("--train and --dev need --task") }
    if let task, task != .wordnet, train == nil || dev == nil {
      throw ValidationError("--task \(task.id) needs --train and --dev")
    }
    guard refine != false || (task == nil && output == nil) else {
      throw ValidationError("--no-refine leaves nothing to do for --task and --output")
    }
  }

  /// True where a flag that only refining needs asks for it.
  var isAskedFor: Bool { refine ?? (task != nil || output != nil) }

  /// What refining needs, read before anything else is done; nil, said why, where nothing was named and WordNet is not there.
  func inputs() throws -> (train: TaskData, dev: TaskData, profile: RefinementConfiguration)? {
    let configuration = try RefinementConfiguration(profile: profile)
    if let output { try Self.check(output) }
    if task == nil, !FileManager.default.fileExists(atPath: WordNet.standardFolder + "/data.noun") {
      Console.say(
        "nothing is trained and refined: no --task is named, and WordNet is not installed (on Debian: apt-get install"
          + " wordnet-base)")
      return nil
    }
    let task = task ?? .wordnet
    return (
      try TaskOption.rows(task, train, of: .train, flag: "--train"),
      try TaskOption.rows(task, dev, of: .dev, flag: "--dev"), configuration
    )
  }

  private static func check(_ folder: String) throws {
    for part in ["root", "refined"] where FileManager.default.fileExists(atPath: "\(folder)/\(part)") {
      throw UsageError("\(folder) holds \(part) of another run: name another folder")
    }
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch { throw OutputError(description: "\(folder): cannot be made a folder: \(error.localizedDescription)") }
  }
}
