/// How a series is measured: all that decides how far its figures can be trusted.
///
/// Every model is warmed up until it is steady. Then come rounds: each holds one *repeat* of every model, in an order that is
/// shuffled anew, so that whatever the machine does over time falls on all models alike. A repeat is as many calls as last long
/// enough; its value is the median of its calls, the model's the median of its repeats, of which those do not count that other programs
/// disturbed most, or the fastest call of all (``Statistic``).
public struct MeasuringProtocol: Sendable, Hashable {
  /// Repeats of each model.
  public var repeats: Int
  /// Least seconds of one repeat: far more than the clock's grain and than a tick of the scheduler.
  public var repeatSeconds: Double
  public var maximumCallsPerRepeat: Int
  /// Untimed calls before each repeat last so long, so that caches hold this model and not the one before.
  public var rewarmSeconds: Double
  public var warmUp: WarmUp
  /// A repeat this many robust standard deviations from its model's median is an outlier (Iglewicz and Hoaglin 1993 advise 3.5).
  public var outlierDeviations: Double
  /// A model whose call is longer takes part in every ``longCallRounds``-th round only: few long calls say as much as many short ones.
  public var longCallSeconds = Double.infinity
  public var longCallRounds = 3
  /// Seconds to wait between two rounds, to see what the machine does over a long time.
  public var pauseSeconds: Double
  /// Seed of the order.
  public var seed: UInt64
  /// What a model's latency is.
  public var statistic = Statistic.median
  /// Calls of each model whose steps are timed after all rounds, where the runtime can tell; 0 for none.
  public var profiles = 0

  /// What of a model's calls is its latency.
  public enum Statistic: String, Sendable, Hashable {
    /// What calls take as the machine is, other programs included: the median.
    case median
    /// What a call takes while nothing comes in between, which is what a twin can know: the fastest. On a machine that nobody else uses it is
    /// within a few per cent of the median; beside other guests of a host it can be a third below.
    case fastest
  }

  /// When a model is warm.
  public struct WarmUp: Sendable, Hashable {
    /// Least seconds and calls of a window, whose median call is one point.
    public var windowSeconds: Double
    public var windowCalls: Int
    /// Steady is a running median of ``span`` windows that differs by no more than this share, or than the noise of the windows,
    /// from what it was half the warm-up ago, twice in a row.
    public var tolerance: Double
    public var span: Int
    /// Given up after so many seconds; the figure is then marked.
    public var maximumSeconds: Double

    public init(
      windowSeconds: Double = 0.01, windowCalls: Int = 2, tolerance: Double = 0.01, span: Int = 3,
      maximumSeconds: Double = 3
    ) {
      self.windowSeconds = windowSeconds
      self.windowCalls = windowCalls
      self.tolerance = tolerance
      self.span = span
      self.maximumSeconds = maximumSeconds
    }
  }

  public init(
    repeats: Int = 10, repeatSeconds: Double = 0.05, maximumCallsPerRepeat: Int = 10_000, rewarmSeconds: Double = 0.003,
    warmUp: WarmUp = WarmUp(), outlierDeviations: Double = 3.5, pauseSeconds: Double = 0, seed: UInt64 = 1
  ) {
    self.repeats = repeats
    self.repeatSeconds = repeatSeconds
    self.maximumCallsPerRepeat = maximumCallsPerRepeat
    self.rewarmSeconds = rewarmSeconds
    self.warmUp = warmUp
    self.outlierDeviations = outlierDeviations
    self.pauseSeconds = pauseSeconds
    self.seed = seed
  }

  /// Whether a model whose call takes `callSeconds` has a repeat in a round; models of long calls take turns.
  func takesPart(round: Int, index: Int, callSeconds: Double) -> Bool {
    callSeconds <= longCallSeconds || (round + index) % max(longCallRounds, 1) == 0
  }

  /// Calls of a repeat for a model whose call takes `callSeconds`.
  func calls(callSeconds: Double) -> Int {
    guard callSeconds > 0 else { return maximumCallsPerRepeat }
    let wanted = (repeatSeconds / callSeconds).rounded(.up)
    return wanted < Double(maximumCallsPerRepeat) ? max(Int(wanted), 1) : maximumCallsPerRepeat
  }
}
