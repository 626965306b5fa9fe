import Accuracy
import Architectures
import Foundation
import Testing

@testable import CoSearch

@Suite struct CheckpointTests {
  private struct Killed: Error {}

  /// Keeps the last state, and ends the search at the keeping of a number.
  private final class Keeper: @unchecked Sendable {
    var states: [[UInt8]] = []
    var fronts: [[Candidate]] = []
    var killAt: Int?

    func keep(_ checkpoint: SearchCheckpoint) throws {
      states.append(checkpoint.state)
      if let front = checkpoint.front { fronts.append(front) }
      if states.count == killAt { throw Killed() }
    }

    func keeping(from state: [UInt8]? = nil) -> SearchKeeping {
      SearchKeeping(resuming: state, secondsBetween: 0) { [self] in try keep($0) }
    }
  }

  private func explorer(_ problem: Problem) throws -> Explorer {
    let space = DesignSpace.flexibert2
    var problem = problem
    problem.devices = ["board", "laptop", "card"]
    return Explorer(
      try CandidateEvaluator(
        problem: problem, space: space, devices: AnalyticTwin.trio(space), accuracy: .fitted()), archiveCapacity: 60)
  }

  private var problems: [Problem] {
    var tight = Problem(devices: [], objectives: [.accuracy, .latency, .energy, .peakPower])
    // Nothing is feasible at first, so that the pool of infeasible candidates is part of the state.
    tight.budgets = Budgets(maxLatencySeconds: 0.004, maxEnergyJoules: 0.06, maxPowerWatts: 12)
    var scalar = Problem(devices: [], objectives: [.accuracy, .latency])
    scalar.scalar = Scalarisation(
      weights: ObjectiveValues(accuracy: 1, latencySeconds: 1),
      scales: ObjectiveValues(accuracy: 100, latencySeconds: 0.1))
    var impossible = Problem(devices: [], objectives: [.accuracy, .latency])
    impossible.budgets.maxLatencySeconds = 1e-6
    return [tight, scalar, impossible]
  }

  private func same(_ a: Exploration, _ b: Exploration) -> Bool {
    a.front == b.front && a.bestByScalar == b.bestByScalar && a.evaluations == b.evaluations
      && a.hypervolume == b.hypervolume && a.infeasibility?.description == b.infeasibility?.description
      && a.trace.map { [Double($0.evaluations), Double($0.frontCount), $0.hypervolume] }
        == b.trace.map { [Double($0.evaluations), Double($0.frontCount), $0.hypervolume] }
  }

  @Test func aSearchThatWasKilledComesToTheSame() async throws {
    for problem in problems {
      let explorer = try explorer(problem)
      let extent = Explorer.Extent.evaluations(6_000)
      let plain = try await explorer.explore(extent, seed: 3, threads: 1)
      let whole = Keeper()
      #expect(same(try await explorer.explore(extent, seed: 3, threads: 2, keeping: whole.keeping()), plain))
      #expect(whole.states.count > 20)
      // Killed over and over, each time a little later.
      let killed = Keeper()
      var state: [UInt8]?
      var result: Exploration?
      var step = 0
      while result == nil {
        step += 1
        killed.killAt = killed.states.count + step
        do {
          result = try await explorer.explore(
            extent, seed: 3, threads: 1 + step % 2, keeping: killed.keeping(from: state))
        } catch is Killed {
          state = killed.states.last
        }
      }
      #expect(same(try #require(result), plain))
      // What was to be written down on the way is the same too, though some of it may come twice.
      func keys(_ fronts: [[Candidate]]) -> [Candidate] {
        var seen: Set<Candidate> = []
        return fronts.flatMap(\.self).filter { seen.insert($0).inserted }
      }
      #expect(keys(killed.fronts) == keys(whole.fronts))
    }
  }

  @Test func aSearchThatIsDoneCanBeAskedAgainAndLengthened() async throws {
    let explorer = try explorer(problems[1])
    let keeper = Keeper()
    let first = try await explorer.explore(.evaluations(2_000), seed: 1, threads: 1, keeping: keeper.keeping())
    let state = try #require(keeper.states.last)
    let count = keeper.states.count
    let again = try await explorer.explore(
      .evaluations(2_000), seed: 1, threads: 1, keeping: keeper.keeping(from: state))
    #expect(same(again, first))
    #expect(keeper.states.count <= count + 1)
    let longer = try await explorer.explore(
      .evaluations(5_000), seed: 1, threads: 1, keeping: keeper.keeping(from: state))
    #expect(longer.evaluations == 5_000 && longer.hypervolume >= first.hypervolume)
  }

  @Test func aCancelledSearchLeavesNoTrace() async throws {
    let explorer = try explorer(problems[0])
    let extent = Explorer.Extent.evaluations(8_000)
    let plain = try await explorer.explore(extent, seed: 5, threads: 1)
    let keeper = Keeper()
    let task = Task {
      try await explorer.explore(extent, seed: 5, threads: 1, keeping: keeper.keeping()) { _ in
        withUnsafeCurrentTask { $0?.cancel() }
      }
    }
    #expect(try await task.value.wasCancelled)
    let state = try #require(keeper.states.last)
    #expect(same(try await explorer.explore(extent, seed: 5, threads: 1, keeping: keeper.keeping(from: state)), plain))
  }

  @Test func damagedStatesAreErrors() async throws {
    let explorer = try explorer(problems[0])
    let keeper = Keeper()
    _ = try await explorer.explore(.evaluations(500), seed: 1, threads: 1, keeping: keeper.keeping())
    let state = try #require(keeper.states.last)
    func refuses(_ state: [UInt8]) async {
      await #expect(throws: SearchError.self) {
        try await explorer.explore(.evaluations(600), seed: 1, threads: 1, keeping: keeper.keeping(from: state))
      }
    }
    await refuses([])
    await refuses(Array(state.dropLast(8)))
    await refuses(state + [0, 0, 0, 0, 0, 0, 0, 0])
    await refuses([9] + state.dropFirst())
    // Whatever is changed, it is an error or another state, never a trap.
    for position in stride(from: 0, to: state.count, by: max(state.count / 40, 1)) {
      var changed = state
      changed[position] ^= 0xFF
      _ = try? await explorer.explore(.evaluations(520), seed: 1, threads: 1, keeping: keeper.keeping(from: changed))
    }
  }
}
