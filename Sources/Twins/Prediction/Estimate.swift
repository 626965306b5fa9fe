/// A predicted quantity: its median and the bounds of its interval, in the unit that the holder names.
public struct Estimate: Sendable, Hashable, Codable {
  public var median: Double
  public var lower: Double
  public var upper: Double

  public init(median: Double, lower: Double, upper: Double) {
    self.median = median
    self.lower = lower
    self.upper = upper
  }
}

/// What a twin says of one candidate: per sequence, at the settings and the level that it was compiled for.
public struct CostEstimate: Sendable, Hashable {
  public var latencySeconds: Estimate
  public var energyJoules: Estimate
  public var peakPowerWatts: Estimate

  public init(latencySeconds: Estimate, energyJoules: Estimate, peakPowerWatts: Estimate) {
    self.latencySeconds = latencySeconds
    self.energyJoules = energyJoules
    self.peakPowerWatts = peakPowerWatts
  }
}
