import Foundation

/// Bayesian optimisation with Gaussian processes on the embedding: expected improvement, or expected hypervolume improvement for a front.
public struct GaussianProcessSampler: Sampler {
  public static let kind = SamplerKind.gaussianProcess
  /// 2: kernels of another grid, and a state that keeps one a process.
  private static let version = 2
  private static let options = GaussianProcessSearch.Options(
    features: .embedding, modelsQuantities: false, rounds: 1, childrenARound: 500, randomCandidates: 500,
    startsFromSeeds: false, mostRows: 400, evolvesFrom: nil)
  private var search: GaussianProcessSearch

  public init(domain: SearchDomain, seed: UInt64) {
    search = GaussianProcessSearch(Self.options, domain: domain, seed: seed)
  }

  public init(domain: SearchDomain, snapshot: Data, history: [Outcome]) throws {
    let snapshot = try SamplerSnapshot<GaussianProcessSearch.State>.decode(
      snapshot, Self.kind, version: Self.version)
    search = try GaussianProcessSearch(
      Self.options, domain: domain, seed: snapshot.seed, state: snapshot.state, outcomes: history)
  }

  public mutating func ask(_ count: Int) throws -> [Proposal] { try search.ask(count) }
  public mutating func tell(_ outcomes: [Outcome]) throws { try search.tell(outcomes) }
  public func snapshot() throws -> Data {
    try SamplerSnapshot.encode(Self.kind, version: Self.version, seed: search.seed, search.state)
  }
}
