import Accuracy
import Architectures
import Numerics
import Synchronization
import Testing
import Twins

@testable import CoSearch

@Suite struct ExplorerTests {
  static let space = DesignSpace.flexibert2

  static func evaluator(
    _ problem: Problem, space: DesignSpace = space, devices: [AnalyticTwin]? = nil
  ) throws -> CandidateEvaluator {
    try CandidateEvaluator(
      problem: problem, space: space, devices: devices ?? AnalyticTwin.trio(space), accuracy: .fitted())
  }

  static let three = Problem(devices: ["board", "laptop", "card"])

  @Test(arguments: [1, 37, 2_000, 30_000]) func sameOnAnyNumberOfThreads(evaluations: Int) async throws {
    let explorer = Explorer(try Self.evaluator(Self.three))
    let one = try await explorer.explore(.evaluations(evaluations), seed: 7, threads: 1)
    #expect(one.evaluations == evaluations)
    #expect(!one.front.isEmpty && !one.wasCancelled)
    for threads in [2, 4] {
      let other = try await explorer.explore(.evaluations(evaluations), seed: 7, threads: threads)
      #expect(other.front == one.front)
      #expect(other.hypervolume == one.hypervolume)
      #expect(other.trace.map(\.hypervolume) == one.trace.map(\.hypervolume))
    }
    if evaluations > 100 {
      let seeded = try await explorer.explore(.evaluations(evaluations), seed: 8, threads: 2)
      #expect(seeded.front != one.front)
      #expect(seeded.box == one.box)
    }
  }

  @Test func frontIsSoundAndGrows() async throws {
    let explorer = Explorer(try Self.evaluator(Self.three), archiveCapacity: 60)
    let result = try await explorer.explore(.evaluations(20_000), seed: 1, threads: 2)
    #expect(result.front.count > 30)
    #expect(result.infeasibility == nil)
    let rows = result.front.map { candidate in
      result.box.coordinates(Self.three.objectives.map { candidate.assessment.values[$0] ?? .nan })
    }
    #expect(Dominance.nonDominated(rows).count == rows.count)
    #expect(abs(result.box.hypervolume(rows) - result.hypervolume) < 1e-12)
    let first = try #require(result.trace.first)
    let last = try #require(result.trace.last)
    #expect(last.evaluations == 20_000)
    #expect(abs(last.hypervolume - result.hypervolume) < 1e-9)
    #expect(first.hypervolume < last.hypervolume && first.hypervolume > 0)
    #expect(last.frontCount == result.front.count)
    // Random models are far from what the search finds.
    var random = CounterRandom(seed: 2)
    let points = (0..<6_666).map { _ in Self.space.randomPoint(using: &random) }
    let randomRows = (0..<3).flatMap { device in
      explorer.evaluator.candidates(of: points, device: device).map { candidate in
        result.box.coordinates(Self.three.objectives.map { candidate.assessment.values[$0] ?? .nan })
      }
    }
    let kept = Dominance.nonDominated(randomRows).map { randomRows[$0] }
    #expect(result.hypervolume > 1.1 * result.box.hypervolume(kept))
    for candidate in result.front { #expect(Self.space.contains(candidate.point)) }
  }

  /// However small the archive is, and whatever it lets go of: what was reported once is never lost.
  @Test(arguments: [[Objective.accuracy, .latency, .energy], [.accuracy, .latency, .energy, .parameters]])
  func traceNeverFalls(objectives: [Objective]) async throws {
    var problem = Self.three
    problem.objectives = objectives
    for capacity in [4, 25] {
      let explorer = Explorer(try Self.evaluator(problem), archiveCapacity: capacity)
      let result = try await explorer.explore(.evaluations(6_000), seed: 3, threads: 2)
      let volumes = result.trace.map(\.hypervolume)
      #expect(volumes.count > 10)
      for (before, after) in zip(volumes, volumes.dropFirst()) { #expect(after >= before - 1e-12) }
      #expect(result.trace.last?.frontCount == result.front.count)
    }
  }

  /// A space small enough to enumerate: 2 lengths, 2 widths, 2 stacks, 3 combinations: 144 + 20 736 models a device.
  @Test func findsTheTrueFrontOfASmallSpace() async throws {
    let space = try DesignSpace(
      DesignSpace.Choices(
        layerCounts: [2, 4], hiddenSizes: [128, 256], headCounts: [2],
        operations: [.scaledDotProduct, .discreteFourier], feedForwardWidths: [256, 1024],
        maximumFeedForwardStack: 1))
    let layers = (0..<space.hiddenSizes.count).flatMap { h in
      (0..<space.feedForwardStackCount).flatMap { f in
        (0..<space.headCombinationCount).map { DesignPoint.Layer(hidden: h, feedForward: f, heads: $0) }
      }
    }
    var every: [[DesignPoint.Layer]] = [[]]
    var points: [DesignPoint] = []
    for length in 1...4 {
      every = every.flatMap { start in layers.map { start + [$0] } }
      if space.layerCounts.contains(length) { points += every.map { DesignPoint(layers: $0) } }
    }
    #expect(points.count == 144 + 20_736)

    var problem = Problem(devices: ["board", "laptop"], objectives: [.accuracy, .latency, .energy])
    problem.budgets.maxLatencySeconds = 0.01
    let devices = Array(AnalyticTwin.trio(space).prefix(2))
    let evaluator = try Self.evaluator(problem, space: space, devices: devices)
    let rows = { (candidates: [Candidate], box: ObjectiveBox) in
      candidates.filter(\.assessment.isFeasible).map { candidate in
        box.coordinates(problem.objectives.map { candidate.assessment.values[$0] ?? .nan })
      }
    }
    let result = try await Explorer(evaluator, archiveCapacity: 2_000).explore(
      .evaluations(15_000), seed: 3, threads: 2)
    let all = (0..<2).flatMap { rows(evaluator.candidates(of: points, device: $0), result.box) }
    let best = Dominance.nonDominated(all).map { all[$0] }
    let trueVolume = result.box.hypervolume(best)
    #expect(trueVolume > 0.1)
    #expect(result.hypervolume <= trueVolume + 1e-12)
    // A third of the models are looked at; members nearer than the archive's sample points need not be told apart.
    #expect(result.hypervolume > 0.998 * trueVolume, "\(result.hypervolume) of \(trueVolume)")
    for lane in 0..<3 {
      let least = best.map { $0[lane] }.min()
      #expect(rows(result.front, result.box).map { $0[lane] }.min() == least, "objective \(lane)")
    }
  }

  @Test func budgetsAreKept() async throws {
    var problem = Problem(
      devices: ["board", "laptop", "card"], objectives: [.accuracy, .latency, .energy, .peakPower, .parameters])
    problem.budgets = Budgets(
      maxLatencySeconds: 0.05, maxEnergyJoules: 0.5, maxPowerWatts: 30, maxParameters: 4e7, maxMemoryBytes: 1.4e8,
      minAccuracy: 70)
    problem.confidence = 0.9
    var devices = AnalyticTwin.trio(Self.space)
    devices[2].memoryLimitBytes = 1e8
    let evaluator = try Self.evaluator(problem, devices: devices)
    let result = try await Explorer(evaluator).explore(.evaluations(6_000), seed: 5, threads: 2)
    #expect(result.front.count > 20)
    for candidate in result.front {
      #expect(candidate.assessment.isFeasible)
      #expect(candidate.costs.latencySeconds.median < 0.05 && candidate.costs.peakPowerWatts.median < 30)
      #expect(candidate.parameters <= 40_000_000 && candidate.accuracy.median > 70)
    }
  }

  @Test func saysWhyNothingIsFeasible() async throws {
    var problem = Problem(devices: ["board"])
    problem.budgets = Budgets(maxLatencySeconds: 1e-4, maxEnergyJoules: 100, minAccuracy: 60)
    let evaluator = try Self.evaluator(problem, devices: [AnalyticTwin("board", space: Self.space)])
    let result = try await Explorer(evaluator).explore(.evaluations(3_000), seed: 1, threads: 2)
    #expect(result.front.isEmpty && result.hypervolume == 0)
    let why = try #require(result.infeasibility)
    let tightest = try #require(why.budgets.first)
    #expect(tightest.budget == .latency && !tightest.isAttainable)
    // The smallest model of the space: 1 ms of start and more.
    #expect(tightest.attainable > 1e-3 && tightest.attainable < 1e-2)
    #expect(tightest.attainable == tightest.candidate.costs.latencySeconds.median)
    #expect(why.budgets.dropFirst().allSatisfy { $0.isAttainable })
    #expect(why.closest?.assessment.brokenBudgets == [.latency])
    #expect(why.description.contains("max_latency_s: 0.0001 cannot be met"))
  }

  @Test func saysWhichBudgetIsTightestWhereTheyExcludeEachOther() async throws {
    var problem = Problem(devices: ["board"])
    problem.budgets = Budgets(maxLatencySeconds: 6e-3, minAccuracy: 82)
    let evaluator = try Self.evaluator(problem, devices: [AnalyticTwin("board", space: Self.space)])
    let result = try await Explorer(evaluator).explore(.evaluations(5_000), seed: 1, threads: 2)
    let why = try #require(result.infeasibility)
    #expect(why.budgets.count == 2 && why.budgets.allSatisfy { $0.isAttainable })
    #expect(why.description.contains("not all together"))
    #expect(why.closest != nil)
  }

  @Test func finalistsFollowTheirRule() async throws {
    var problem = Self.three
    // Parameters are no objective, so that the best by the scalar may well be dominated.
    problem.scalar = Scalarisation(
      weights: ObjectiveValues(accuracy: 0.5, latencySeconds: 0.3, parameters: 0.2),
      scales: ObjectiveValues(accuracy: 100, latencySeconds: 0.1, parameters: 1e8))
    let explorer = Explorer(try Self.evaluator(problem))
    let result = try await explorer.explore(.evaluations(10_000), seed: 4, threads: 2)
    let finalists = result.finalists(count: 8)
    #expect(finalists.count == 8 && Set(finalists).count == 8)
    let best = try #require(result.bestByScalar)
    #expect(finalists[0] == best)
    #expect(result.front.allSatisfy { $0.assessment.scalar ?? 0 >= best.assessment.scalar ?? 1 })
    for objective in problem.objectives {
      let values = result.front.compactMap { $0.assessment.values[objective] }
      let extreme = objective == .accuracy ? values.max() : values.min()
      #expect(finalists.contains { $0.assessment.values[objective] == extreme })
    }
    #expect(result.finalists(count: 2).count == 2 && result.finalists(count: 0).isEmpty)
    #expect(result.finalists(count: 100_000).count == result.front.count + (result.front.contains(best) ? 0 : 1))
  }

  @Test func oneObjectiveAndSeconds() async throws {
    let problem = Problem(devices: ["board", "laptop", "card"], objectives: [.energy])
    let explorer = Explorer(try Self.evaluator(problem))
    let seen = Mutex(0)
    let result = try await explorer.explore(.seconds(0.05), seed: 1, threads: 2) { progress in
      seen.withLock { $0 = progress.evaluations }
    }
    #expect(result.front.count == 1 && result.front[0].device != "card")
    #expect(result.evaluations > 0 && seen.withLock { $0 } == result.evaluations)
    // Time that is over before the first generation still gives an answer.
    let hurried = try await explorer.explore(.seconds(1e-9), seed: 1, threads: 2)
    #expect(hurried.front.count == 1 && hurried.evaluations > 0)
    await #expect(throws: SearchError.self) { try await explorer.explore(.evaluations(0), seed: 1, threads: 1) }
    await #expect(throws: SearchError.self) { try await explorer.explore(.seconds(.nan), seed: 1, threads: 1) }
  }

  @Test func cancellingReturnsWhatThereIs() async throws {
    let explorer = Explorer(try Self.evaluator(Self.three))
    let (started, signal) = AsyncStream.makeStream(of: Void.self)
    let task = Task {
      try await explorer.explore(.seconds(600), seed: 1, threads: 2) { _ in signal.yield() }
    }
    for await _ in started.prefix(1) {}
    task.cancel()
    let result = try await task.value
    #expect(result.wasCancelled && result.evaluations > 0 && !result.front.isEmpty)
  }

  @Test func twinsThatAnswerNaNDoNoHarm() async throws {
    struct Broken: CandidateCosting {
      var deviceID = "broken"
      var powerScope = PowerScope.board
      var intervalLevel = 0.9
      var memoryLimitBytes: Double? { nil }
      func costs(of points: [DesignPoint], into costs: inout [CostEstimate]) {
        let none = Estimate(median: .nan, lower: .nan, upper: .nan)
        costs = points.map { _ in CostEstimate(latencySeconds: none, energyJoules: none, peakPowerWatts: none) }
      }
      func memoryBytes(of points: [DesignPoint], into bytes: inout [Double]) { bytes = points.map { _ in .nan } }
    }
    let predictor = try AccuracyPredictor.fitted()
    let alone = try CandidateEvaluator(
      problem: Problem(devices: ["broken"]), space: Self.space, devices: [Broken()], accuracy: predictor)
    await #expect(throws: SearchError.self) {
      try await Explorer(alone).explore(.evaluations(100), seed: 1, threads: 1)
    }
    let both = try CandidateEvaluator(
      problem: Problem(devices: ["broken", "board"]), space: Self.space,
      devices: [Broken(), AnalyticTwin("board", space: Self.space)], accuracy: predictor)
    let result = try await Explorer(both).explore(.evaluations(2_000), seed: 1, threads: 2)
    #expect(!result.front.isEmpty && result.front.allSatisfy { $0.device == "board" })
  }
}
