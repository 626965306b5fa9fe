import Foundation

/// How one measure (latency, energy or peak power) follows from a workload.
///
/// The median is `exp(mean of log forms + residual + level)`: one to three linear forms over different feature sets are averaged on the
/// log scale, which is steadier than any of them; for peak power a saturation of the time is one more form.
public struct MeasureModel: Sendable, Hashable, Codable {
  /// `s`, `J` or `W`.
  public var unit: String
  public var forms: [LinearForm]
  public var saturation: Saturation?
  public var residual: ResidualModel?
  /// Added on the log scale: the typical state of the device among the regimes that were seen.
  public var logLevel: Double
  /// States of the device that were told apart in the order of measuring.
  public var regimes: [Regime]
  public var spread: Spread
  public var crossValidation: CrossValidationSummary?

  enum CodingKeys: String, CodingKey {
    case unit, forms, saturation, residual
    case logLevel = "log_level"
    case regimes, spread
    case crossValidation = "cross_validation"
  }

  public init(
    unit: String, forms: [LinearForm], saturation: Saturation? = nil, residual: ResidualModel? = nil,
    logLevel: Double = 0, regimes: [Regime] = [], spread: Spread, crossValidation: CrossValidationSummary? = nil
  ) {
    self.unit = unit
    self.forms = forms
    self.saturation = saturation
    self.residual = residual
    self.logLevel = logLevel
    self.regimes = regimes
    self.spread = spread
    self.crossValidation = crossValidation
  }

  /// Costs below this are no costs: keeps logarithms finite where all terms vanish.
  static let floor = 1e-15

  /// Mean of the forms' logarithms.
  /// - Parameter seconds: predicted latency, for the saturation.
  func logBase(features: FeatureVector, seconds: Double) -> Double {
    var product = 1.0
    for form in forms { product *= max(form.cost(of: features), Self.floor) }
    var count = Double(forms.count)
    if let saturation {
      product *= max(saturation.value(seconds: seconds), Self.floor)
      count += 1
    }
    return log(product) / max(count, 1)
  }

  /// Logarithm of the share of the cost that is steady, by the same mean over forms.
  func logSteadyShare(features: FeatureVector) -> Double {
    guard !forms.isEmpty else { return 0 }
    var product = 1.0
    for form in forms {
      let cost = max(form.cost(of: features), Self.floor)
      product *= max((cost - form.startupCost(of: features)) / cost, Self.floor)
    }
    return log(product) / Double(forms.count)
  }
}

/// Peak power as the maximum of sparse samples: it grows with the time that is sampled and saturates, `idle + rise·(1 − exp(−t/τ))`.
public struct Saturation: Sendable, Hashable, Codable {
  public var idleWatts: Double
  public var riseWatts: Double
  public var tauSeconds: Double

  enum CodingKeys: String, CodingKey {
    case idleWatts = "idle_w"
    case riseWatts = "rise_w"
    case tauSeconds = "tau_s"
  }

  public init(idleWatts: Double, riseWatts: Double, tauSeconds: Double) {
    self.idleWatts = idleWatts
    self.riseWatts = riseWatts
    self.tauSeconds = tauSeconds
  }

  func value(seconds: Double) -> Double { idleWatts + riseWatts * (1 - exp(-seconds / tauSeconds)) }
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
