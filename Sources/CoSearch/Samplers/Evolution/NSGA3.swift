import Foundation

/// NSGA-III: Deb and Jain 2014.
public struct NSGA3: Sampler {
  public static let kind = SamplerKind.nsga3
  private static let version = 1
  private var search: GeneticSearch

  public init(domain: SearchDomain, seed: UInt64) { search = GeneticSearch(.niches, domain: domain, seed: seed) }

  public init(domain: SearchDomain, snapshot: Data, history: [Outcome]) throws {
    let snapshot = try SamplerSnapshot<GeneticSearch.State>.decode(snapshot, Self.kind, version: Self.version)
    search = try GeneticSearch(.niches, domain: domain, seed: snapshot.seed, state: snapshot.state, outcomes: history)
  }

  public mutating func ask(_ count: Int) -> [Proposal] { search.ask(count) }
  public mutating func tell(_ outcomes: [Outcome]) throws { try search.tell(outcomes) }
  public func snapshot() throws -> Data {
    try SamplerSnapshot.encode(Self.kind, version: Self.version, seed: search.seed, search.state)
  }
}
