import Foundation
import Numerics

/// Regularised (aging) evolution: Real, Aggarwal, Huang and Le, "Regularized evolution for image classifier architecture search",
/// AAAI 2019. The best of a random sample of the population has a child, and the oldest leaves.
///
/// For a front, "best" is by a Chebyshev distance to the best values seen, its weights drawn anew for each child (as ParEGO has it:
/// Knowles 2006), so that the population spreads over the front.
public struct RegularizedEvolution: Sampler {
  public static let kind = SamplerKind.regularizedEvolution
  private static let version = 1
  static let populationSize = 50
  static let tournamentSize = 10

  private struct State: Codable {
    var asked: Int
    var pending: [Proposal]
  }

  private let seed: UInt64
  private let breeding: Breeding
  private var asked = 0
  private var history: TrialHistory
  private var domain: SearchDomain { history.domain }

  public init(domain: SearchDomain, seed: UInt64) {
    self.seed = seed
    breeding = Breeding(domain)
    history = TrialHistory(domain)
  }

  public init(domain: SearchDomain, snapshot: Data, history: [Outcome]) throws {
    let snapshot = try SamplerSnapshot<State>.decode(snapshot, Self.kind, version: Self.version)
    self.init(domain: domain, seed: snapshot.seed)
    asked = snapshot.state.asked
    self.history = try TrialHistory(domain, pending: snapshot.state.pending, history: history)
  }

  public func snapshot() throws -> Data {
    try SamplerSnapshot.encode(
      Self.kind, version: Self.version, seed: seed, State(asked: asked, pending: history.seen.pending))
  }

  public mutating func tell(_ outcomes: [Outcome]) throws {
    for outcome in outcomes { try history.tell(outcome) }
  }

  public mutating func ask(_ count: Int) -> [Proposal] {
    // The youngest that gave something.
    var population: [Trial] = []
    for trial in history.trials.reversed() where !trial.isFailed {
      population.append(trial)
      if population.count == Self.populationSize { break }
    }
    return (0..<max(count, 0)).map { _ in
      var random = CounterRandom(seed: seed, stream: UInt64(asked))
      let starts = asked < Self.populationSize || population.isEmpty
      asked += 1
      let proposal = breeding.new(in: history, using: &random) { random in
        if starts { return domain.randomProposal(using: &random) }
        let ranking = Scalariser(domain, population, using: &random)
        let drawn = (0..<Self.tournamentSize).map { _ in random.nextIndex(below: population.count) }
        let best = drawn.min { ranking.loss(population[$0]) < ranking.loss(population[$1]) } ?? 0
        let mate = population[random.nextIndex(below: population.count)]
        return breeding.child(of: population[best].proposal, mate: mate.proposal, using: &random)
      }
      history.ask(proposal)
      return proposal
    }
  }
}
