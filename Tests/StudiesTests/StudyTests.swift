import Architectures
import CoSearch
import Foundation
import Testing

import struct Measurements.Measurement

@testable import Studies

@Suite struct StudyTests {
  let fixture: StudyFixture

  init() throws { fixture = try StudyFixture() }

  @Test func aStudyIsWhatItWasMadeOf() throws {
    defer { fixture.remove() }
    var problem = Problem(devices: [], objectives: [.accuracy, .latency, .energy])
    problem.budgets.maxLatencySeconds = 0.02
    problem.scalar = Scalarisation(
      weights: ObjectiveValues(accuracy: 1), scales: ObjectiveValues(accuracy: 100))
    let made = try Study.create(fixture.path(), fixture.definition(problem))
    made.close()
    let opened = try Study.open(fixture.path())
    #expect(opened.definition == made.definition && opened.definition.seed == .max)
    #expect(opened.createdAt == made.createdAt)
    #expect(try opened.counts().trials == 0)
    #expect(throws: StudyError.self) { try Study.create(fixture.path(), fixture.definition()) }
  }

  @Test func askedAndTold() throws {
    defer { fixture.remove() }
    let study = try Study.create(fixture.path(), fixture.definition())
    let trials = try fixture.ask(study, 5)
    #expect(trials.map(\.number) == [0, 1, 2, 3, 4])
    #expect(try fixture.ask(study, 2).map(\.number) == [5, 6])
    let told = try fixture.tell(
      study, (0..<4).map(fixture.outcome) + [TrialOutcome(trial: 4, isComplete: false, error: "too large")])
    #expect(told == Study.Told(complete: 4, failed: 1, known: 0))
    let counts = try study.counts()
    #expect(counts.trials == 7 && counts.complete == 4 && counts.failed == 1 && counts.running == 2)
    let failed = try #require(try study.trial(4))
    #expect(failed.state == .failed && failed.error == "too large" && failed.point == trials[4].point)
    #expect(try study.trial(2)?.values == fixture.outcome(2).values)
    #expect(try study.running(limit: 9).map(\.number) == [5, 6])
    // The same again is harmless, something else is not, and of a refused step nothing is kept.
    #expect(try fixture.tell(study, (0..<4).map(fixture.outcome)).known == 4)
    var other = fixture.outcome(1)
    other.values.latencySeconds = 7
    #expect(throws: TrialRefusal.self) { try fixture.tell(study, [fixture.outcome(5), other]) }
    #expect(throws: TrialRefusal.self) { try fixture.tell(study, [TrialOutcome(trial: 1, isComplete: false)]) }
    #expect(throws: TrialRefusal.self) { try fixture.tell(study, [fixture.outcome(99)]) }
    #expect(throws: TrialRefusal.missingValue(.latency)) {
      try fixture.tell(study, [TrialOutcome(trial: 5, isComplete: true, values: ObjectiveValues(accuracy: 3))])
    }
    #expect(try study.counts() == counts)
  }

  @Test func theFrontIsThatOfAllTrials() throws {
    defer { fixture.remove() }
    var problem = Problem(devices: [], objectives: [.accuracy, .latency])
    problem.budgets.maxLatencySeconds = 0.8
    let study = try Study.create(fixture.path(), fixture.definition(problem))
    _ = try fixture.ask(study, 400)
    // Told in another order than asked, partly from a second connection.
    let other = try Study.open(fixture.path())
    for part in 0..<8 {
      let numbers = (0..<50).map { ($0 * 8 + part) * 131 % 400 }
      _ = try fixture.tell(part % 2 == 0 ? study : other, numbers.map(fixture.outcome))
    }
    let all = (0..<400).map(fixture.outcome).filter { ($0.values.latencySeconds ?? 9) <= 0.8 }
    let expected = all.filter { one in
      !all.contains { two in
        let (a, b) = (one.values, two.values)
        return b.accuracy! >= a.accuracy! && b.latencySeconds! <= a.latencySeconds! && b != a
      }
    }
    let front = try study.front()
    #expect(Set(front.map(\.number)) == Set(expected.map(\.trial)))
    #expect(front.map { $0.values.accuracy! } == front.map { $0.values.accuracy! }.sorted(by: >))
    #expect(try study.counts().feasible == all.count)
    #expect(try other.front() == front)
  }

  @Test func theBestIsTheLeastFeasibleScalar() throws {
    defer { fixture.remove() }
    var problem = Problem(devices: [], objectives: [.latency])
    problem.scalar = Scalarisation(
      weights: ObjectiveValues(latencySeconds: 1), scales: ObjectiveValues(latencySeconds: 10))
    let study = try Study.create(fixture.path(), fixture.definition(problem))
    _ = try fixture.ask(study, 3)
    for (number, seconds, feasible) in [(0, 5.0, true), (1, 1.0, false), (2, 3.0, true)] {
      _ = try fixture.tell(
        study,
        [
          TrialOutcome(
            trial: number, isComplete: true, values: ObjectiveValues(latencySeconds: seconds), isFeasible: feasible)
        ])
    }
    #expect(try study.best()?.number == 2 && study.best()?.scalar == 0.3)
  }

  @Test func samplersGoOnFromWhatTheyLeft() throws {
    defer { fixture.remove() }
    let study = try Study.create(fixture.path(), fixture.definition())
    var seen: [Int?] = []
    for round in 0..<3 {
      _ = try study.ask { history in
        seen.append(history.state?.told)
        let told = try history.told().map(\.number)
        #expect(told == Array((0..<(2 * round)).reversed()).sorted { $0 / 2 == $1 / 2 ? $0 > $1 : $0 < $1 })
        let first = try history.contains(fixture.space.randomPointForTest, device: 0)
        #expect(first == (round > 0))
        return Study.Proposals(
          candidates: [(fixture.space.randomPointForTest, 0), (fixture.space.randomPointForTest, 1)],
          snapshot: Data("\(round)".utf8))
      }
      // The later one first: the order of telling counts.
      _ = try fixture.tell(study, [fixture.outcome(2 * round + 1), fixture.outcome(2 * round)])
    }
    #expect(seen == [nil, 0, 2])
  }

  @Test func documentsAndMeasurementsAreKeptOnce() throws {
    defer { fixture.remove() }
    let study = try Study.create(fixture.path(), fixture.definition())
    let node = StudyDocument(kind: .refinement, name: "t", part: 3, schema: "x/1", json: "{\"a\":1}")
    try study.keep([node, StudyDocument(kind: .refinement, name: "t", part: 1, schema: "x/1", json: "{}")])
    try study.keep([node])
    #expect(try study.documents(.refinement, name: "t").map(\.part) == [1, 3])
    try study.keep([node], replacing: (.refinement, "t"))
    #expect(try study.documents(.refinement) == [node] && study.documents(.finalist).isEmpty)
    let row = Measurement(
      architecture: fixture.space.architecture(of: fixture.space.randomPointForTest), device: "one", runtime: "native",
      batchSize: 1, sequenceLength: 8, precision: "fp32", order: 0, latencySeconds: 0.25)
    try study.keep(row)
    try study.keep(row)
    #expect(try study.measurements() == [row])
    let session = try study.beginSession(command: "explore", program: "p")
    #expect(try study.sessions().first?.endedAt == nil)
    try study.endSession(session, outcome: "done")
    #expect(try study.sessions().first?.outcome == "done")
  }

  @Test func aSearchIsKeptWithWhatItFound() throws {
    defer { fixture.remove() }
    let study = try Study.create(fixture.path(), fixture.definition())
    let point = fixture.space.randomPointForTest
    let found = Trial(
      number: -1, point: point, device: 1, state: .complete,
      values: ObjectiveValues(accuracy: 70, latencySeconds: 1), isFeasible: true)
    let revision = try study.keep(search: "explore", revision: 0, evaluations: 10, state: [1, 2, 3], found: [found])
    // What is a trial already stays one.
    let next = try study.keep(search: "explore", revision: revision, evaluations: 20, state: [4], found: [found])
    let kept = try #require(try study.search("explore"))
    #expect(kept.revision == next && kept.evaluations == 20 && kept.state == [4])
    #expect(try study.counts().trials == 1 && study.front().map(\.number) == [0])
    // Another process that is at the same search does not lose what this one kept.
    let error = #expect(throws: StudyError.self) {
      try study.keep(search: "explore", revision: revision, evaluations: 15, state: [5], found: [])
    }
    #expect(error?.kind == .machine)
  }
}

extension DesignSpace {
  var randomPointForTest: DesignPoint {
    DesignPoint(layers: [.init(hidden: 1, feedForward: 2, heads: 3), .init(hidden: 3, feedForward: 257, heads: 21_804)])
  }
}
