/// A number for each of the three measures of a twin.
public struct PerMeasure: Sendable, Hashable, Codable {
  public var latency: Double
  public var energy: Double
  public var peakPower: Double

  enum CodingKeys: String, CodingKey {
    case latency, energy
    case peakPower = "peak_power"
  }

  public init(latency: Double, energy: Double, peakPower: Double) {
    self.latency = latency
    self.energy = energy
    self.peakPower = peakPower
  }
}

/// How well a datasheet alone predicts a device when nothing of that device was fitted.
///
/// Everything is on the log scale of predicted over measured, and NaN for a measure that the device has no rows of.
public struct LeaveOneOut: Sendable, Hashable, Codable {
  public var device: String
  public var runtime: String
  /// `exp(median |ln predicted − ln measured|)`: 1.4 means wrong by a factor of 1.4.
  public var factorErrors: PerMeasure
  /// `median(ln predicted − ln measured)`: the error of the level.
  public var biases: PerMeasure
  /// 1.4826 times the median absolute deviation from the bias: the error of the shape.
  public var scatters: PerMeasure
  /// Share of rows inside the 90 % interval whose scales come from the other platforms, each of them predicted without itself.
  public var coverage90: PerMeasure

  enum CodingKeys: String, CodingKey {
    case device, runtime
    case factorErrors = "factor_errors"
    case biases, scatters
    case coverage90 = "coverage_90"
  }
}
