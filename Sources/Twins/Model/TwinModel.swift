import Foundation

/// The three measures of a twin, and what they were fitted on.
public struct TwinModel: Sendable, Hashable, Codable {
  public var latency: MeasureModel
  public var energy: MeasureModel
  public var peakPower: MeasureModel
  /// Rates behind the terms in seconds of a roofline; nil where no form has such a term.
  public var roofline: Roofline?
  /// Nil where nothing was measured: everything follows from the datasheet.
  public var fit: FitProvenance?

  enum CodingKeys: String, CodingKey {
    case latency, energy
    case peakPower = "peak_power"
    case roofline, fit
  }

  public init(
    latency: MeasureModel, energy: MeasureModel, peakPower: MeasureModel, roofline: Roofline? = nil,
    fit: FitProvenance?
  ) {
    self.roofline = roofline
    self.latency = latency
    self.energy = energy
    self.peakPower = peakPower
    self.fit = fit
  }
}

/// The data that a model was fitted on.
public struct FitProvenance: Sendable, Hashable, Codable {
  public var rows: Int
  /// Hash of the rows' content.
  public var dataHash: String
  public var seed: UInt64
  /// Version of the program that fitted.
  public var program: String
  /// Smallest and largest values seen, by the name of a setting or a feature; outside of them a prediction is extrapolated.
  public var ranges: [String: [Double]]
  /// Settings that the rows were taken at; where they never vary, their influence is not identified but taken from physics.
  public var settings: FittedSettings

  enum CodingKeys: String, CodingKey {
    case rows
    case dataHash = "data_hash"
    case seed, program, ranges, settings
  }

  public init(
    rows: Int, dataHash: String, seed: UInt64, program: String, ranges: [String: [Double]], settings: FittedSettings
  ) {
    self.rows = rows
    self.dataHash = dataHash
    self.seed = seed
    self.program = program
    self.ranges = ranges
    self.settings = settings
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(rows, forKey: .rows)
    try container.encode(dataHash, forKey: .dataHash)
    try container.encode(seed, forKey: .seed)
    try container.encode(program, forKey: .program)
    try container.encode(SortedByKey(ranges), forKey: .ranges)
    try container.encode(settings, forKey: .settings)
  }
}

extension FitProvenance {
  /// A setting that rows may vary.
  enum Varied: String, CaseIterable {
    case batchSize = "batch_size"
    case sequenceLength = "sequence_length"
    case threads
  }

  /// Log distance by which a setting lies outside of what was fitted on; 0 where the rows or the settings do not say.
  func excess(_ varied: Varied, of settings: Settings) -> Double {
    let (fitted, asked): (Int?, Int?) =
      switch varied {
      case .batchSize: (self.settings.batchSize, settings.batchSize)
      case .sequenceLength: (self.settings.sequenceLength, settings.sequenceLength)
      case .threads: (self.settings.threads, settings.threads)
      }
    guard let fitted, let asked, fitted > 0, asked > 0 else { return 0 }
    let range = ranges[varied.rawValue].flatMap { $0.count == 2 ? $0 : nil } ?? [Double(fitted), Double(fitted)]
    if Double(asked) > range[1] { return log(Double(asked) / max(range[1], 1)) }
    return Double(asked) < range[0] ? log(range[0] / Double(asked)) : 0
  }
}

/// The settings that a twin's coefficients refer to.
public struct FittedSettings: Sendable, Hashable, Codable {
  public var batchSize: Int
  public var sequenceLength: Int
  public var precision: Precision
  /// Nil where the rows do not say.
  public var threads: Int?
  /// Whether the rows held a share of the process's start-up.
  public var includesStartup: Bool

  enum CodingKeys: String, CodingKey {
    case batchSize = "batch_size"
    case sequenceLength = "sequence_length"
    case precision, threads
    case includesStartup = "includes_startup"
  }

  public init(
    batchSize: Int, sequenceLength: Int, precision: Precision, threads: Int? = nil, includesStartup: Bool
  ) {
    self.threads = threads
    self.batchSize = batchSize
    self.sequenceLength = sequenceLength
    self.precision = precision
    self.includesStartup = includesStartup
  }
}
