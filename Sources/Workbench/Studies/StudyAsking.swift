import Architectures
import CoSearch
import Foundation
import Studies

/// Asks a study's sampler for trials.
///
/// The sampler's state lies in the study, written with the trials that it proposed; what was told since is told to it first. So it does
/// not matter which process asks, or how often one was stopped.
public struct StudyAsking {
  private let study: Study

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
      let told = try history.told().map(Self.outcome)
      var sampler: any Sampler
      var seen = 0
      if let state = history.state {
        seen = min(state.told, told.count)
        sampler = try kind.sampler(domain: domain, snapshot: state.snapshot, history: Array(told.prefix(seen)))
      } else {
        sampler = try kind.sampler(domain: domain, seed: definition.seed)
      }
      if told.count > seen { try sampler.tell(Array(told[seen...])) }
      let wanted = min(count, total - history.count)
      let proposals = wanted > 0 ? try sampler.ask(wanted) : []
      return Study.Proposals(
        candidates: proposals.map { (point: $0.point, device: $0.device) }, snapshot: try sampler.snapshot())
    }
  }

  static func outcome(_ trial: Trial) -> Outcome {
    let proposal = Proposal(point: trial.point, device: trial.device)
    guard trial.state == .complete else { return .failed(proposal) }
    return Outcome(
      proposal: proposal, values: trial.values, scalar: trial.scalar, isFeasible: trial.isFeasible ?? true,
      violation: trial.isFeasible == true ? 0 : nil)
  }
}
