/// A predicted GLUE score in points, 0 to 100, on the scale of the GLUE test server: the mean over eight tasks, without WNLI.
public struct AccuracyEstimate: Sendable, Hashable {
  public var median: Double
  /// Of one new model's score: residual spread, what the fit does not know, and what its data cannot say.
  public var standardDeviation: Double
  /// Bounds of the central interval at the level that was asked for.
  public var lower: Double
  public var upper: Double

  public init(median: Double, standardDeviation: Double, lower: Double, upper: Double) {
    self.median = median
    self.standardDeviation = standardDeviation
    self.lower = lower
    self.upper = upper
  }
}
