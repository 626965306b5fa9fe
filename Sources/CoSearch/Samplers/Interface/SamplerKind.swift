import Foundation

/// The samplers, by their names in files and flags.
public enum SamplerKind: String, Sendable, Hashable, CaseIterable, Codable {
  case random

  /// What is used where none is named.
  public static let standard = SamplerKind.random

  private var type: any Sampler.Type {
    switch self {
    case .random: RandomSampler.self
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
