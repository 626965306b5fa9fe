import Architectures
import Numerics

/// Makes new pairs from good ones: ``Variation`` for the design point, now and then another device.
struct Breeding: Sendable {
  let domain: SearchDomain
  private let variation: Variation
  private static let deviceRate = 0.1
  private static let patience = 20

  init(_ domain: SearchDomain) {
    self.domain = domain
    variation = Variation(space: domain.space)
  }

  func child(of parent: Proposal, mate: Proposal, using random: inout CounterRandom) -> Proposal {
    var device = random.nextUniform() < 0.1 ? mate.device : parent.device
    var point = parent.point
    let jumps = domain.deviceCount > 1 && random.nextUniform() < Self.deviceRate
    if jumps { device = random.nextIndex(below: domain.deviceCount) }
    // The same model on another device is worth knowing too.
    if device == parent.device || random.nextUniform() < 0.5 {
      point = variation.child(of: parent.point, mate: mate.point, using: &random)
    }
    return Proposal(point: point, device: device)
  }

  /// A new pair by `make`, or after some tries a random one.
  func new(
    in history: TrialHistory, using random: inout CounterRandom, _ make: (inout CounterRandom) -> Proposal
  ) -> Proposal {
    for _ in 0..<Self.patience {
      let proposal = make(&random)
      if history.isNew(proposal) { return proposal }
    }
    var proposal = domain.randomProposal(using: &random)
    for _ in 0..<Self.patience where !history.isNew(proposal) { proposal = domain.randomProposal(using: &random) }
    return proposal
  }
}
