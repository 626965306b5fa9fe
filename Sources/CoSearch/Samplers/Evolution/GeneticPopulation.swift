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
