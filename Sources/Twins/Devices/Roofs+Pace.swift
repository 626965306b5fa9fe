extension Roofs {
  /// What the gauge of pace took while roofs were timed: the small model that runs between the repeats of a series (`PaceGauge`).
  public struct Pace: Sendable, Hashable, Codable {
    public var threads: Int
    public var seconds: Double

    public init(threads: Int, seconds: Double) {
      self.threads = threads
      self.seconds = seconds
    }
  }

  /// How many times slower than when the roofs were timed the cores were when the gauge took so long; nil where the roofs do not say.
  ///
  /// A virtual processor that shares its core with another guest's, or with another of its own, runs everything slower by the same factor,
  /// about, for minutes at a time. It is no property of a model, and a twin is fitted and judged without it.
  public func slowing(paceSeconds: Double, threads: Int?) -> Double? {
    guard let reference = paces.first(where: { $0.threads == (threads ?? 1) })?.seconds, paceSeconds > 0,
      paceSeconds.isFinite
    else { return nil }
    return paceSeconds / reference
  }
}
