import Twins

/// What a calibration found: how good the twin is, what state the device was in, what the rows cannot tell.
public struct CalibrationReport: Sendable, Hashable, Codable {
  public struct Measure: Sendable, Hashable, Codable {
    public var name: String
    public var rows: Int
    /// Of held-out rows; nil where there were too few to hold any out.
    public var medianAbsolutePercentageError: Double?
    public var coverage90: Double?
    /// Bounds of the 90 % interval, as factors on the median.
    public var interval90: [Double]
    public var intervalBasis: Spread.Basis

    enum CodingKeys: String, CodingKey {
      case name, rows
      case medianAbsolutePercentageError = "median_ape"
      case coverage90 = "coverage_90"
      case interval90 = "interval_90"
      case intervalBasis = "interval_basis"
    }
  }

  /// Error of the latency on all other rows when only some are fitted.
  public struct LearningPoint: Sendable, Hashable, Codable {
    public var rows: Int
    public var draws: Int
    public var medianAbsolutePercentageError: Double

    enum CodingKeys: String, CodingKey {
      case rows, draws
      case medianAbsolutePercentageError = "median_ape"
    }
  }

  public var schema = "edgetwin.report/1"
  public var device: String
  public var runtime: String
  public var rows: Int
  public var dataHash: String
  public var folds: Int
  public var measures: [Measure]
  public var learningCurve: [LearningPoint]
  public var states: [RegimeReport]
  public var stopwatch: StopwatchGrid?
  /// Bytes of parameters from which paging shows, by nonlinear fit; nil where it does not.
  public var pagingKneeBytes: Double?
  /// Largest difference between the smooth residuals and what they are compiled to, on the log scale, at the rows.
  public var compilationError: Double
  public var warnings: [String]

  enum CodingKeys: String, CodingKey {
    case schema, device, runtime, rows
    case dataHash = "data_hash"
    case folds, measures
    case learningCurve = "learning_curve"
    case states, stopwatch
    case pagingKneeBytes = "paging_knee_bytes"
    case compilationError = "compilation_error"
    case warnings
  }
}
