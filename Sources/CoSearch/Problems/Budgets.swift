/// Limits that a candidate must keep; nil where there is none.
public struct Budgets: Sendable, Hashable, Codable {
  public var maxLatencySeconds: Double?
  public var maxEnergyJoules: Double?
  public var maxPowerWatts: Double?
  public var maxParameters: Double?
  public var maxMemoryBytes: Double?
  /// Points of GLUE.
  public var minAccuracy: Double?

  public init(
    maxLatencySeconds: Double? = nil, maxEnergyJoules: Double? = nil, maxPowerWatts: Double? = nil,
    maxParameters: Double? = nil, maxMemoryBytes: Double? = nil, minAccuracy: Double? = nil
  ) {
    self.maxLatencySeconds = maxLatencySeconds
    self.maxEnergyJoules = maxEnergyJoules
    self.maxPowerWatts = maxPowerWatts
    self.maxParameters = maxParameters
    self.maxMemoryBytes = maxMemoryBytes
    self.minAccuracy = minAccuracy
  }

  enum CodingKeys: String, CodingKey, CaseIterable {
    case maxLatencySeconds = "max_latency_s"
    case maxEnergyJoules = "max_energy_j"
    case maxPowerWatts = "max_power_w"
    case maxParameters = "max_parameters"
    case maxMemoryBytes = "max_memory_bytes"
    case minAccuracy = "min_accuracy"
  }

  /// The limit on an objective, in the objective's unit.
  public subscript(objective: Objective) -> Double? {
    switch objective {
    case .accuracy: minAccuracy
    case .latency: maxLatencySeconds
    case .energy: maxEnergyJoules
    case .peakPower: maxPowerWatts
    case .parameters: maxParameters
    }
  }

  public subscript(budget: Budget) -> Double? {
    switch budget {
    case .latency: maxLatencySeconds
    case .energy: maxEnergyJoules
    case .power: maxPowerWatts
    case .parameters: maxParameters
    case .memory: maxMemoryBytes
    case .accuracy: minAccuracy
    case .deviceMemory: nil
    }
  }
}

/// A limit by its name in files.
public enum Budget: String, Sendable, Hashable, CaseIterable {
  case latency = "max_latency_s"
  case energy = "max_energy_j"
  case power = "max_power_w"
  case parameters = "max_parameters"
  case memory = "max_memory_bytes"
  case accuracy = "min_accuracy"
  /// Not in a file: the memory of a device that cannot page, in bytes.
  case deviceMemory = "device_memory_bytes"

  var lane: Int {
    switch self {
    case .accuracy: 0
    case .latency: 1
    case .energy: 2
    case .power: 3
    case .parameters: 4
    case .memory: 5
    case .deviceMemory: 6
    }
  }
}
