import ArgumentParser
import CoSearch
import Foundation
import Studies
import Workbench

/// A study that a command goes on with.
struct StudyOption: ParsableArguments {
  @Option(
    name: .customLong("study"),
    help: ArgumentHelp("File of a study to go on with; where there is none, it is made.", valueName: "s.db"))
  var file: String?

  /// What the study keeps of the last part of a main job; nil where there is none.
  func plan() throws -> MainJobPlan? {
    guard let file else { return nil }
    let study = try Study.open(file)
    defer { study.close() }
    return try MainJobPlan(study)
  }

  /// A study with what it says made ready, or nil where none is asked for.
  /// - Parameters:
  ///   - isProblemGiven: whether flags or a file name a problem, which must then be the study's.
  ///   - seed: nil takes the study's, or 1 for a new one.
  ///   - setups: what the flags ask for; one setup, or one a device.
  func opened(
    isProblemGiven: Bool, seed: UInt64?, sampler: String = StudyAsking.standardSampler,
    setups: () throws -> [SearchSetup]
  ) throws -> (study: Study, setup: SearchSetup)? {
    guard let file else { return nil }
    if try Study.isBlank(file) {
      let study = try SearchSetup.study(file, setups(), seed: seed ?? 1, sampler: sampler)
      return (study, try SearchSetup(study))
    }
    let study = try Study.open(file)
    if let seed, seed != study.definition.seed {
      throw UsageError(
        "the study \(file) has the seed \(study.definition.seed): leave --seed out, or name another file")
    }
    if isProblemGiven {
      let asked = try SearchSetup.definition(setups(), seed: study.definition.seed, sampler: sampler)
      guard try asked.isOfSameProblem(study.definition) else {
        throw UsageError(
          "the study \(file) is of another problem: leave the problem's flags and file out, or name another study")
      }
    }
    return (study, try SearchSetup(study))
  }
}

/// Notes in a study that a command works on it.
struct StudySession {
  private let study: Study
  private let number: Int64

  init(_ study: Study) throws {
    self.study = study
    number = try study.beginSession(
      command: CommandLine.arguments.dropFirst().joined(separator: " "), program: "edgetwin \(Program.version)")
  }

  func end(_ outcome: String) throws { try study.endSession(number, outcome: outcome) }
}
