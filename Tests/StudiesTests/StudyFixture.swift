import Architectures
import CoSearch
import Foundation
import Numerics

@testable import Studies

/// A study in a folder of its own.
struct StudyFixture {
  let folder: URL
  let space: DesignSpace

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "study-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    space = .flexibert2
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }
  func path(_ name: String = "s.db") -> String { folder.appending(path: name).path }

  func definition(_ problem: Problem? = nil) -> StudyDefinition {
    var problem = problem ?? Problem(devices: [], objectives: [.accuracy, .latency])
    problem.devices = ["one", "two"]
    return StudyDefinition(
      problem: problem, space: space,
      devices: [
        .init(name: "one", runtime: "protran", file: "id: one\n"),
        .init(name: "two", runtime: "protran", file: "id: two\n"),
      ],
      seed: .max, sampler: "random", program: "test 1")
  }

  /// Candidates that depend on the trial's number alone.
  func ask(_ study: Study, _ count: Int) throws -> [Trial] {
    try study.ask { history in
      Study.Proposals(
        candidates: (0..<count).map { offset in
          var random = CounterRandom(seed: 1, stream: UInt64(history.count + offset))
          return (space.randomPoint(using: &random), random.nextIndex(below: 2))
        })
    }
  }

  func tell(_ study: Study, _ outcomes: [TrialOutcome]) throws -> Study.Told {
    try study.tell(outcomes) { _, refusal in refusal }
  }

  /// Values that depend on the trial's number alone.
  func outcome(_ trial: Int) -> TrialOutcome {
    var random = CounterRandom(seed: 2, stream: UInt64(trial))
    return TrialOutcome(
      trial: trial, isComplete: true,
      values: ObjectiveValues(accuracy: 60 + 20 * random.nextUniform(), latencySeconds: 0.01 + random.nextUniform()))
  }
}
