import Architectures
import Testing
import Twins

@testable import CoSearch

/// ``SamplerSearch`` around every kind of sampler.
@Suite struct SamplerSearchTests {
  @Test(arguments: [SamplerKind.random, .nsga2, .screenedEvolution]) func findsAFrontWithinBudgets(
    kind: SamplerKind
  ) async throws {
    let evaluator = try SamplerContractTests.evaluator()
    let search = SamplerSearch(evaluator, kind: kind)
    let result = try await search.explore(.evaluations(150), seed: 4)
    #expect(result.evaluations == 150 && !result.front.isEmpty && !result.wasCancelled)
    #expect(try await search.explore(.evaluations(150), seed: 4).front == result.front)
    for candidate in result.front {
      #expect(candidate.assessment.isFeasible && candidate.costs.latencySeconds.median <= 0.2)
      #expect(
        !result.front.contains { other in
          other != candidate && other.accuracy.median >= candidate.accuracy.median
            && other.costs.latencySeconds.median <= candidate.costs.latencySeconds.median
            && other.costs.energyJoules.median <= candidate.costs.energyJoules.median
        })
    }
    #expect(zip(result.trace, result.trace.dropFirst()).allSatisfy { $0.hypervolume <= $1.hypervolume + 1e-12 })
    #expect(result.trace.last?.evaluations == 150)
    // The same box as the other search's, so that hypervolumes compare.
    let whiteBox = try await Explorer(evaluator).explore(.evaluations(20_000), seed: 4, threads: 1)
    #expect(whiteBox.box == result.box && whiteBox.hypervolume >= result.hypervolume)
  }

  @Test func saysWhyNothingIsFeasible() async throws {
    var problem = SamplerContractTests.problem
    problem.budgets = Budgets(maxLatencySeconds: 1e-9)
    let search = SamplerSearch(try SamplerContractTests.evaluator(problem), kind: .random)
    let result = try await search.explore(.evaluations(40), seed: 1)
    #expect(result.front.isEmpty && result.infeasibility?.budgets.first?.budget == .latency)
    await #expect(throws: SearchError.self) { try await search.explore(.evaluations(0), seed: 1) }
  }

  @Test func cancellingReturnsWhatThereIs() async throws {
    let search = SamplerSearch(try SamplerContractTests.evaluator(), kind: .nsga2)
    let task = Task { try await search.explore(.seconds(60), seed: 1) }
    task.cancel()
    #expect(try await task.value.wasCancelled)
  }
}
