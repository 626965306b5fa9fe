import Foundation

/// BOSHCODE on inputs scaled to 0…1: the published networks saturate on raw numbers up to 21 804.
public struct ScaledBoshcode: Sampler {
  public static let kind = SamplerKind.boshcodeScaled
  private var core: Boshcode

  public init(domain: SearchDomain, seed: UInt64) { core = Boshcode(domain: domain, seed: seed, inputs: .unit) }

  public init(domain: SearchDomain, snapshot: Data, history: [Outcome]) throws {
    core = try Boshcode(domain: domain, snapshot: snapshot, history: history, inputs: .unit, kind: Self.kind)
  }

  public mutating func ask(_ count: Int) -> [Proposal] { core.ask(count) }
  public mutating func tell(_ outcomes: [Outcome]) throws { try core.tell(outcomes) }
  public func snapshot() throws -> Data { try core.snapshot(Self.kind) }
}
