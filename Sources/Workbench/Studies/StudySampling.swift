import CoSearch
import Foundation
import Studies

/// Runs a study's sampler on the study's own problem: asks it, evaluates by the twins, tells it, again and again.
///
/// Every step is kept as it is done, so that it can be stopped at any moment; what was handed out and never told is evaluated first.
/// With one process at a time the trials are the same as without a stop.
public struct StudySampling: Sendable {
  public let study: Study
  public let setup: SearchSetup

  public init(_ study: Study, _ setup: SearchSetup) {
    self.study = study
    self.setup = setup
  }

  /// Goes on until the study has so many trials, of all processes that are at it; cancelling the task ends it after a step.
  /// - Parameters:
  ///   - batch: trials in a step; more are quicker, fewer let a sampler learn sooner.
  ///   - progress: called with the number of trials after each step.
  /// - Returns: whether it came to its end.
  /// - Throws: what the study and the sampler throw.
  public func run(
    trials: Int, batch: Int, progress: (@Sendable (Int) -> Void)? = nil
  ) async throws -> Bool {
    try evaluate(try study.running(limit: Int.max))
    let asking = StudyAsking(study)
    while !Task.isCancelled {
      let count = try study.counts().trials
      progress?(count)
      guard count < trials else { return true }
      try evaluate(try asking.ask(batch, upTo: trials))
      await Task.yield()
    }
    return false
  }

  private func evaluate(_ trials: [Trial]) throws {
    guard !trials.isEmpty else { return }
    let outcomes = trials.map { trial -> TrialOutcome in
      guard let candidate = setup.evaluator.candidate(of: trial.point, device: trial.device) else {
        return TrialOutcome(trial: trial.number, isComplete: false, error: "the twin gave no answer")
      }
      return TrialOutcome(
        trial: trial.number, isComplete: true, values: candidate.assessment.values,
        isFeasible: candidate.assessment.isFeasible,
        violation: candidate.assessment.violation.isFinite ? candidate.assessment.violation : nil)
    }
    // Another process may have told some of them by now: the same but for roundings, where it asked the same twins.
    _ = try study.tell(outcomes) { position, refusal in
      StudyError(
        path: study.path, kind: .input,
        problem: "trial \(outcomes[position].trial) was told otherwise by another process: \(refusal)")
    }
  }
}
