import Architectures
import Foundation
import Numerics

/// Every choice uniform: the device, the number of layers, then each layer's choices.
public struct RandomSampler: Sampler {
  public static let kind = SamplerKind.random

  private struct State: Codable {
    var asked: Int
    var pending: [Proposal]
  }

  private static let version = 1
  private static let patience = 100
  private let domain: SearchDomain
  private let seed: UInt64
  private var asked = 0
  private var seen: SeenProposals

  public init(domain: SearchDomain, seed: UInt64) {
    self.domain = domain
    self.seed = seed
    seen = SeenProposals()
  }

  public init(domain: SearchDomain, snapshot: Data, history: [Outcome]) throws {
    let snapshot = try SamplerSnapshot<State>.decode(snapshot, Self.kind, version: Self.version)
    self.init(domain: domain, seed: snapshot.seed)
    asked = snapshot.state.asked
    seen = SeenProposals(pending: snapshot.state.pending, history: history)
  }

  public func snapshot() throws -> Data {
    try SamplerSnapshot.encode(
      Self.kind, version: Self.version, seed: seed, State(asked: asked, pending: seen.pending))
  }

  public mutating func ask(_ count: Int) -> [Proposal] {
    (0..<max(count, 0)).map { _ in
      var random = CounterRandom(seed: seed, stream: UInt64(asked))
      asked += 1
      var proposal = domain.randomProposal(using: &random)
      for _ in 0..<Self.patience where seen.contains(proposal) { proposal = domain.randomProposal(using: &random) }
      seen.ask(proposal)
      return proposal
    }
  }

  public mutating func tell(_ outcomes: [Outcome]) throws {
    for outcome in outcomes {
      guard domain.contains(outcome.proposal) else { throw SamplerError.foreignProposal }
      seen.tell(outcome.proposal)
    }
  }
}

extension SearchDomain {
  func randomProposal(using random: inout CounterRandom) -> Proposal {
    let device = random.nextIndex(below: deviceCount)
    return Proposal(point: space.randomPoint(using: &random), device: device)
  }
}
