/// A non-negative coefficient of a cost that is linear in features.
public struct Coefficient: Sendable, Hashable, Codable {
  public var feature: Feature
  /// Knee or scale in bytes, for the functions of the parameters' size.
  public var at: Double?
  /// Exponent of ``Feature/parameterPower``, span in bytes of ``Feature/pagedParameterBytes``.
  public var shape: Double?
  /// In the unit of the measure per unit of the feature.
  public var value: Double
  public var unit: String
  /// Nil where the coefficient was not fitted, or rests on its bound.
  public var standardError: Double?
  public var provenance: Fact.Provenance
  /// The part of the cost that is paid once a process: not steady time.
  public var startupShare: Double?
  /// Why the value is what it is, where it is not simply fitted.
  public var note: String?

  enum CodingKeys: String, CodingKey {
    case feature, at, shape, value, unit
    case standardError = "standard_error"
    case provenance
    case startupShare = "startup_share"
    case note
  }

  public init(
    feature: Feature, at: Double? = nil, shape: Double? = nil, value: Double, unit: String,
    standardError: Double? = nil, provenance: Fact.Provenance, startupShare: Double? = nil, note: String? = nil
  ) {
    self.feature = feature
    self.at = at
    self.shape = shape
    self.value = value
    self.unit = unit
    self.standardError = standardError
    self.provenance = provenance
    self.startupShare = startupShare
    self.note = note
  }

  /// The cost that this coefficient adds for `features`.
  public func cost(of features: FeatureVector) -> Double {
    value * features.value(of: feature, at: at ?? 0, shape: shape ?? 1)
  }

  /// The part of ``cost(of:)`` that is paid once a process.
  public func startupCost(of features: FeatureVector) -> Double { (startupShare ?? 0) * cost(of: features) }
}

/// A cost as a sum of non-negative terms over a set of features.
public struct LinearForm: Sendable, Hashable, Codable {
  /// Name of the feature set, such as `F10`.
  public var name: String
  /// Share in the mean over a measure's forms.
  public var weight: Double
  public var coefficients: [Coefficient]

  public init(name: String, weight: Double = 1, coefficients: [Coefficient]) {
    self.name = name
    self.weight = weight
    self.coefficients = coefficients
  }

  public func cost(of features: FeatureVector) -> Double {
    coefficients.reduce(0) { $0 + $1.cost(of: features) }
  }

  public func startupCost(of features: FeatureVector) -> Double {
    coefficients.reduce(0) { $0 + $1.startupCost(of: features) }
  }
}
