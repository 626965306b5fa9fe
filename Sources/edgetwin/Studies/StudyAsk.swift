import ArgumentParser
import Foundation
import Studies
import Workbench

struct StudyAsk: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ask", abstract: "Hand out trials: what to evaluate next.",
    discussion: """
        edgetwin study ask s.db --count 4

      Prints {"trial","architecture","embedding","device"}, a line each. No trial is handed out twice, also where \
      several processes ask at once. What edgetwin evaluate makes of the lines can be told as it is.
      """)

  @Argument(help: "File of the study.")
  var file: String

  @Option(help: "Trials.")
  var count = 1

  @Flag(help: "First those that were handed out before and never told.")
  var again = false

  func validate() throws {
    guard (1...100_000).contains(count) else { throw ValidationError("--count must be from 1 to 100000") }
  }

  func run() throws {
    let study = try Study.open(file)
    defer { study.close() }
    let old = again ? try study.running(limit: count) : []
    let new = old.count < count ? try StudyAsking(study).ask(count - old.count) : []
    for trial in old + new { try Console.write(StudyRecord.question(trial, of: study).json + "\n") }
  }
}
