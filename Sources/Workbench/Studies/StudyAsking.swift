import Architectures
import CoSearch
import Foundation
import Studies

/// Asks a study's sampler for trials.
///
/// The sampler's state lies in the study, written with the trials that it proposed; what was told since is told to it first. So it does
/// not matter which process asks, or how often one was stopped.
public final class StudyAsking {
  private let study: Study
  /// The sampler as the last question left it, so that the next need not make it anew from all that was told.
  private var left: (sampler: any Sampler, snapshot: Data, told: Int)?

  public static let samplerNames = SamplerKind.allCases.map(\.rawValue)
  public static let standardSampler = SamplerKind.standard.rawValue

  public init(_ study: Study) {
    self.study = study
  }

  /// Hands out `count` new trials.
  /// - Parameter total: none beyond so many of the study, whoever asked for them meanwhile.
  /// - Throws: `StudyError`, or what the sampler throws.
  public func ask(_ count: Int, upTo total: Int = .max) throws -> [Trial] {
    let definition = study.definition
    let kind = try SamplerKind(named: definition.sampler)
    let domain = SearchDomain(definition.problem, space: definition.space)
    return try study.ask { history in
      var sampler: any Sampler
      let new: [Outcome]
      // Nobody has asked since: what is in memory is what the snapshot would be read to.
      if let left, let state = history.state, state.told == left.told, state.snapshot == left.snapshot {
        sampler = left.sampler
        new = try history.told(after: left.told).map(Self.outcome)
      } else {
        let told = try history.told().map(Self.outcome)
        let seen = min(history.state?.told ?? 0, told.count)
        sampler =
          if let state = history.state {
            try kind.sampler(domain: domain, snapshot: state.snapshot, history: Array(told.prefix(seen)))
          } else {
            try kind.sampler(domain: domain, seed: definition.seed)
          }
        new = Array(told[seen...])
      }
      if !new.isEmpty { try sampler.tell(new) }
      let wanted = min(count, total - history.count)
      let proposals = wanted > 0 ? try sampler.ask(wanted) : []
      let snapshot = try sampler.snapshot()
      left = (sampler, snapshot, history.toldCount)
      return Study.Proposals(
        candidates: proposals.map { (point: $0.point, device: $0.device) }, snapshot: snapshot)
    }
  }

  static func outcome(_ trial: Trial) -> Outcome {
    let proposal = Proposal(point: trial.point, device: trial.device)
    guard trial.state == .complete else { return .failed(proposal) }
    return Outcome(
      proposal: proposal, values: trial.values, scalar: trial.scalar, isFeasible: trial.isFeasible ?? true,
      violation: trial.isFeasible == true ? 0 : trial.violation)
  }
}
