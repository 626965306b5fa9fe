import Foundation

/// Proposes what to evaluate next, and learns from what came of it: ask and tell.
///
/// A sampler is a value. What it asks depends on the domain, the seed, the calls of ``ask(_:)`` and the outcomes told, in their order;
/// on nothing else. Outcomes may come in another order than they were asked in, in part, or never, and outcomes of pairs
/// that it never asked for are welcome: that is how a search starts from what is known already.
public protocol Sampler: Sendable {
  static var kind: SamplerKind { get }

  init(domain: SearchDomain, seed: UInt64) throws

  /// Goes on where another one of the same domain left off: the next ``ask(_:)`` gives what the other's would have given.
  /// - Parameters:
  ///   - snapshot: of the other.
  ///   - history: all that the other was told up to that moment, in that order.
  /// - Throws: ``SamplerError`` where the snapshot is not one of this kind of sampler.
  init(domain: SearchDomain, snapshot: Data, history: [Outcome]) throws

  /// The next pairs to evaluate, `count` of them; all are of the domain. None was asked or told before, as far as the sampler finds
  /// new ones, which in a tiny space it may not.
  mutating func ask(_ count: Int) throws -> [Proposal]

  /// Takes in what came of trials.
  mutating func tell(_ outcomes: [Outcome]) throws

  /// All that ``init(domain:snapshot:history:)`` needs beside the history: from tens of bytes to, where networks are kept, a
  /// hundred kilobytes; grows with what was asked and not yet told, not with the history.
  func snapshot() throws -> Data
}

/// What a sampler cannot go on from.
public enum SamplerError: Error, Equatable, Sendable, CustomStringConvertible {
  case snapshot(kind: SamplerKind, problem: String)
  /// An outcome of a pair that is not of the domain.
  case foreignProposal
  case unknownKind(String)

  public var description: String {
    switch self {
    case .snapshot(let kind, let problem): "state of the sampler \(kind.rawValue): \(problem)"
    case .foreignProposal: "a trial is of another space or device than the problem's"
    case .unknownKind(let name):
      "no sampler is called \"\(name)\"; there are \(SamplerKind.allCases.map(\.rawValue).joined(separator: ", "))"
    }
  }
}
