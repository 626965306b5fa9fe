import Foundation

/// The samplers, by their names in files and flags.
public enum SamplerKind: String, Sendable, Hashable, CaseIterable, Codable {
  case random
  case regularizedEvolution = "regularized-evolution"
  case nsga2
  case nsga3
  case gaussianProcess = "gp"
  case forest
  case boostedTrees = "gbrt"
  case boshcode
  case boshcodeScaled = "boshcode-scaled"
  case screenedEvolution = "screened-evolution"

  /// What is used where none is named.
  public static let standard = SamplerKind.screenedEvolution

  private var type: any Sampler.Type {
    switch self {
    case .random: RandomSampler.self
    case .regularizedEvolution: RegularizedEvolution.self
    case .nsga2: NSGA2.self
    case .nsga3: NSGA3.self
    case .gaussianProcess: GaussianProcessSampler.self
    case .forest: ForestSampler.self
    case .boostedTrees: BoostedTreeSampler.self
    case .boshcode: Boshcode.self
    case .boshcodeScaled: ScaledBoshcode.self
    case .screenedEvolution: ScreenedEvolution.self
    }
  }

  /// - Throws: ``SamplerError/unknownKind(_:)``.
  public init(named name: String) throws(SamplerError) {
    guard let kind = SamplerKind(rawValue: name) else { throw .unknownKind(name) }
    self = kind
  }

  public func sampler(domain: SearchDomain, seed: UInt64) throws -> any Sampler {
    try type.init(domain: domain, seed: seed)
  }

  /// See ``Sampler/init(domain:snapshot:history:)``.
  public func sampler(domain: SearchDomain, snapshot: Data, history: [Outcome]) throws -> any Sampler {
    try type.init(domain: domain, snapshot: snapshot, history: history)
  }
}
