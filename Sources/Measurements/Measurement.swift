import Architectures

/// One observation: what a runtime took for one model on one device at given settings.
///
/// What was not measured is nil, never 0. Latency and energy are per sequence.
///
/// Foundation has a type of the same name: a file that imports both rooms adds `import struct
/// Measurements.Measurement`.
public struct Measurement: Hashable, Sendable {
  /// The number formats that a measurement can be of.
  public static let precisions = ["fp32", "fp16", "bf16", "int8"]

  /// The model; nil for a row that knows its model only by ``features``.
  public var architecture: Architecture?
  /// Numbers that describe a model whose architecture is not given, by their names in the source.
  public var features: [String: Double]?
  public var device: String
  public var runtime: String
  public var batchSize: Int
  public var sequenceLength: Int
  /// One of ``precisions``.
  public var precision: String
  public var threads: Int?
  /// Place in the series that the measurement belongs to, from 0: devices drift, and the order shows it.
  public var order: Int?
  /// Seconds per sequence.
  public var latencySeconds: Double?
  /// Seconds of one call with ``batchSize`` sequences.
  public var batchLatencySeconds: Double?
  /// 95th percentile of the calls, in seconds per sequence.
  public var latencyP95Seconds: Double?
  /// Standard deviation of the repeats, robust where this program measured them, in seconds per sequence; 0 where all repeats agreed.
  public var spreadSeconds: Double?
  /// Joules per sequence.
  public var energyJoules: Double?
  /// Largest sample of the power, in watts.
  public var peakPowerWatts: Double?
  public var powerScope: PowerScope?
  /// True where the power at idle is part of energy and peak power.
  public var idleIncluded: Bool?
  /// Time between two samples of the power.
  public var samplingIntervalSeconds: Double?
  /// What read the power.
  public var meter: String?
  /// Date and time, ISO 8601.
  public var measuredAt: String?
  /// Anything else that is known about how it was measured.
  public var environment: [String: String]
  /// True where the figures hold a share of the process's start-up.
  public var includesStartup: Bool

  /// The least that the gauge of pace took beside the repeats: how fast the cores were at best then. Nil where it was not looked at.
  public var paceSeconds: Double? {
    environment[Self.paceKey].flatMap(Double.init).flatMap { $0 > 0 && $0.isFinite ? $0 : nil }
  }

  /// What of the calls the latency is, `median` or `fastest`; nil where the row does not say.
  public var statistic: String? { environment[Self.statisticKey] }

  /// Of ``environment``.
  public static let paceKey = "pace_s"
  /// Median of the larger of the gauge before and after each repeat: what the cores were good for most of the time.
  public static let typicalPaceKey = "pace_typical_s"
  public static let statisticKey = "latency_statistic"

  public init(
    architecture: Architecture?, features: [String: Double]? = nil, device: String, runtime: String,
    batchSize: Int,
    sequenceLength: Int, precision: String, threads: Int? = nil, order: Int? = nil,
    latencySeconds: Double? = nil,
    batchLatencySeconds: Double? = nil, latencyP95Seconds: Double? = nil, spreadSeconds: Double? = nil,
    energyJoules: Double? = nil, peakPowerWatts: Double? = nil, powerScope: PowerScope? = nil,
    idleIncluded: Bool? = nil, samplingIntervalSeconds: Double? = nil, meter: String? = nil,
    measuredAt: String? = nil, environment: [String: String] = [:], includesStartup: Bool = false
  ) {
    self.architecture = architecture
    self.features = features
    self.device = device
    self.runtime = runtime
    self.batchSize = batchSize
    self.sequenceLength = sequenceLength
    self.precision = precision
    self.threads = threads
    self.order = order
    self.latencySeconds = latencySeconds
    self.batchLatencySeconds = batchLatencySeconds
    self.latencyP95Seconds = latencyP95Seconds
    self.spreadSeconds = spreadSeconds
    self.energyJoules = energyJoules
    self.peakPowerWatts = peakPowerWatts
    self.powerScope = powerScope
    self.idleIncluded = idleIncluded
    self.samplingIntervalSeconds = samplingIntervalSeconds
    self.meter = meter
    self.measuredAt = measuredAt
    self.environment = environment
    self.includesStartup = includesStartup
  }
}
