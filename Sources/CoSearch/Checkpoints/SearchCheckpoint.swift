/// Where a running search stands.
public struct SearchCheckpoint: Sendable {
  public var evaluations: Int
  /// What `Explorer.explore` takes to go on from here; it goes on as it would have without a stop.
  public var state: [UInt8]
  /// The front, at the moments when the search notes it; nil at others. The moments depend on the number of evaluations alone.
  public var front: [Candidate]?
}

/// How a search is kept, so that it can be stopped at any moment.
public struct SearchKeeping: Sendable {
  /// The `state` of the last checkpoint; nil begins anew.
  public var resuming: [UInt8]?
  /// Least seconds between two checkpoints, those of moments aside.
  public var secondsBetween: Double
  /// Called from the task that searches; what it throws ends the search.
  public var keep: @Sendable (SearchCheckpoint) throws -> Void

  public init(
    resuming: [UInt8]? = nil, secondsBetween: Double = 2, keep: @escaping @Sendable (SearchCheckpoint) throws -> Void
  ) {
    self.resuming = resuming
    self.secondsBetween = secondsBetween
    self.keep = keep
  }
}

/// When a search is kept: at its moments, and between them no more often than costs little.
struct KeepingPace {
  private let keeping: SearchKeeping?
  private var lastSeconds = 0.0
  /// What keeping took the last time.
  private var cost = 0.0
  private var keptEvaluations: Int?
  private static let mostShare = 0.02

  init(_ keeping: SearchKeeping?) { self.keeping = keeping }

  /// Whether the last checkpoint is of this very state.
  func isKept(_ progress: SearchProgress) -> Bool {
    keeping == nil || keptEvaluations == progress.state.evaluations
  }

  mutating func keep(
    _ progress: SearchProgress, evaluator: CandidateEvaluator, isMoment: Bool, isLast: Bool, seconds: Double
  ) throws {
    guard let keeping else { return }
    guard isMoment || isLast || seconds - lastSeconds >= max(keeping.secondsBetween, cost / Self.mostShare) else {
      return
    }
    let clock = ContinuousClock()
    let start = clock.now
    let front =
      isMoment ? progress.record.front.compactMap { evaluator.candidate(of: $0.point, device: $0.device) } : nil
    try keeping.keep(
      SearchCheckpoint(
        evaluations: progress.state.evaluations, state: progress.encoded(seconds: seconds), front: front))
    cost = (clock.now - start) / .seconds(1)
    lastSeconds = seconds
    keptEvaluations = progress.state.evaluations
  }
}

/// What goes from one generation to the next, whole.
struct SearchProgress {
  var state: SearchState
  var record = TraceRecorder()
  var generation = 0
  var seedsTaken = 0
  /// Generations of structured seeds that were taken.
  var structuredTaken = 0
  var nextTightening = 2
  /// Of the runs before.
  var secondsBefore = 0.0

  /// Changes whenever what is written does.
  private static let version = 1

  init(state: SearchState) { self.state = state }

  func encoded(seconds: Double) -> [UInt8] {
    var writer = CheckpointWriter()
    writer.put(Self.version)
    writer.put(generation)
    writer.put(seedsTaken)
    writer.put(structuredTaken)
    writer.put(nextTightening)
    writer.put(seconds)
    state.encode(to: &writer)
    record.encode(to: &writer, dimension: state.box.objectives.count)
    return writer.bytes
  }

  /// - Throws: ``SearchError/checkpoint(problem:)``, or what sampling throws.
  init(_ bytes: [UInt8], evaluator: CandidateEvaluator, box: ObjectiveBox, capacity: Int) throws {
    var reader = CheckpointReader(bytes)
    let version = try reader.int()
    guard version == Self.version else {
      throw SearchError.checkpoint(
        problem: "what was kept of the search is of version \(version), and this program knows \(Self.version)")
    }
    generation = try reader.int(in: 0..<CheckpointReader.largestCount)
    seedsTaken = try reader.int(in: 0..<CheckpointReader.largestCount)
    structuredTaken = try reader.int(in: 0..<CheckpointReader.largestCount)
    nextTightening = try reader.int(in: 1..<CheckpointReader.largestCount)
    secondsBefore = try reader.double()
    state = try SearchState(evaluator: evaluator, box: box, capacity: capacity)
    try state.decode(from: &reader)
    try record.decode(from: &reader, evaluator: evaluator)
    guard reader.isAtEnd else { throw CheckpointReader.damaged }
  }
}
