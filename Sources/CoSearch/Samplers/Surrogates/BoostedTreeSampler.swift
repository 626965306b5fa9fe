import Foundation

/// Expected improvement on boosted trees.
public struct BoostedTreeSampler: Sampler {
  public static let kind = SamplerKind.boostedTrees
  private static let version = 1
  private var search: TreeSearch

  public init(domain: SearchDomain, seed: UInt64) { search = TreeSearch(.boosted, domain: domain, seed: seed) }

  public init(domain: SearchDomain, snapshot: Data, history: [Outcome]) throws {
    let snapshot = try SamplerSnapshot<TreeSearch.State>.decode(snapshot, Self.kind, version: Self.version)
    search = try TreeSearch(.boosted, domain: domain, seed: snapshot.seed, state: snapshot.state, outcomes: history)
  }

  public mutating func ask(_ count: Int) -> [Proposal] { search.ask(count) }
  public mutating func tell(_ outcomes: [Outcome]) throws { try search.tell(outcomes) }
  public func snapshot() throws -> Data {
    try SamplerSnapshot.encode(Self.kind, version: Self.version, seed: search.seed, search.state)
  }
}
