import Architectures
import Twins

import struct Measurements.Measurement

/// The rows of one device and runtime, with their features: what a twin is fitted to.
public struct Series: Sendable {
  public let variant: RuntimeVariant
  public let settings: Settings
  /// In the order of the rows that were given.
  public let features: [FeatureVector]
  public let orders: [Int]
  public let latencySeconds: [Double?]
  public let energyJoules: [Double?]
  public let peakPowerWatts: [Double?]

  public var count: Int { features.count }

  /// - Parameter rows: each with an architecture, and all at the settings of the first.
  /// - Throws: ``CalibrationError/unusableRow(row:problem:)``.
  public init(rows: [Measurement], variant: RuntimeVariant) throws(CalibrationError) {
    let first = rows.first
    let settings = Settings(
      batchSize: first?.batchSize ?? 1, sequenceLength: first?.sequenceLength ?? 128,
      precision: first.flatMap { Precision(rawValue: $0.precision) } ?? .fp32, threads: first?.threads,
      includesStartup: first?.includesStartup ?? false)
    self.settings = settings
    self.variant = variant
    features = try rows.enumerated().map { index, row throws(CalibrationError) in
      guard let features = Self.features(of: row, settings: settings, variant: variant) else {
        throw CalibrationError.unusableRow(
          row: index, problem: "has neither an architecture nor the columns of a HAT encoder among its features")
      }
      return features
    }
    orders = rows.enumerated().map { $1.order ?? $0 }
    latencySeconds = rows.map { row in
      row.latencySeconds ?? row.batchLatencySeconds.map { $0 / Double(row.batchSize) }
    }
    energyJoules = rows.map(\.energyJoules)
    peakPowerWatts = rows.map(\.peakPowerWatts)
  }

  /// Features of a row's model at given settings; nil where the row does not say enough.
  public static func features(of row: Measurement, settings: Settings, variant: RuntimeVariant) -> FeatureVector? {
    if let architecture = row.architecture {
      return FeatureForm(settings: settings, variant: variant, position: architecture.position).total(of: architecture)
    }
    return row.features.flatMap {
      FeatureForm(settings: settings, variant: variant, position: .absolute).total(ofHAT: $0)
    }
  }
}
