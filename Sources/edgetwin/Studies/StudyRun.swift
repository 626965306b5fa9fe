import ArgumentParser
import Foundation
import Studies
import Workbench

struct StudyRun: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Let a study's sampler search on the study's own twins.",
    discussion: """
        edgetwin study create s.db --problem p.yaml --sampler random --seed 1
        edgetwin study run s.db --trials 500

      What ask, evaluate and tell do by hand: each step is kept, so it can be stopped at any moment and run again. \
      edgetwin explore is the quicker search where the twins' structure may be used.
      """)

  @Argument(help: "File of the study.")
  var file: String

  @Option(help: "Trials that the study is to have in the end.")
  var trials = 500

  @Option(help: "Trials asked for at once.")
  var batch = 10

  func validate() throws {
    guard (1...10_000_000).contains(trials) else { throw ValidationError("--trials must be from 1 to 10000000") }
    guard (1...100_000).contains(batch) else { throw ValidationError("--batch must be from 1 to 100000") }
  }

  func run() async throws {
    let study = try Study.open(file)
    defer { study.close() }
    let sampling = StudySampling(study, try SearchSetup(study))
    let session = try StudySession(study)
    let (trials, batch) = (trials, batch)
    let isDone = try await Interrupt.cancelling {
      try await sampling.run(trials: trials, batch: batch) { Console.progress("\($0) of \(trials) trials") }
    }
    Console.endProgress()
    try session.end(isDone ? "done" : "stopped")
    try Console.write(StudyRecord.text(study))
    guard isDone else {
      Console.complain("stopped before the end: this is what was found so far")
      throw ExitCode(Failure.interrupted)
    }
  }
}
