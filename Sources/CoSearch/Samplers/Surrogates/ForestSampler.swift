import Foundation

/// Expected improvement on extremely randomised trees.
public struct ForestSampler: Sampler {
  public static let kind = SamplerKind.forest
  private static let version = 1
  private var search: TreeSearch

  public init(domain: SearchDomain, seed: UInt64) { search = TreeSearch(.forest, domain: domain, seed: seed) }

  public init(domain: SearchDomain, snapshot: Data, history: [Outcome]) throws {
    let snapshot = try SamplerSnapshot<TreeSearch.State>.decode(snapshot, Self.kind, version: Self.version)
    search = try TreeSearch(.forest, domain: domain, seed: snapshot.seed, state: snapshot.state, outcomes: history)
  }

  public mutating func ask(_ count: Int) -> [Proposal] { search.ask(count) }
  public mutating func tell(_ outcomes: [Outcome]) throws { try search.tell(outcomes) }
  public func snapshot() throws -> Data {
    try SamplerSnapshot.encode(Self.kind, version: Self.version, seed: search.seed, search.state)
  }
}
