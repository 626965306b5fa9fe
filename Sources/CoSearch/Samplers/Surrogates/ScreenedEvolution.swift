import Foundation

/// The standard sampler: evolution whose children are screened, over several generations, by Gaussian processes on sums over a model's
/// layers, one for each quantity, that share what they learn among devices. Once it knows some hundred trials, half of what it asks for
/// is bred as NSGA-II does and not screened.
public struct ScreenedEvolution: Sampler {
  public static let kind = SamplerKind.screenedEvolution
  /// 2: kernels of another grid, and a state that keeps one a process.
  private static let version = 2
  private static let options = GaussianProcessSearch.Options(
    features: .structure, modelsQuantities: true, rounds: 4, childrenARound: 400, randomCandidates: 50,
    startsFromSeeds: true, mostRows: 500, evolvesFrom: 250)
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
