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
  public init(rows: [Measurement], variant: RuntimeVariant) {
    let first = rows.first
    let settings = Settings(
      batchSize: first?.batchSize ?? 1, sequenceLength: first?.sequenceLength ?? 128,
      precision: first.flatMap { Precision(rawValue: $0.precision) } ?? .fp32, threads: first?.threads,
      includesStartup: first?.includesStartup ?? false)
    self.settings = settings
    self.variant = variant
    features = rows.map { row in
      guard let architecture = row.architecture else { return FeatureVector() }
      return FeatureForm(settings: settings, variant: variant, position: architecture.position).total(of: architecture)
    }
    orders = rows.enumerated().map { $1.order ?? $0 }
    latencySeconds = rows.map(\.latencySeconds)
    energyJoules = rows.map(\.energyJoules)
    peakPowerWatts = rows.map(\.peakPowerWatts)
  }
}
