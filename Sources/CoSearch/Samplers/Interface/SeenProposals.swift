/// What a sampler has asked or been told, so that it does not ask it again, and what it still waits for.
struct SeenProposals: Sendable {
  private var seen: Set<Proposal> = []
  /// When each was asked that was not told yet.
  private var turns: [Proposal: Int] = [:]
  private var asked = 0

  init() {}

  init(pending: [Proposal], history: [Outcome]) {
    for proposal in pending { ask(proposal) }
    for outcome in history { seen.insert(outcome.proposal) }
  }

  /// Asked and not told, in the order of asking.
  var pending: [Proposal] { turns.sorted { $0.value < $1.value }.map(\.key) }

  func contains(_ proposal: Proposal) -> Bool { seen.contains(proposal) }

  mutating func ask(_ proposal: Proposal) {
    seen.insert(proposal)
    if turns[proposal] == nil { turns[proposal] = asked }
    asked += 1
  }

  mutating func tell(_ proposal: Proposal) {
    seen.insert(proposal)
    turns[proposal] = nil
  }
}
