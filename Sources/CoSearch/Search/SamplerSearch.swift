import Architectures
import Numerics
import Twins

/// A search by a sampler, which sees only what its trials come to: the black-box counterpart of ``Explorer``, with the same answer.
public struct SamplerSearch: Sendable {
  public let evaluator: CandidateEvaluator
  public let kind: SamplerKind
  private let explorer: Explorer

  /// Trials that are asked for at once: few where each counts.
  private static let smallBatch = 5
  private static let largeBatch = 20
  private static let mostInSmallBatches = 500

  public init(_ evaluator: CandidateEvaluator, kind: SamplerKind) {
    self.evaluator = evaluator
    self.kind = kind
    explorer = Explorer(evaluator)
  }

  /// Asks, evaluates and tells, on one thread. Cancelling the task ends it after a batch, with what it has.
  /// - Parameter progress: called after each batch.
  /// - Throws: ``SearchError`` for an empty extent, and what the sampler throws.
  public func explore(
    _ extent: Explorer.Extent, seed: UInt64, progress report: (@Sendable (Exploration.Progress) -> Void)? = nil
  ) async throws -> Exploration {
    let schedule = try Schedule(extent)
    let clock = ContinuousClock()
    let start = clock.now
    func elapsed() -> Double { (clock.now - start) / .seconds(1) }

    var sampler = try kind.sampler(domain: SearchDomain(evaluator.problem, space: evaluator.space), seed: seed)
    let box = try ReferenceBox.box(evaluator, Seeds(evaluator.space))
    var state = try SearchState(evaluator: evaluator, box: box, capacity: explorer.archiveCapacity)
    var record = TraceRecorder()
    var nextTightening = 1
    var batches = 0
    var wasCancelled = false
    while schedule.goesOn(evaluations: state.evaluations, seconds: elapsed()) {
      if Task.isCancelled {
        wasCancelled = true
        break
      }
      let proposals = try sampler.ask(batch(extent, done: state.evaluations))
      try sampler.tell(proposals.map(outcome))
      // Those of one device together, each device in the order of its first.
      var devices: [Int] = []
      for proposal in proposals where !devices.contains(proposal.device) { devices.append(proposal.device) }
      let snapshot = state.snapshot(generation: batches)
      for device in devices {
        let points = proposals.filter { $0.device == device }.map(\.point)
        state.take(
          evaluator.sift(
            points, parents: Array(repeating: SIMD8(repeating: .infinity), count: points.count), device: device,
            snapshot))
      }
      batches += 1
      if batches == nextTightening {
        state.tightenBox()
        nextTightening *= 2
      }
      _ = record.note(state, seconds: elapsed())
      report?(
        Exploration.Progress(
          evaluations: state.evaluations, seconds: elapsed(), frontCount: state.archive.members.count,
          feasibleCount: state.feasibleCount))
      await Task.yield()
    }
    let seconds = elapsed()
    _ = record.finish(state, seconds: seconds)
    return try explorer.exploration(state, record, seconds: seconds, wasCancelled: wasCancelled)
  }

  private func batch(_ extent: Explorer.Extent, done: Int) -> Int {
    switch extent {
    case .evaluations(let count):
      min(count - done, count <= Self.mostInSmallBatches ? Self.smallBatch : Self.largeBatch)
    case .seconds: done < Self.mostInSmallBatches ? Self.smallBatch : Self.largeBatch
    }
  }

  private func outcome(_ proposal: Proposal) -> Outcome {
    guard let candidate = evaluator.candidate(of: proposal.point, device: proposal.device) else {
      return .failed(proposal)
    }
    return Outcome(proposal: proposal, assessment: candidate.assessment)
  }
}
