/// How a model is run: everything about a workload that is not the architecture or the device.
public struct Settings: Sendable, Hashable {
  /// Sequences in one call.
  public var batchSize: Int
  /// Tokens in a sequence, padding included.
  public var sequenceLength: Int
  public var precision: Precision
  /// Nil leaves it to the runtime, which then takes all the cores that the device file names.
  public var threads: Int?
  /// Whether figures hold a share of the process's start-up, as ProTran's do.
  public var includesStartup: Bool

  public init(
    batchSize: Int = 1, sequenceLength: Int = 128, precision: Precision = .fp32, threads: Int? = nil,
    includesStartup: Bool = false
  ) {
    self.batchSize = batchSize
    self.sequenceLength = sequenceLength
    self.precision = precision
    self.threads = threads
    self.includesStartup = includesStartup
  }

  /// Largest batch and length that are accepted, so that no count can overflow.
  public static let batchSizes = 1...65_536
  public static let sequenceLengths = 1...65_536
  /// Numbers of threads that are accepted.
  public static let threadCounts = 1...4096
}
