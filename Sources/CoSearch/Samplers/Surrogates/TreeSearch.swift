import Foundation
import Numerics

/// Expected improvement on trees over the embedding: a forest (as SMAC has it: Hutter, Hoos and Leyton-Brown 2011) or boosted trees. For
/// a front, one scalarisation a few proposals, each drawn anew (ParEGO).
struct TreeSearch: Sendable {
  enum Model: Sendable { case forest, boosted }

  struct State: Codable {
    var asked: Int
    var rounds: Int
    var pending: [Proposal]
  }

  let seed: UInt64
  private let model: Model
  private let features: ProposalFeatures
  private let breeding: Breeding
  private var asked = 0
  private var rounds = 0
  private var history: TrialHistory
  private var domain: SearchDomain { history.domain }

  static let initialCount = 16
  /// Proposals of one fit.
  static let batch = 5
  static let candidates = 500
  static let mostRows = 1_000

  init(_ model: Model, domain: SearchDomain, seed: UInt64) {
    self.seed = seed
    self.model = model
    features = ProposalFeatures(.embedding, domain: domain)
    breeding = Breeding(domain)
    history = TrialHistory(domain)
  }

  init(_ model: Model, domain: SearchDomain, seed: UInt64, state: State, outcomes: [Outcome]) throws {
    self.init(model, domain: domain, seed: seed)
    asked = state.asked
    rounds = state.rounds
    history = try TrialHistory(domain, pending: state.pending, history: outcomes)
  }

  var state: State { State(asked: asked, rounds: rounds, pending: history.seen.pending) }

  mutating func tell(_ outcomes: [Outcome]) throws {
    for outcome in outcomes { try history.tell(outcome) }
  }

  mutating func ask(_ count: Int) -> [Proposal] {
    var result: [Proposal] = []
    while result.count < count {
      let wanted = min(count - result.count, Self.batch)
      let known = history.trials.filter { !$0.isFailed }
      var batch = known.count >= Self.initialCount ? propose(wanted, known) : []
      while batch.count < wanted {
        var random = CounterRandom(seed: seed, stream: 0xC0, UInt64(asked))
        let proposal = breeding.new(in: history, using: &random) { domain.randomProposal(using: &$0) }
        history.ask(proposal)
        batch.append(proposal)
        asked += 1
      }
      result += batch
    }
    return result
  }

  private mutating func propose(_ count: Int, _ known: [Trial]) -> [Proposal] {
    rounds += 1
    var random = CounterRandom(seed: seed, stream: 0xC1, UInt64(rounds))
    let scalariser = Scalariser(domain, known, using: &random)
    let losses = known.map(scalariser.loss)
    let order = known.indices.sorted { (losses[$0], $0) < (losses[$1], $1) }
    var kept = Array(known.indices)
    if kept.count > Self.mostRows {
      kept = Set(order.prefix(Self.mostRows / 2)).union(known.indices.suffix(Self.mostRows / 2)).sorted()
    }
    let rows = kept.map { features.row(known[$0].proposal) }
    let targets = kept.map { losses[$0] }
    let predict: ([Double]) -> (mean: Double, deviation: Double)
    switch model {
    case .forest:
      let forest = RegressionForest(rows, targets, seed: seed, stream: 0xC200 + UInt64(rounds) << 16)
      predict = forest.predict
    case .boosted:
      let boosted = BoostedTrees(rows, targets, seed: seed, stream: 0xC300 + UInt64(rounds) << 16)
      predict = boosted.predict
    }
    let best = order.first.map { losses[$0] } ?? 0
    let parents = order.prefix(10).map { known[$0].proposal }
    var seen: Set<Proposal> = []
    var scored: [(proposal: Proposal, score: Double)] = []
    for index in 0..<2 * Self.candidates {
      let proposal =
        index < Self.candidates
        ? domain.randomProposal(using: &random)
        : breeding.child(
          of: parents[random.nextIndex(below: parents.count)], mate: parents[random.nextIndex(below: parents.count)],
          using: &random)
      guard history.isNew(proposal), seen.insert(proposal).inserted else { continue }
      let (mean, deviation) = predict(features.row(proposal))
      let spread = max(deviation, 1e-9)
      let z = (best - mean) / spread
      scored.append((proposal, (best - mean) * Double.normalCDF(z) + spread * Double.normalDensity(z)))
    }
    // Of equal scores the one that was bred first.
    let ranked = scored.indices.sorted { (-scored[$0].score, $0) < (-scored[$1].score, $1) }
    let chosen = ranked.prefix(count).map { scored[$0].proposal }
    for proposal in chosen {
      history.ask(proposal)
      asked += 1
    }
    return chosen
  }
}
