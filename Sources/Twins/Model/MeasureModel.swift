import Foundation

/// How one measure (latency, energy or peak power) follows from a workload.
///
/// The median is `exp(Σ weight·ln form + residual + level)`: linear forms over different feature sets are averaged on the log scale, which
/// is steadier than any of them; for peak power a saturation with time is one more form. The weights sum to 1.
public struct MeasureModel: Sendable, Hashable, Codable {
  /// `s`, `J` or `W`.
  public var unit: String
  public var forms: [LinearForm]
  public var saturation: Saturation?
  public var residual: ResidualModel?
  /// Added on the log scale: the typical state of the device among the regimes that were seen.
  public var logLevel: Double
  /// By the number of threads, where rows of several were fitted.
  public var threadLevels: [ThreadLevel]?
  /// States of the device that were told apart in the order of measuring.
  public var regimes: [Regime]
  public var spread: Spread
  public var crossValidation: CrossValidationSummary?

  enum CodingKeys: String, CodingKey {
    case unit, forms, saturation, residual
    case logLevel = "log_level"
    case threadLevels = "thread_levels"
    case regimes, spread
    case crossValidation = "cross_validation"
  }

  public init(
    unit: String, forms: [LinearForm], saturation: Saturation? = nil, residual: ResidualModel? = nil,
    logLevel: Double = 0, threadLevels: [ThreadLevel]? = nil, regimes: [Regime] = [], spread: Spread,
    crossValidation: CrossValidationSummary? = nil
  ) {
    self.unit = unit
    self.forms = forms
    self.saturation = saturation
    self.residual = residual
    self.logLevel = logLevel
    self.threadLevels = threadLevels
    self.regimes = regimes
    self.spread = spread
    self.crossValidation = crossValidation
  }

  /// Costs below this are no costs: keeps logarithms finite where all terms vanish.
  static let floor = 1e-15

  /// Weighted mean of the forms' logarithms.
  /// - Parameter logSeconds: logarithm of the predicted latency with start-up, for the saturation.
  func logBase(features: FeatureVector, logSeconds: Double) -> Double {
    var sum = 0.0
    for form in forms { sum += form.weight * log(max(form.cost(of: features), Self.floor)) }
    if let saturation { sum += saturation.weight * log(max(saturation.value(seconds: exp(logSeconds)), Self.floor)) }
    return sum
  }

  /// Logarithm of the share of the cost that is steady, by the same mean over forms.
  func logSteadyShare(features: FeatureVector) -> Double {
    var sum = 0.0
    for form in forms {
      let cost = max(form.cost(of: features), Self.floor)
      sum += form.weight * log(max((cost - form.startupCost(of: features)) / cost, Self.steadyFloor))
    }
    return sum
  }

  /// Where nearly all of a cost is start-up, the data do not tell the steady part; it is held at a thousandth.
  static let steadyFloor = 1e-3
}

/// Peak power as the maximum of sparse samples: it grows with the time that is sampled and saturates, `idle + rise·(1 − exp(−t/τ))`.
public struct Saturation: Sendable, Hashable, Codable {
  public var idleWatts: Double
  public var riseWatts: Double
  public var tauSeconds: Double
  /// Share in the mean over forms.
  public var weight: Double
  /// The longest time that was measured: nothing says that the peak grows beyond it.
  public var longestSeconds: Double?

  enum CodingKeys: String, CodingKey {
    case weight
    case longestSeconds = "longest_s"
    case idleWatts = "idle_w"
    case riseWatts = "rise_w"
    case tauSeconds = "tau_s"
  }

  public init(idleWatts: Double, riseWatts: Double, tauSeconds: Double, weight: Double, longestSeconds: Double? = nil) {
    self.longestSeconds = longestSeconds
    self.weight = weight
    self.idleWatts = idleWatts
    self.riseWatts = riseWatts
    self.tauSeconds = tauSeconds
  }

  func value(seconds: Double) -> Double {
    idleWatts + riseWatts * (1 - exp(-min(seconds, longestSeconds ?? .infinity) / tauSeconds))
  }
}

/// What cross-validation said of a model: kept with it, so that every figure comes with its error.
public struct CrossValidationSummary: Sendable, Hashable, Codable {
  public var folds: Int
  public var repeats: Int
  /// Median of |predicted − measured| / measured over held-out rows.
  public var medianAbsolutePercentageError: Double
  /// Share of held-out rows inside their 90 % interval.
  public var coverage90: Double

  enum CodingKeys: String, CodingKey {
    case folds, repeats
    case medianAbsolutePercentageError = "median_ape"
    case coverage90 = "coverage_90"
  }

  public init(folds: Int, repeats: Int, medianAbsolutePercentageError: Double, coverage90: Double) {
    self.folds = folds
    self.repeats = repeats
    self.medianAbsolutePercentageError = medianAbsolutePercentageError
    self.coverage90 = coverage90
  }
}
