import Architectures
import Numerics
import Twins

/// A multi-objective search over (architecture, device): an archive of good candidates that keeps as much hypervolume as it can,
/// and large generations of children of its members.
///
/// A twin answers in about a microsecond, so everything around it must cost little: children are made, judged and sifted in chunks
/// by parallel tasks against a snapshot, and only the few that would add volume are merged, in order. A result depends on the problem,
/// the seed and the number of evaluations; not on the number of threads.
public struct Explorer: Sendable {
  /// When to stop.
  public enum Extent: Sendable, Hashable {
    /// After exactly so many candidates.
    case evaluations(Int)
    /// After about so many seconds: as many evaluations as fit.
    case seconds(Double)
  }

  public let evaluator: CandidateEvaluator
  /// Most members of the archive that children are made of; the front also holds the best of each objective, and what earlier archives
  /// held that is still not dominated.
  public let archiveCapacity: Int
  /// Whether the search starts from models that the twins' structure says are best; else only from models of equal layers.
  public let usesStructure: Bool

  /// - Parameter archiveCapacity: nil takes 200, or 400 from three objectives on.
  public init(_ evaluator: CandidateEvaluator, archiveCapacity: Int? = nil, usesStructure: Bool = true) {
    self.evaluator = evaluator
    self.usesStructure = usesStructure
    let standard = evaluator.problem.objectives.count < 3 ? 200 : 400
    self.archiveCapacity = min(max(archiveCapacity ?? standard, 1), 4_096)
  }

  /// Searches, on up to `threads` tasks at once. Cancelling the task ends it early, with what it has.
  /// - Parameters:
  ///   - keeping: how the search is kept, so that it can be gone on with later; with an extent in evaluations a search that was stopped
  ///     comes to what it would have come to without.
  ///   - progress: called after each generation, from the task that calls this.
  /// - Throws: ``SearchError`` for an empty extent or a checkpoint that does not fit, `NumericsError` where sampling fails, and what
  ///   `keeping` throws.
  public func explore(
    _ extent: Extent, seed: UInt64, threads: Int, keeping: SearchKeeping? = nil,
    progress report: (@Sendable (Exploration.Progress) -> Void)? = nil
  ) async throws -> Exploration {
    let schedule = try Schedule(extent)
    let clock = ContinuousClock()
    let start = clock.now
    func elapsed() -> Double { (clock.now - start) / .seconds(1) }

    let seeds = Seeds(evaluator.space)
    let structured = await structuredSeeds(schedule, threads: threads)
    let runner = ChunkRunner(
      evaluator: evaluator, variation: Variation(space: evaluator.space), seeds: seeds, structured: structured,
      seed: seed)
    let box = try ReferenceBox.box(evaluator, seeds)
    var progress =
      try keeping?.resuming.map {
        try SearchProgress($0, evaluator: evaluator, box: box, capacity: archiveCapacity)
      } ?? SearchProgress(state: SearchState(evaluator: evaluator, box: box, capacity: archiveCapacity))
    let seedCount = schedule.seedCount(available: seeds.count * evaluator.devices.count) / evaluator.devices.count
    var wasCancelled = false
    var pace = KeepingPace(keeping)
    var waiting = schedule.structuredChunks(structured.map(\.count)).dropFirst(progress.structuredTaken)

    while schedule.goesOn(evaluations: progress.state.evaluations, seconds: elapsed()) {
      if Task.isCancelled {
        wasCancelled = true
        break
      }
      let snapshot = progress.state.snapshot(generation: progress.generation)
      let first = waiting.popFirst()
      if first != nil { progress.structuredTaken += 1 }
      // A search that was begun with a larger extent may have taken more seeds than this one would.
      let chunks =
        first
        ?? schedule.chunks(
          evaluations: progress.state.evaluations, snapshot: snapshot, seed: seed,
          seeds: min(progress.seedsTaken, seedCount)..<seedCount)
      for case .seeds(let numbers) in chunks.map(\.kind) {
        progress.seedsTaken = max(progress.seedsTaken, numbers.upperBound)
      }
      for result in await Self.run(chunks, snapshot, runner, threads: threads) { progress.state.take(result) }
      progress.generation += 1
      if progress.generation == progress.nextTightening {
        progress.state.tightenBox()
        progress.nextTightening *= 2
      }
      let seconds = progress.secondsBefore + elapsed()
      let isMoment = progress.record.note(progress.state, seconds: seconds)
      try pace.keep(progress, evaluator: evaluator, isMoment: isMoment, isLast: false, seconds: seconds)
      report?(
        Exploration.Progress(
          evaluations: progress.state.evaluations, seconds: elapsed(),
          frontCount: progress.state.archive.members.count, feasibleCount: progress.state.feasibleCount))
    }
    let seconds = progress.secondsBefore + elapsed()
    if wasCancelled {
      // As it is, without the moment of the end: an interruption leaves no trace in what is resumed.
      try pace.keep(progress, evaluator: evaluator, isMoment: false, isLast: true, seconds: seconds)
    }
    let isMoment = progress.record.finish(progress.state, seconds: seconds)
    if !wasCancelled, isMoment || !pace.isKept(progress) {
      try pace.keep(progress, evaluator: evaluator, isMoment: isMoment, isLast: true, seconds: seconds)
    }
    return try exploration(progress.state, progress.record, seconds: seconds, wasCancelled: wasCancelled)
  }

  /// Models to start from, by device, each device a task; what the schedule has room for.
  private func structuredSeeds(_ schedule: Schedule, threads: Int) async -> [[DesignPoint]] {
    let room = schedule.structuredCount / evaluator.devices.count
    guard usesStructure, room > 0 else { return Array(repeating: [], count: evaluator.devices.count) }
    let evaluator = evaluator
    @Sendable func points(_ device: Int) -> [DesignPoint] {
      let points = StructuredSeeds(evaluator, device: device)?.points() ?? []
      // Successive ones differ, so that a part of them is spread over the front too.
      let stride = Seeds.strideCoprime(to: max(points.count, 1))
      return (0..<min(points.count, room)).map { points[$0 * stride % points.count] }
    }
    if threads <= 1 { return evaluator.devices.indices.map(points) }
    return await withTaskGroup(of: (Int, [DesignPoint]).self) { group in
      for device in evaluator.devices.indices { group.addTask { (device, points(device)) } }
      var result = [[DesignPoint]](repeating: [], count: evaluator.devices.count)
      for await (device, points) in group { result[device] = points }
      return result
    }
  }

  /// Results of the chunks, in their order.
  private static func run(
    _ chunks: [Chunk], _ snapshot: Snapshot, _ runner: ChunkRunner, threads: Int
  ) async -> [ChunkResult] {
    let taskCount = min(max(threads, 1), chunks.count)
    if taskCount <= 1 { return chunks.map { runner.run($0, snapshot) } }
    return await withTaskGroup(of: [(Int, ChunkResult)].self) { group in
      for task in 0..<taskCount {
        group.addTask {
          stride(from: task, to: chunks.count, by: taskCount).map { ($0, runner.run(chunks[$0], snapshot)) }
        }
      }
      var results = [ChunkResult](repeating: ChunkResult(), count: chunks.count)
      for await part in group {
        for (index, result) in part { results[index] = result }
      }
      return results
    }
  }

  /// What a search that came so far found.
  func exploration(
    _ state: SearchState, _ record: TraceRecorder, seconds: Double, wasCancelled: Bool
  ) throws -> Exploration {
    let front = record.front.compactMap { found in
      evaluator.candidate(of: found.point, device: found.device).map { ($0, found.coordinates) }
    }
    .sorted { left, right in
      for lane in 0..<8 where left.1[lane] != right.1[lane] { return left.1[lane] < right.1[lane] }
      return left.0.deviceIndex < right.0.deviceIndex
    }
    let scopes = Set(front.map { evaluator.devices[$0.0.deviceIndex].powerScope })
    return Exploration(
      front: front.map(\.0),
      bestByScalar: state.scalarLeader.flatMap { evaluator.candidate(of: $0.point, device: $0.device) },
      evaluations: state.evaluations, seconds: seconds, wasCancelled: wasCancelled,
      box: state.reportBox, hypervolume: state.reportBox.hypervolume(front.map(\.1)),
      trace: try record.trace(state.reportBox), infeasibility: state.feasibleCount > 0 ? nil : infeasibility(state),
      powerScopes: PowerScope.allCases.filter(scopes.contains))
  }

  private func infeasibility(_ state: SearchState) -> Infeasibility {
    let reports = Budget.allCases.compactMap { budget -> (Double, Infeasibility.BudgetReport)? in
      guard let least = state.leastRatio(of: budget),
        let candidate = evaluator.candidate(of: least.point, device: least.device)
      else { return nil }
      let limit = evaluator.problem.budgets[budget] ?? evaluator.devices[least.device].memoryLimitBytes ?? .nan
      let attainable = budget == .accuracy ? limit - 10 * Elementary.log(least.ratio) : limit * least.ratio
      return (
        least.ratio,
        Infeasibility.BudgetReport(
          budget: budget, limit: limit, attainable: attainable, candidate: candidate, isAttainable: least.ratio <= 1)
      )
    }
    return Infeasibility(
      budgets: reports.sorted { $0.0 > $1.0 }.map(\.1),
      closest: state.closest.flatMap { evaluator.candidate(of: $0.point, device: $0.device) })
  }
}
