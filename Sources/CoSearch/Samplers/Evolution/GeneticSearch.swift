import Numerics

/// What NSGA-II and NSGA-III have in common: asking and telling around a population.
struct GeneticSearch: Sendable {
  struct State: Codable {
    var asked: Int
    var pending: [Proposal]
  }

  let seed: UInt64
  let breeding: Breeding
  var asked = 0
  var history: TrialHistory
  var population: GeneticPopulation

  init(_ survival: GeneticPopulation.Survival, domain: SearchDomain, seed: UInt64) {
    self.seed = seed
    breeding = Breeding(domain)
    history = TrialHistory(domain)
    population = GeneticPopulation(survival, domain: domain)
  }

  init(
    _ survival: GeneticPopulation.Survival, domain: SearchDomain, seed: UInt64, state: State, outcomes: [Outcome]
  ) throws {
    self.init(survival, domain: domain, seed: seed)
    asked = state.asked
    history = try TrialHistory(domain, pending: state.pending, history: outcomes)
    for trial in history.trials { population.take(trial) }
  }

  var state: State { State(asked: asked, pending: history.seen.pending) }

  mutating func tell(_ outcomes: [Outcome]) throws {
    for outcome in outcomes { population.take(try history.tell(outcome)) }
  }

  mutating func ask(_ count: Int) -> [Proposal] {
    (0..<max(count, 0)).map { _ in
      var random = CounterRandom(seed: seed, stream: UInt64(asked))
      asked += 1
      let proposal = breeding.new(in: history, using: &random) { random in
        if population.members.isEmpty { return breeding.domain.randomProposal(using: &random) }
        let parent = population.parent(using: &random)
        return breeding.child(of: parent, mate: population.parent(using: &random), using: &random)
      }
      history.ask(proposal)
      return proposal
    }
  }
}
