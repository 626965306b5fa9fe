import Foundation
import Numerics

/// NSGA-II and NSGA-III: tournaments among a population choose parents; when as many trials have come as the population has members,
/// the better half of both survives, by rank and then by crowding distance (II) or by niches of reference directions (III).
///
/// Outcomes are taken in as they come, so that batches of any size may be out at once.
struct GeneticPopulation: Sendable {
  enum Survival: Sendable { case crowding, niches }

  static let size = 50
  let survival: Survival
  let dimension: Int
  private let directions: ReferenceDirections
  private(set) var members: [Trial] = []
  private var newcomers: [Trial] = []
  /// Rank and crowding of each member.
  private var ranks: [Int] = []
  private var spaces: [Double] = []

  init(_ survival: Survival, domain: SearchDomain) {
    self.survival = survival
    dimension = domain.dimension
    directions = ReferenceDirections(dimension: dimension, count: Self.size)
  }

  mutating func take(_ trial: Trial) {
    guard !trial.isFailed else { return }
    newcomers.append(trial)
    if newcomers.count >= Self.size { renew() }
  }

  private mutating func renew() {
    let all = members + newcomers
    newcomers.removeAll(keepingCapacity: true)
    var chosen: [Int] = []
    var chosenRanks: [Int] = []
    var chosenSpaces: [Double] = []
    for (rank, front) in NonDominatedSorting.fronts(all).enumerated() {
      let room = Self.size - chosen.count
      if room <= 0 { break }
      let crowding = NonDominatedSorting.crowding(front, all, dimension: dimension)
      var taken = front
      if front.count > room {
        taken =
          survival == .niches
          ? directions.select(room, from: front, chosen: chosen, all)
          : Array(
            front.sorted { (-(crowding[$0] ?? 0), $0) < (-(crowding[$1] ?? 0), $1) }.prefix(room))
      }
      chosen += taken
      chosenRanks += taken.map { _ in rank }
      chosenSpaces += taken.map { crowding[$0] ?? 0 }
    }
    members = chosen.map { all[$0] }
    ranks = chosenRanks
    spaces = chosenSpaces
  }

  /// The winner of a tournament of two.
  func parent(using random: inout CounterRandom) -> Proposal {
    let (a, b) = (random.nextIndex(below: members.count), random.nextIndex(below: members.count))
    if ranks[a] != ranks[b] { return members[ranks[a] < ranks[b] ? a : b].proposal }
    if survival == .niches { return members[a].proposal }
    return members[spaces[a] >= spaces[b] ? a : b].proposal
  }
}

/// What the two have in common.
private struct GeneticCore: Sendable {
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

/// NSGA-II: Deb, Pratap, Agarwal and Meyarivan 2002.
public struct NSGA2: Sampler {
  public static let kind = SamplerKind.nsga2
  private static let version = 1
  private var core: GeneticCore

  public init(domain: SearchDomain, seed: UInt64) { core = GeneticCore(.crowding, domain: domain, seed: seed) }

  public init(domain: SearchDomain, snapshot: Data, history: [Outcome]) throws {
    let snapshot = try SamplerSnapshot<GeneticCore.State>.decode(snapshot, Self.kind, version: Self.version)
    core = try GeneticCore(
      .crowding, domain: domain, seed: snapshot.seed, state: snapshot.state, outcomes: history)
  }

  public mutating func ask(_ count: Int) -> [Proposal] { core.ask(count) }
  public mutating func tell(_ outcomes: [Outcome]) throws { try core.tell(outcomes) }
  public func snapshot() throws -> Data {
    try SamplerSnapshot.encode(Self.kind, version: Self.version, seed: core.seed, core.state)
  }
}

/// NSGA-III: Deb and Jain 2014.
public struct NSGA3: Sampler {
  public static let kind = SamplerKind.nsga3
  private static let version = 1
  private var core: GeneticCore

  public init(domain: SearchDomain, seed: UInt64) { core = GeneticCore(.niches, domain: domain, seed: seed) }

  public init(domain: SearchDomain, snapshot: Data, history: [Outcome]) throws {
    let snapshot = try SamplerSnapshot<GeneticCore.State>.decode(snapshot, Self.kind, version: Self.version)
    core = try GeneticCore(.niches, domain: domain, seed: snapshot.seed, state: snapshot.state, outcomes: history)
  }

  public mutating func ask(_ count: Int) -> [Proposal] { core.ask(count) }
  public mutating func tell(_ outcomes: [Outcome]) throws { try core.tell(outcomes) }
  public func snapshot() throws -> Data {
    try SamplerSnapshot.encode(Self.kind, version: Self.version, seed: core.seed, core.state)
  }
}
