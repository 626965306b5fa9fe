import ArgumentParser
import CoSearch
import Foundation
import Studies
import Workbench

struct StudyCreate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Make a study of a problem.",
    discussion: """
        edgetwin study create s.db --problem p.yaml --seed 1

      The space and the device files are put into the study, so that it stays what it is when those change.
      """)

  @Argument(help: "File of the study, which must not exist yet.")
  var file: String

  @Option(help: "File of a problem (YAML), or - for standard input.")
  var problem: String

  @Option(help: "Seed of the trials.")
  var seed: UInt64 = 1

  @Option(
    help: ArgumentHelp(
      "What proposes the trials: \(StudyAsking.samplerNames.joined(separator: ", ")).", valueName: "name"))
  var sampler: String = StudyAsking.standardSampler

  @Option(help: "Runtime of every device; by default each device's own.")
  var runtime: String?

  @Option(help: "Probability of the intervals.")
  var level: Double = 0.9

  func validate() throws {
    guard level > 0, level < 1 else { throw ValidationError("--level must be above 0 and below 1, such as 0.9") }
    guard StudyAsking.samplerNames.contains(sampler) else {
      throw ValidationError(
        "no sampler is called \"\(sampler)\"; there are \(StudyAsking.samplerNames.joined(separator: ", "))")
    }
  }

  func run() throws {
    let document = try ProblemDocument(file: problem)
    let setup = try SearchSetup(
      document.problem, document: document, library: .standard(), runtime: runtime, level: level)
    let study = try SearchSetup.study(file, [setup], seed: seed, sampler: sampler)
    study.close()
    Console.say("made \(file): \(setup.twins.count) devices, seed \(seed), sampler \(sampler)")
  }
}
