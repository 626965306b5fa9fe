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
  var profile = Self.standardProfile

  @Option(help: "How many times lower than the root's the latency is to be.")
  var speedUp = Self.standardSpeedUp

  @Option(help: "Time to train and refine, two parts in five for the root.", transform: Quantities.duration)
  var refinementTime = Self.standardTime

  @Option(help: "Steps of the root's training in place of a time; the profile's steps then stay whole.")
  var trainingSteps: Int?

  @Option(
    help: ArgumentHelp(
      "Folder for the models, the tree and the report; with --study by default the study's file with .run behind it.",
      valueName: "folder"))
  var output: String?

  private static let standardProfile = "short"
  private static let standardSpeedUp = 1.5
  private static let standardTime = 150.0

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
  ///
  /// - Parameters:
  ///   - studyFile: path of the study that keeps how far it has come.
  ///   - plan: what the study keeps: it is gone on with, unless another folder is named.
  func inputs(studyFile: String?, plan: MainJobPlan?) throws -> RunRefinementInputs? {
    if let plan, output == nil || output.map(Self.absolute) == plan.folder { return try goingOn(plan) }
    let configuration = try RefinementConfiguration(profile: profile)
    let folder = output ?? studyFile.map { $0 + ".run" }
    if let folder { try Self.check(folder) }
    if let output { try Self.make(output) }
    if task == nil, !FileManager.default.fileExists(atPath: WordNet.standardFolder + "/data.noun") {
      Console.say(
        "nothing is trained and refined: no --task is named, and WordNet is not installed (on Debian: apt-get install"
          + " wordnet-base)")
      return nil
    }
    let task = task ?? .wordnet
    let request = MainJobPlan.Request(
      task: task.id, train: train.map(Self.absolute), dev: dev.map(Self.absolute), profile: try configuration.yaml(),
      speedUp: speedUp, refinementSeconds: refinementTime, trainingSteps: trainingSteps)
    return try RunRefinementInputs(
      request: request, configuration: configuration, folder: folder.map(Self.absolute), plan: nil)
  }

  /// What a plan says; flags that were given must say the same.
  private func goingOn(_ plan: MainJobPlan) throws -> RunRefinementInputs {
    let kept = plan.request
    let isStandard = profile == Self.standardProfile
    let asked = MainJobPlan.Request(
      task: task?.id ?? kept.task, train: train.map(Self.absolute) ?? kept.train,
      dev: dev.map(Self.absolute) ?? kept.dev,
      profile: isStandard ? kept.profile : try RefinementConfiguration(profile: profile).yaml(),
      speedUp: speedUp == Self.standardSpeedUp ? kept.speedUp : speedUp,
      refinementSeconds: refinementTime == Self.standardTime ? kept.refinementSeconds : refinementTime,
      trainingSteps: trainingSteps ?? kept.trainingSteps)
    if let flag = asked.difference(from: kept) {
      throw UsageError(
        "the study trains and refines in \(plan.folder) with another \(flag): leave it out, or name another --output to"
          + " begin anew")
    }
    let inputs = try RunRefinementInputs(
      request: kept, configuration: RefinementConfiguration(yaml: kept.profile, name: "the study's profile"),
      folder: plan.folder, plan: plan)
    guard inputs.dataHash == plan.dataHash else {
      throw UsageError(
        "the rows that the study trains and refines on have changed since: bring them back, or name another --output to"
          + " begin anew")
    }
    return inputs
  }

  private static func absolute(_ path: String) -> String {
    path == "-" ? path : URL(filePath: path).standardizedFileURL.path
  }

  private static func check(_ folder: String) throws {
    for part in ["root", "refined"] where FileManager.default.fileExists(atPath: "\(folder)/\(part)") {
      throw UsageError("\(folder) holds \(part) of another run: name another folder by --output")
    }
  }

  private static func make(_ folder: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch { throw OutputError(description: "\(folder): cannot be made a folder: \(error.localizedDescription)") }
  }
}

/// What is trained on, and how.
struct RunRefinementInputs {
  var request: MainJobPlan.Request
  var train: TaskData
  var dev: TaskData
  var configuration: RefinementConfiguration
  var dataHash: String
  /// Where everything is kept; nil for nowhere.
  var folder: String?
  /// What a study has of it already.
  var plan: MainJobPlan?

  /// Reads the rows.
  init(
    request: MainJobPlan.Request, configuration: RefinementConfiguration, folder: String?, plan: MainJobPlan?
  ) throws {
    let task = try TaskOption.task(request.task)
    self.request = request
    self.configuration = configuration
    self.folder = folder
    self.plan = plan
    train = try TaskOption.rows(task, request.train, of: .train, flag: "--train")
    dev = try TaskOption.rows(task, request.dev, of: .dev, flag: "--dev")
    dataHash = TaskData.hash([train, dev])
  }
}
