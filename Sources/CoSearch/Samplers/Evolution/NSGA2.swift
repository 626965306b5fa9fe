import Foundation

/// NSGA-II: Deb, Pratap, Agarwal and Meyarivan 2002.
public struct NSGA2: Sampler {
  public static let kind = SamplerKind.nsga2
  private static let version = 1
  private var search: GeneticSearch

  public init(domain: SearchDomain, seed: UInt64) { search = GeneticSearch(.crowding, domain: domain, seed: seed) }

  public init(domain: SearchDomain, snapshot: Data, history: [Outcome]) throws {
    let snapshot = try SamplerSnapshot<GeneticSearch.State>.decode(snapshot, Self.kind, version: Self.version)
    search = try GeneticSearch(
      .crowding, domain: domain, seed: snapshot.seed, state: snapshot.state, outcomes: history)
  }

  public mutating func ask(_ count: Int) -> [Proposal] { search.ask(count) }
  public mutating func tell(_ outcomes: [Outcome]) throws { try search.tell(outcomes) }
  public func snapshot() throws -> Data {
    try SamplerSnapshot.encode(Self.kind, version: Self.version, seed: search.seed, search.state)
  }
}
