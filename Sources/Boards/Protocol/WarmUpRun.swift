import Numerics

/// What a warm-up found.
public struct WarmUpReport: Sendable, Hashable {
  public var calls: Int
  public var seconds: Double
  /// False where the time ran out before two windows agreed.
  public var isSteady: Bool
  /// Median call of the last windows.
  public var callSeconds: Double
  /// How much longer the first window's median call was than that of the last windows, as a share.
  public var excess: Double
}

extension MeasuringProtocol.WarmUp {
  /// Runs a workload until its calls take the same time again and again.
  /// - Parameter shouldStop: ends it early; what was found so far is returned.
  /// - Throws: what the workload throws.
  func run(
    _ workload: any RunnableWorkload, clock: any MonotonicClock, shouldStop: () -> Bool = { false }
  ) throws -> WarmUpReport {
    let start = clock.now()
    var medians: [Double] = []
    var calls = 0
    var agreements = 0
    func report(isSteady: Bool) -> WarmUpReport {
      let recent = Statistics.median(Array(medians.suffix(span)))
      return WarmUpReport(
        calls: calls, seconds: clock.now() - start, isSteady: isSteady, callSeconds: recent,
        excess: recent > 0 ? (medians.first ?? recent) / recent - 1 : 0)
    }
    while true {
      let window = try window(workload, clock: clock)
      calls += window.count
      medians.append(Statistics.median(window))
      // Half the way back, not one window: a slow approach changes little from one window to the next.
      let half = medians.count / 2
      if half >= span {
        let earlier = Statistics.median(Array(medians[(half - span)..<half]))
        let recent = Statistics.median(Array(medians.suffix(span)))
        // Where windows scatter by more than the tolerance, no change that is lost in their noise is waited for.
        let steps = zip(medians, medians.dropFirst()).suffix(4 * span).map { abs($1 - $0) }
        let noise = 1.4826 * Statistics.median(steps) / 2.0.squareRoot()
        agreements = abs(recent - earlier) <= max(tolerance * earlier, 1.5 * noise) ? agreements + 1 : 0
        if agreements >= 2 { return report(isSteady: true) }
      }
      if shouldStop() || clock.now() - start >= maximumSeconds { return report(isSteady: false) }
    }
  }

  private func window(_ workload: any RunnableWorkload, clock: any MonotonicClock) throws -> [Double] {
    var seconds = try workload.callSeconds(1, clock: clock)
    let first = seconds.reduce(0, +)
    let wanted = first > 0 ? min((windowSeconds / first).rounded(.up), 10_000) : 10_000
    let more = max(Int(wanted), windowCalls) - 1
    // A window of calls that are long by themselves may not outlast the whole warm-up.
    let affordable = first > 0 ? Int(min(maximumSeconds / first, 1e6)) : more
    if min(more, affordable) > 0 { seconds += try workload.callSeconds(min(more, affordable), clock: clock) }
    return seconds
  }
}
