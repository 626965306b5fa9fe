/// What a sampler has asked or been told, so that it does not ask it again, and what it still waits for.
struct SeenProposals: Sendable {
  private var seen: Set<Proposal> = []
  /// Asked and not told, in the order of asking.
  private(set) var pending: [Proposal] = []

  init() {}

  init(pending: [Proposal], history: [Outcome]) {
    self.pending = pending
    seen = Set(pending)
    for outcome in history { seen.insert(outcome.proposal) }
  }

  func contains(_ proposal: Proposal) -> Bool { seen.contains(proposal) }

  mutating func ask(_ proposal: Proposal) {
    seen.insert(proposal)
    pending.append(proposal)
  }

  mutating func tell(_ proposal: Proposal) {
    seen.insert(proposal)
    if let position = pending.firstIndex(of: proposal) { pending.remove(at: position) }
  }
}
