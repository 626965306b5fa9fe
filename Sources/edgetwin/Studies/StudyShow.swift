import ArgumentParser
import Foundation
import Studies
import Workbench

struct StudyShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show what a study is about, how far it is, and its front.",
    discussion: """
        edgetwin study show s.db
        edgetwin study show s.db --format json

      Trials are counted; edgetwin study export lists them.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json
  }

  @Argument(help: "File of the study.")
  var file: String

  @Option(help: "table (for people) or json (one object).")
  var format: Format = .table

  func run() throws {
    let study = try Study.open(file)
    defer { study.close() }
    switch format {
    case .table: try Console.write(StudyRecord.text(study))
    case .json: try Console.write(StudyRecord.summary(study).json + "\n")
    }
  }
}

struct StudyCheck: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Read all of a study's file, and say whether it is whole.")

  @Argument(help: "File of the study.")
  var file: String

  func run() throws {
    let study = try Study.open(file)
    defer { study.close() }
    let damage = try study.damage()
    guard damage.isEmpty else {
      throw StudyError(path: file, kind: .input, problem: "is damaged: \(damage.prefix(3).joined(separator: "; "))")
    }
    try Console.write("whole: \(try study.counts().trials) trials\n")
  }
}
