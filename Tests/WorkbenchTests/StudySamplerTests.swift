import CoSearch
import Foundation
import Studies
import Testing

@testable import Workbench

/// What a sampler proposes through a study's file is what it proposes in memory.
@Suite struct StudySamplerTests {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "study-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  /// Of two boards; budgets that few models keep with 90 %, memory among them, which is no value of a trial.
  private static func setup() throws -> SearchSetup {
    var problem = Problem(devices: ["rpi4-cpu", "m1-pro-gpu"], objectives: [.accuracy, .latency, .energy])
    problem.budgets = Budgets(maxLatencySeconds: 0.5, maxMemoryBytes: 60e6, minAccuracy: 60)
    problem.confidence = 0.9
    let models = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "device-models").path
    return try SearchSetup(problem, document: nil, library: DeviceLibrary(folders: [models]), runtime: nil)
  }

  private static func isSlow(_ kind: SamplerKind) -> Bool { kind == .boshcode || kind == .boshcodeScaled }

  @Test(arguments: SamplerKind.allCases) func proposesAsInMemory(kind: SamplerKind) async throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let setup = try Self.setup()
    let evaluator = setup.evaluator
    let steps = Self.isSlow(kind) ? [20, 2] : [20, 5, 5]
    var sampler = try kind.sampler(domain: SearchDomain(setup.problem, space: setup.space), seed: 3)
    var expected: [Proposal] = []
    var violations: [Double] = []
    for count in steps {
      let proposals = try sampler.ask(count)
      expected += proposals
      try sampler.tell(
        proposals.map { proposal in
          guard let candidate = evaluator.candidate(of: proposal.point, device: proposal.device) else {
            return .failed(proposal)
          }
          violations.append(candidate.assessment.violation)
          return Outcome(proposal: proposal, assessment: candidate.assessment)
        })
    }
    // Most are not feasible, and by how much is what a sampler learns from.
    #expect(Set(violations.filter { $0 > 0 }).count > 10)

    // By one process, which keeps its sampler.
    let one = try SearchSetup.study(folder.appending(path: "a.db").path, [setup], seed: 3, sampler: kind.rawValue)
    defer { one.close() }
    let sampling = StudySampling(one, setup)
    for (index, count) in steps.enumerated() {
      #expect(try await sampling.run(trials: steps[...index].reduce(0, +), batch: count))
    }
    #expect(try Self.proposals(one) == expected)

    // By a process for each question, and lines in between, as another program would tell them.
    let lines = try SearchSetup.study(folder.appending(path: "b.db").path, [setup], seed: 3, sampler: kind.rawValue)
    defer { lines.close() }
    for count in steps {
      let asked = try StudyAsking(lines).ask(count)
      var telling = StudyTelling(lines)
      try telling.tell(
        asked.map { trial in
          guard let candidate = evaluator.candidate(of: trial.point, device: trial.device) else {
            return Array("{\"trial\":\(trial.number),\"state\":\"failed\"}".utf8)
          }
          var record = Record()
          record.add("trial", .whole(trial.number))
          record.add("values", .object(StudyRecord.values(candidate.assessment.values)))
          record.add("feasible", .flag(candidate.assessment.isFeasible))
          record.add("violation", .number(candidate.assessment.violation))
          return Array(record.json.utf8)
        })
    }
    #expect(try Self.proposals(lines) == expected)
    #expect(try Self.violations(lines) == Self.violations(one))
  }

  private static func proposals(_ study: Study) throws -> [Proposal] {
    var result: [Proposal] = []
    try study.forEachTrial { result.append(Proposal(point: $0.point, device: $0.device)) }
    return result
  }

  private static func violations(_ study: Study) throws -> [Double?] {
    var result: [Double?] = []
    try study.forEachTrial { result.append($0.violation) }
    return result
  }

  /// What is told twice need be the same but for roundings.
  @Test func toldTwice() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let study = try SearchSetup.study(
      folder.appending(path: "s.db").path, [try Self.setup()], seed: 1, sampler: "random")
    defer { study.close() }
    _ = try StudyAsking(study).ask(1)
    func tell(_ accuracy: Double, feasible: Bool = false) throws -> Study.Told {
      let violation = feasible ? 0 : 0.5
      var telling = StudyTelling(study)
      try telling.tell([
        Array(
          """
          {"trial":0,"values":{"accuracy":\(accuracy),"latency_s":2,"energy_j":3},"feasible":\(feasible),"violation":\(violation)}
          """.utf8)
      ])
      return telling.told
    }
    #expect(try tell(70).complete == 1)
    #expect(try tell(70).known == 1 && tell(70 * (1 + 1e-9)).known == 1)
    #expect {
      try tell(70.1)
    } throws: {
      "\($0)".contains("values.accuracy") && "\($0)".contains("contradicts")
    }
    #expect {
      try tell(70, feasible: true)
    } throws: {
      "\($0)".contains("feasible")
    }
    #expect(try study.trial(0)?.violation == 0.5)
    // A verdict counts where the values are the same but for roundings, too; and a model that breaks its budgets does not keep them.
    #expect(throws: (any Error).self) { try tell(70 * (1 + 1e-9), feasible: true) }
    #expect(throws: (any Error).self) {
      var telling = StudyTelling(study)
      try telling.tell([
        Array(#"{"trial":0,"values":{"accuracy":70,"latency_s":2,"energy_j":3},"feasible":false,"violation":0.6}"#.utf8)
      ])
    }
    _ = try StudyAsking(study).ask(1)
    var other = StudyTelling(study)
    try other.tell([
      Array(#"{"trial":1,"values":{"accuracy":99,"latency_s":0.01,"energy_j":0.1},"violation":0.7}"#.utf8)
    ])
    #expect(try study.trial(1)?.isFeasible == false && study.trial(1)?.violation == 0.7)
    #expect(throws: (any Error).self) {
      var telling = StudyTelling(study)
      try telling.tell([Array(#"{"trial":0,"values":{"accuracy":1},"violation":-1}"#.utf8)])
    }
  }
}
