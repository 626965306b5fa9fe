import Accuracy
import Architectures
import Foundation
import Numerics
import Testing
import Twins

@testable import CoSearch

/// What every sampler promises (`Sampler`).
@Suite struct SamplerContractTests {
  static let problem = Problem(
    devices: ["board", "laptop", "card"], objectives: [.accuracy, .latency, .energy],
    budgets: Budgets(maxLatencySeconds: 0.2, minAccuracy: 66))

  static func evaluator(_ problem: Problem = problem) throws -> CandidateEvaluator {
    try ExplorerTests.evaluator(problem)
  }

  static func domain(_ problem: Problem = problem) -> SearchDomain { SearchDomain(problem, space: .flexibert2) }

  static func outcome(_ proposal: Proposal, _ evaluator: CandidateEvaluator) -> Outcome {
    guard let candidate = evaluator.candidate(of: proposal.point, device: proposal.device) else {
      return .failed(proposal)
    }
    return Outcome(proposal: proposal, assessment: candidate.assessment)
  }

  /// Asks and tells in batches; every seventh trial fails, outcomes come in reverse order.
  static func run(
    _ sampler: inout any Sampler, batches: [Int], _ evaluator: CandidateEvaluator, history: inout [Outcome]
  ) throws -> [Proposal] {
    var asked: [Proposal] = []
    for count in batches {
      let proposals = try sampler.ask(count)
      #expect(proposals.count == count)
      asked += proposals
      let outcomes = proposals.reversed().enumerated().map { index, proposal in
        (history.count + index) % 7 == 6 ? Outcome.failed(proposal) : outcome(proposal, evaluator)
      }
      try sampler.tell(outcomes)
      history += outcomes
    }
    return asked
  }

  /// Those that train networks are asked less.
  static func batches(_ kind: SamplerKind, _ batches: [Int]) -> [Int] {
    kind == .boshcode || kind == .boshcodeScaled ? [20, 2] : batches
  }

  @Test(arguments: SamplerKind.allCases) func sameSeedSameProposals(kind: SamplerKind) throws {
    let evaluator = try Self.evaluator()
    func proposals(_ seed: UInt64) throws -> [Proposal] {
      var sampler = try kind.sampler(domain: Self.domain(), seed: seed)
      var history: [Outcome] = []
      return try Self.run(&sampler, batches: Self.batches(kind, [20, 1, 6, 6]), evaluator, history: &history)
    }
    let first = try proposals(3)
    #expect(try first == proposals(3))
    #expect(try first != proposals(4))
    #expect(Set(first).count == first.count)
    #expect(first.allSatisfy(Self.domain().contains))
  }

  @Test(arguments: SamplerKind.allCases) func goesOnFromASnapshot(kind: SamplerKind) throws {
    let evaluator = try Self.evaluator()
    var history: [Outcome] = []
    var sampler = try kind.sampler(domain: Self.domain(), seed: 11)
    _ = try Self.run(&sampler, batches: Self.batches(kind, [19, 5]), evaluator, history: &history)
    // Some are out when the snapshot is taken, and come back in part.
    let out = try sampler.ask(4)
    let snapshot = try sampler.snapshot()
    #expect(snapshot.count < 400_000)
    var restored = try kind.sampler(domain: Self.domain(), snapshot: snapshot, history: history)
    let late = out.prefix(3).map { Self.outcome($0, evaluator) }
    try sampler.tell(late)
    try restored.tell(late)
    var other = history
    let expected = try Self.run(
      &sampler, batches: kind == .boshcode || kind == .boshcodeScaled ? [2] : [5, 3], evaluator, history: &history)
    let resumed = try Self.run(
      &restored, batches: kind == .boshcode || kind == .boshcodeScaled ? [2] : [5, 3], evaluator, history: &other)
    #expect(resumed == expected)
    #expect(Set(expected).isDisjoint(with: out))
    #expect(try restored.snapshot() == sampler.snapshot())
  }

  /// With some hundred trials the standard sampler breeds too, from a population that a snapshot does not hold.
  @Test func standardGoesOnFromASnapshotOfManyTrials() throws {
    let evaluator = try Self.evaluator()
    var random = CounterRandom(seed: 8)
    var history = (0..<300).map { _ in Self.outcome(Self.domain().randomProposal(using: &random), evaluator) }
    var sampler = try SamplerKind.standard.sampler(domain: Self.domain(), seed: 4)
    try sampler.tell(history)
    let first = try Self.run(&sampler, batches: [7, 1], evaluator, history: &history)
    var restored = try SamplerKind.standard.sampler(
      domain: Self.domain(), snapshot: try sampler.snapshot(), history: history)
    var other = history
    let expected = try Self.run(&sampler, batches: [1, 1, 40], evaluator, history: &history)
    #expect(try Self.run(&restored, batches: [1, 1, 40], evaluator, history: &other) == expected)
    #expect(Set(first + expected).count == first.count + expected.count)
  }

  @Test(arguments: SamplerKind.allCases) func learnsFromForeignTrialsAndRefusesOtherSpaces(kind: SamplerKind) throws {
    let evaluator = try Self.evaluator()
    var sampler = try kind.sampler(domain: Self.domain(), seed: 1)
    var random = CounterRandom(seed: 5)
    let known = (0..<30).map { _ in
      Self.outcome(Self.domain().randomProposal(using: &random), evaluator)
    }
    try sampler.tell(known)
    let asked = try sampler.ask(6)
    #expect(asked.count == 6 && Set(asked).isDisjoint(with: known.map(\.proposal)))
    let foreign = Proposal(point: known[0].proposal.point, device: 3)
    #expect(throws: SamplerError.foreignProposal) { try sampler.tell([.failed(foreign)]) }
  }

  /// One number, one device, a space of few members, nothing feasible, nothing but failures.
  @Test(arguments: SamplerKind.allCases) func copesWithUnusualProblems(kind: SamplerKind) throws {
    let small = try DesignSpace(
      DesignSpace.Choices(
        layerCounts: [2], hiddenSizes: [128, 256], headCounts: [2], operations: [.scaledDotProduct],
        feedForwardWidths: [256, 512], maximumFeedForwardStack: 1))
    var problem = Problem(devices: ["board"], objectives: [.latency])
    problem.scalar = Scalarisation(
      weights: ObjectiveValues(accuracy: 0.5, latencySeconds: 0.5),
      scales: ObjectiveValues(accuracy: 100, latencySeconds: 1))
    let tiny = SearchDomain(problem, space: small)
    let evaluator = try ExplorerTests.evaluator(
      problem, space: small, devices: [AnalyticTwin("board", space: small)])
    var sampler = try kind.sampler(domain: tiny, seed: 2)
    var history: [Outcome] = []
    let asked = try Self.run(&sampler, batches: Self.batches(kind, [10, 10, 4]), evaluator, history: &history)
    #expect(asked.allSatisfy(tiny.contains))

    var hopeless = Self.problem
    hopeless.budgets = Budgets(maxLatencySeconds: 1e-6)
    let judge = try Self.evaluator(hopeless)
    sampler = try kind.sampler(domain: Self.domain(hopeless), seed: 2)
    history = []
    _ = try Self.run(&sampler, batches: [20, 5], judge, history: &history)
    #expect(history.allSatisfy { !$0.isFeasible })

    sampler = try kind.sampler(domain: Self.domain(), seed: 2)
    for _ in 0..<5 { try sampler.tell(try sampler.ask(8).map(Outcome.failed)) }
    #expect(try sampler.ask(2).count == 2)
    #expect(try sampler.ask(0).isEmpty)
  }

  @Test func snapshotsOfAnotherKindAreRefused() throws {
    let domain = Self.domain()
    let data = try SamplerKind.nsga2.sampler(domain: domain, seed: 1).snapshot()
    for (kind, data) in [(SamplerKind.random, data), (.nsga2, Data("{}".utf8)), (.boshcode, data.prefix(20))] {
      #expect(throws: SamplerError.self) { _ = try kind.sampler(domain: domain, snapshot: data, history: []) }
    }
    #expect(throws: SamplerError.unknownKind("annealing")) { _ = try SamplerKind(named: "annealing") }
  }

  /// Snapshots of the first version, which had another form too: refused by what they are, not for what they lack.
  @Test(arguments: [SamplerKind.gaussianProcess, .screenedEvolution])
  func snapshotsOfAnOlderVersionAreRefused(kind: SamplerKind) throws {
    let old = Data(
      """
      {"kind":"\(kind.rawValue)","seed":1,"state":{"asked":0,"pending":[],"rounds":0,"shape":[],"shapeRows":0},"version":1}
      """.utf8)
    let error = #expect(throws: SamplerError.self) {
      _ = try kind.sampler(domain: Self.domain(), snapshot: old, history: [])
    }
    #expect(error?.description.contains("its version is 1, this one reads 2") == true)
    let current = try kind.sampler(domain: Self.domain(), seed: 1).snapshot()
    #expect(String(decoding: current, as: UTF8.self).contains("\"version\":2"))
  }

  @Test func outcomesSurviveEncoding() throws {
    let evaluator = try Self.evaluator()
    var random = CounterRandom(seed: 5)
    for _ in 0..<20 {
      let outcome = Self.outcome(Self.domain().randomProposal(using: &random), evaluator)
      let copy = try JSONDecoder().decode(Outcome.self, from: JSONEncoder().encode(outcome))
      #expect(copy == outcome)
      #expect(outcome.isFeasible == (outcome.violation == 0))
    }
    #expect(throws: DecodingError.self) { _ = try JSONDecoder().decode(Proposal.self, from: Data("[0,1]".utf8)) }
  }

  /// The samplers that learn beat the one that does not, on the hypervolume of what they found.
  @Test(arguments: [SamplerKind.standard, .gaussianProcess, .nsga2, .regularizedEvolution])
  func learnsBetterThanRandom(kind: SamplerKind) throws {
    let evaluator = try Self.evaluator()
    let box = try ReferenceBox.box(evaluator, Seeds(evaluator.space))
    func volume(_ kind: SamplerKind, _ count: Int) throws -> Double {
      var sampler = try kind.sampler(domain: Self.domain(), seed: 6)
      var history: [Outcome] = []
      _ = try Self.run(&sampler, batches: Array(repeating: 20, count: count / 20), evaluator, history: &history)
      return box.hypervolume(
        history.filter(\.isFeasible).map { outcome in
          Self.problem.objectives.map { outcome.values?[$0] ?? .nan }
        })
    }
    let count = kind == .nsga2 || kind == .regularizedEvolution ? 600 : 120
    #expect(try volume(kind, count) > volume(.random, count) * 1.05)
  }
}
