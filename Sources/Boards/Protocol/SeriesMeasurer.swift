import CBoards
import Numerics

/// What was measured of one model.
public struct WorkloadResult: Sendable, Hashable {
  public var warmUp: WarmUpReport
  public var repeats: [Repeat]
  public var summary: RepeatSummary
  /// Steps of one call, where they were asked for.
  public var profile: [TimedKernel] = []
}

/// What was measured of several models in turn.
public struct SeriesResult: Sendable {
  /// In the order of the workloads; nil for one that failed, or that was not reached before the series was stopped.
  public var results: [WorkloadResult?]
  /// Why a workload has no result.
  public var failures: [Int: BoardError]
  public var wasStopped: Bool
  public var drift: Drift?
  public var noiseFloor: NoiseFloor?
}

/// Measures models in turn, by a ``MeasuringProtocol``.
public struct SeriesMeasurer {
  public var plan: MeasuringProtocol
  public var clock: any MonotonicClock
  public var meter: (any Meter)?
  /// Seconds of a fixed piece of work on the cores that the models run on (``PaceGauge``), to know which repeats other programs disturbed; nil
  /// leaves that to what the system says.
  public var pace: (() -> Double)?
  /// Asked before every repeat: true ends the series with what there is.
  public var shouldStop: () -> Bool
  /// How far it is: repeats done, repeats in all.
  public var progress: (_ done: Int, _ of: Int) -> Void

  public init(
    plan: MeasuringProtocol = MeasuringProtocol(), clock: any MonotonicClock = SystemClock(),
    meter: (any Meter)? = nil, shouldStop: @escaping () -> Bool = { false },
    progress: @escaping (_ done: Int, _ of: Int) -> Void = { _, _ in }
  ) {
    self.plan = plan
    self.clock = clock
    self.meter = meter
    self.shouldStop = shouldStop
    self.progress = progress
  }

  /// Prepares, warms up and measures all workloads; a workload that fails is left out, and said.
  ///
  /// All stay in memory until the end, where they are released.
  public func measure(_ workloads: [any RunnableWorkload]) -> SeriesResult {
    var state = State(count: workloads.count)
    let start = clock.now()
    let total = workloads.count * (plan.repeats + 1)
    var done = 0
    defer { for workload in workloads { workload.release() } }
    for (index, workload) in workloads.enumerated() where !shouldStop() {
      do {
        try workload.prepare()
        state.warmUps[index] = try plan.warmUp.run(workload, clock: clock, shouldStop: shouldStop)
      } catch {
        state.fail(index, workload, error)
      }
      done += 1
      progress(done, total)
    }
    rounds: for round in 0..<plan.repeats {
      if round > 0, plan.pauseSeconds > 0 { pause() }
      for index in order(round: round, count: workloads.count) {
        if shouldStop() { break rounds }
        if let warmUp = state.warmUps[index], state.failures[index] == nil,
          plan.takesPart(round: round, index: index, callSeconds: warmUp.callSeconds)
        {
          do {
            state.repeats[index].append(
              try repeatOnce(workloads[index], round: round, callSeconds: warmUp.callSeconds, start: start))
          } catch {
            state.fail(index, workloads[index], error)
          }
        }
        done += 1
        progress(done, total)
      }
    }
    var result = state.result(plan: plan, wasStopped: shouldStop())
    for index in workloads.indices where plan.profiles > 0 && !shouldStop() && result.results[index] != nil {
      guard let workload = workloads[index] as? any ProfiledWorkload else { continue }
      // A profile that fails leaves the times as they are.
      _ = try? workload.callSeconds(1, clock: clock)
      result.results[index]?.profile = TimedKernel.median(
        (0..<plan.profiles).compactMap { _ in try? workload.profile() })
    }
    return result
  }

  /// The order of a round: shuffled, the same for the same seed.
  func order(round: Int, count: Int) -> [Int] {
    var random = CounterRandom(seed: plan.seed, stream: UInt64(truncatingIfNeeded: round))
    return (0..<count).shuffled(using: &random)
  }

  private func repeatOnce(
    _ workload: any RunnableWorkload, round: Int, callSeconds: Double, start: Double
  ) throws -> Repeat {
    // The gauge's weights take the place of the model's in the caches: it goes first.
    let paceBefore = pace?()
    let warmStart = clock.now()
    for _ in 0..<1_000 {
      _ = try workload.callSeconds(1, clock: clock)
      if clock.now() - warmStart >= plan.rewarmSeconds || shouldStop() { break }
    }
    let calls = plan.calls(callSeconds: callSeconds)
    let switches = cboards_involuntary_switches()
    let sampler = meter.map { MeterSampler($0, clock: clock) }
    sampler?.start()
    let begin = clock.now()
    let seconds: [Double]
    do {
      seconds = try workload.callSeconds(calls, clock: clock)
    } catch {
      _ = sampler?.stop()
      throw error
    }
    let end = clock.now()
    var energy = sampler?.stop().use(from: begin, to: end)
    energy?.calls = calls
    let involuntarySwitches = Int(cboards_involuntary_switches() - switches)
    return Repeat(
      round: round, atSeconds: (begin + end) / 2 - start, callSeconds: seconds, energy: energy,
      involuntarySwitches: involuntarySwitches,
      paceSeconds: paceBefore.flatMap { before in
        pace.map {
          let after = $0()
          return min(before, after)...max(before, after)
        }
      })
  }

  private func pause() {
    let end = clock.now() + plan.pauseSeconds
    while !shouldStop(), clock.now() < end { clock.sleep(seconds: min(0.2, end - clock.now())) }
  }
}

extension SeriesMeasurer {
  /// What is known so far.
  private struct State {
    var warmUps: [WarmUpReport?]
    var repeats: [[Repeat]]
    var failures: [Int: BoardError] = [:]

    init(count: Int) {
      warmUps = [WarmUpReport?](repeating: nil, count: count)
      repeats = [[Repeat]](repeating: [], count: count)
    }

    mutating func fail(_ index: Int, _ workload: any RunnableWorkload, _ error: any Error) {
      failures[index] =
        error as? BoardError ?? .cannotRun(architecture: workload.name, problem: "\(error)")
    }

    func result(plan: MeasuringProtocol, wasStopped: Bool) -> SeriesResult {
      let bestPace = repeats.joined().compactMap(\.paceSeconds?.lowerBound).min()
      let results = warmUps.indices.map { index -> WorkloadResult? in
        guard failures[index] == nil, let warmUp = warmUps[index], !repeats[index].isEmpty else { return nil }
        return WorkloadResult(
          warmUp: warmUp, repeats: repeats[index],
          summary: RepeatSummary(
            repeats[index], outlierDeviations: plan.outlierDeviations, bestPaceSeconds: bestPace))
      }
      let measured = results.compactMap { $0?.repeats }
      return SeriesResult(
        results: results, failures: failures, wasStopped: wasStopped, drift: Drift(measured),
        noiseFloor: NoiseFloor(measured, statistic: plan.statistic))
    }
  }
}
