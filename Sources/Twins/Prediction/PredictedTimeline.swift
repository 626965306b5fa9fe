import Architectures

/// When each kernel call of one inference is predicted to run: the calls of ``Workload`` one after another, each as long as the twin's terms
/// that fall on it. The whole lasts as long as the predicted median of one call with the whole batch.
public struct PredictedTimeline: Sendable, Hashable {
  public struct Event: Sendable, Hashable {
    public var call: KernelCall
    public var startSeconds: Double
    public var durationSeconds: Double
    public var joules: Double
    /// What most of its time is spent on.
    public var boundBy: Bound
  }

  public var events: [Event]
  /// What the twin charges to no call, such as a cost of the whole model; it is put in front.
  public var unplacedSeconds: Double
  public var unplacedJoules: Double
  /// Steady time of one call with the whole batch.
  public var seconds: Double

  /// - Throws: ``TwinError`` where the model does not fit.
  public init(twin: Twin, architecture: Architecture) throws(TwinError) {
    let costs = try twin.predict(architecture).costs
    let features = twin.features(of: architecture)
    let calls = Workload(architecture, settings: twin.settings, variant: twin.variant).calls
    let batch = Double(twin.settings.batchSize)
    func allocation(_ measure: MeasureModel, _ total: Double) -> CostAllocation {
      CostAllocation(
        measure, features: features, calls: calls, architecture: architecture, roofline: twin.model.roofline,
        includesStartup: twin.settings.includesStartup, total: batch * total)
    }
    let time = allocation(twin.model.latency, costs.latencySeconds.median)
    let energy = allocation(twin.model.energy, costs.energyJoules.median)
    unplacedSeconds = time.unplaced.total + time.startup
    unplacedJoules = energy.unplaced.total + energy.startup
    var now = unplacedSeconds
    events = calls.indices.map { index in
      let causes = time.byCall[index]
      let duration = causes.total
      defer { now += duration }
      return Event(
        call: calls[index], startSeconds: now, durationSeconds: duration, joules: energy.byCall[index].total,
        boundBy: Bound.allCases.max { (causes[$0] ?? 0) < (causes[$1] ?? 0) } ?? .overhead)
    }
    seconds = now
  }
}
