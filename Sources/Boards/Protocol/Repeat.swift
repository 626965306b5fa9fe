import Numerics

/// One repeat: calls of one model in a row.
public struct Repeat: Sendable, Hashable {
  public var round: Int
  /// Seconds from the start of the series to the middle of the repeat.
  public var atSeconds: Double
  public var callSeconds: [Double]
  public var energy: EnergyUse?
  /// How often the kernel took a core away during it.
  public var involuntarySwitches: Int
  /// Seconds of a fixed piece of work right before and right after it, the lesser first: what the cores were good for. Nil where not measured.
  public var paceSeconds: ClosedRange<Double>?

  public init(
    round: Int, atSeconds: Double, callSeconds: [Double], energy: EnergyUse? = nil, involuntarySwitches: Int = 0,
    paceSeconds: ClosedRange<Double>? = nil
  ) {
    self.round = round
    self.atSeconds = atSeconds
    self.callSeconds = callSeconds
    self.energy = energy
    self.involuntarySwitches = involuntarySwitches
    self.paceSeconds = paceSeconds
  }

  /// Seconds of a call: the median, so that a call that was disturbed does not count; of one or two calls their mean.
  public var seconds: Double {
    callSeconds.count < 3 ? Statistics.mean(callSeconds) : Statistics.median(callSeconds)
  }

  /// How often a second the kernel took a core away.
  var switchesPerSecond: Double {
    let sum = callSeconds.reduce(0, +)
    return sum > 0 ? Double(involuntarySwitches) / sum : 0
  }
}

extension [Repeat] {
  /// So often a second a core is taken away on any machine, for moments.
  private static let calmSwitchesPerSecond = 10.0
  /// A core that shares its arithmetic with another program's is slower by more.
  private static let calmSlowing = 0.05

  /// Those that other programs disturbed least: the calmer half, and all others that are calm. What is chosen by is not the time, so that
  /// the choice by itself makes no model faster or slower.
  ///
  /// - Parameter bestPaceSeconds: of the whole series.
  func undisturbed(bestPaceSeconds: Double?) -> [Repeat] {
    guard count > 1 else { return self }
    func disturbance(_ one: Repeat) -> Double {
      let slowing =
        if let pace = one.paceSeconds?.upperBound, let best = bestPaceSeconds, best > 0 { pace / best - 1 } else { 0.0 }
      return Swift.max(one.switchesPerSecond / Self.calmSwitchesPerSecond, slowing / Self.calmSlowing)
    }
    let disturbances = map(disturbance)
    let limit = Swift.max(disturbances.sorted()[(count + 1) / 2 - 1], 1)
    return zip(self, disturbances).filter { $0.1 <= limit }.map(\.0)
  }
}

/// What the repeats of one model say, in seconds of one call.
public struct RepeatSummary: Sendable, Hashable {
  public var medianSeconds: Double
  /// Robust standard deviation of the repeats: 1.4826 times the median distance from the median.
  public var spreadSeconds: Double
  public var repeats: Int
  /// Repeats that do not count, since other programs disturbed them more than the others.
  public var disturbedRepeats: Int
  public var calls: Int
  /// The single call that nothing came in between of.
  public var fastestSeconds: Double
  /// The least that the gauge of pace took beside the repeats, perhaps another one than that of the fastest call; nil without a gauge.
  public var fastestPaceSeconds: Double?
  /// Quantiles of the single calls.
  public var p95Seconds: Double
  public var p99Seconds: Double
  /// Rounds of the repeats that are outliers; they count in the median, which does not mind them.
  public var outlierRounds: [Int]
  /// Single calls more than 1.5 times as long as the median.
  public var outlierCalls: Int
  public var involuntarySwitches: Int
  /// Joules of one call, and the largest power; nil without a meter.
  public var callJoules: Double?
  public var peakWatts: Double?
  public var samplingIntervalSeconds: Double?

  /// Whether there are repeats enough to say how far they are apart.
  public var hasSpread: Bool { repeats - disturbedRepeats > 1 }

  /// Error of the median, as a share of it, if repeats are independent: 1.2533 standard deviations over the root of their number.
  public var relativeError: Double {
    repeats > disturbedRepeats
      ? 1.2533 * spreadSeconds / Double(repeats - disturbedRepeats).squareRoot() / medianSeconds : .nan
  }

  /// - Parameters:
  ///   - repeats: at least one, each with at least one call.
  ///   - bestPaceSeconds: of all repeats of the series, where they have one.
  public init(_ repeats: [Repeat], outlierDeviations: Double, bestPaceSeconds: Double? = nil) {
    let calm = repeats.undisturbed(bestPaceSeconds: bestPaceSeconds)
    disturbedRepeats = repeats.count - calm.count
    let values = calm.map(\.seconds)
    let calls = repeats.flatMap(\.callSeconds).sorted()
    let median = Statistics.median(values)
    medianSeconds = median
    fastestPaceSeconds = repeats.compactMap(\.paceSeconds?.lowerBound).min()
    spreadSeconds = 1.4826 * Statistics.medianAbsoluteDeviation(values)
    self.repeats = repeats.count
    self.calls = calls.count
    fastestSeconds = calls.first ?? .nan
    p95Seconds = Statistics.quantile(ofSorted: calls, 0.95)
    p99Seconds = Statistics.quantile(ofSorted: calls, 0.99)
    // Repeats that happen to agree to a per mille must not make an outlier of the next.
    let unit = max(spreadSeconds, 0.002 * median)
    outlierRounds = repeats.filter { abs($0.seconds - median) > outlierDeviations * unit }.map(\.round)
    outlierCalls = calls.count { $0 > 1.5 * median }
    involuntarySwitches = repeats.reduce(0) { $0 + $1.involuntarySwitches }
    let uses = repeats.compactMap(\.energy)
    let joules = repeats.compactMap { one in one.energy.map { $0.joules / Double(max($0.calls, 1)) } }
    callJoules = joules.isEmpty ? nil : Statistics.median(joules)
    peakWatts = uses.compactMap(\.peakWatts).max()
    samplingIntervalSeconds = uses.isEmpty ? nil : Statistics.median(uses.map(\.intervalSeconds))
  }
}
