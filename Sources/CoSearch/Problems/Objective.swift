/// A quantity that a search can be asked to optimise, by its name in files.
public enum Objective: String, Sendable, Hashable, CaseIterable, Codable {
  /// Predicted GLUE score, or what accuracies were measured of, points (0 to 100); the only one that is maximised.
  case accuracy
  /// Seconds a sequence.
  case latency = "latency_s"
  /// Joules a sequence.
  case energy = "energy_j"
  /// Watts.
  case peakPower = "peak_power_w"
  case parameters

  public enum Direction: String, Sendable, Hashable, CaseIterable {
    case maximize, minimize
  }

  public var direction: Direction { self == .accuracy ? .maximize : .minimize }

  /// The unit of values, empty for a count.
  public var unit: String {
    switch self {
    case .accuracy: "points"
    case .latency: "s"
    case .energy: "J"
    case .peakPower: "W"
    case .parameters: ""
    }
  }

  var lane: Int {
    switch self {
    case .accuracy: 0
    case .latency: 1
    case .energy: 2
    case .peakPower: 3
    case .parameters: 4
    }
  }
}

/// A number for each objective that has one.
public struct ObjectiveValues: Sendable, Hashable, Codable {
  public var accuracy: Double?
  public var latencySeconds: Double?
  public var energyJoules: Double?
  public var peakPowerWatts: Double?
  public var parameters: Double?

  public init(
    accuracy: Double? = nil, latencySeconds: Double? = nil, energyJoules: Double? = nil, peakPowerWatts: Double? = nil,
    parameters: Double? = nil
  ) {
    self.accuracy = accuracy
    self.latencySeconds = latencySeconds
    self.energyJoules = energyJoules
    self.peakPowerWatts = peakPowerWatts
    self.parameters = parameters
  }

  enum CodingKeys: String, CodingKey {
    case accuracy
    case latencySeconds = "latency_s"
    case energyJoules = "energy_j"
    case peakPowerWatts = "peak_power_w"
    case parameters
  }

  public subscript(objective: Objective) -> Double? {
    get {
      switch objective {
      case .accuracy: accuracy
      case .latency: latencySeconds
      case .energy: energyJoules
      case .peakPower: peakPowerWatts
      case .parameters: parameters
      }
    }
    set {
      switch objective {
      case .accuracy: accuracy = newValue
      case .latency: latencySeconds = newValue
      case .energy: energyJoules = newValue
      case .peakPower: peakPowerWatts = newValue
      case .parameters: parameters = newValue
      }
    }
  }
}
