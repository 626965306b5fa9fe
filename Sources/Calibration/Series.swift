import Architectures
import Twins

import struct Measurements.Measurement

/// The rows of one device and runtime, with their features: what a twin is fitted to.
public struct Series: Sendable {
  public let variant: RuntimeVariant
  /// The most common ones among the rows, which coefficients refer to.
  public let settings: Settings
  /// Of each row; they differ only where the runtime's features hold what the settings do.
  public let rowSettings: [Settings]
  /// Nil for rows that are known by their features only.
  public let architectures: [Architecture?]
  /// In the order of the rows that were given.
  public let features: [FeatureVector]
  public let orders: [Int]
  /// As they would be at the pace of the device's roofs, where rows say theirs.
  public let latencySeconds: [Double?]
  public let energyJoules: [Double?]
  public let peakPowerWatts: [Double?]

  public var count: Int { features.count }

  /// - Parameters:
  ///   - rows: each with an architecture.
  ///   - device: whose roofs the features of some runtimes are times of.
  /// - Throws: ``CalibrationError/unusableRow(row:problem:)``.
  public init(rows: [Measurement], variant: RuntimeVariant, device: Device) throws(CalibrationError) {
    let rowSettings = rows.map { row in
      Settings(
        batchSize: row.batchSize, sequenceLength: row.sequenceLength,
        precision: Precision(rawValue: row.precision) ?? .fp32, threads: row.threads,
        includesStartup: row.includesStartup)
    }
    let counts = Dictionary(grouping: rowSettings.indices) { rowSettings[$0] }
    // Of equally common ones the first.
    settings =
      counts.max { ($0.value.count, -($0.value.first ?? 0)) < ($1.value.count, -($1.value.first ?? 0)) }?.key
      ?? Settings()
    self.rowSettings = rowSettings
    architectures = rows.map(\.architecture)
    self.variant = variant
    let roofs = variant.usesRoofs ? counts.mapValues { RoofTable(device: device, settings: rowSettings[$0[0]]) } : [:]
    features = try rows.enumerated().map { index, row throws(CalibrationError) in
      let settings = rowSettings[index]
      guard let features = Self.features(of: row, settings: settings, variant: variant, roofs: roofs[settings]) else {
        throw CalibrationError.unusableRow(
          row: index, problem: "has neither an architecture nor the columns of a HAT encoder among its features")
      }
      return features
    }
    orders = rows.enumerated().map { $1.order ?? $0 }
    latencySeconds = rows.map { row in
      let seconds = row.latencySeconds ?? row.batchLatencySeconds.map { $0 / Double(row.batchSize) }
      return seconds.map { $0 / (device.roofs?.slowing(of: row) ?? 1) }
    }
    energyJoules = rows.map(\.energyJoules)
    peakPowerWatts = rows.map(\.peakPowerWatts)
  }

  /// Features of a row's model at given settings; nil where the row does not say enough.
  /// - Parameter roofs: for runtimes that use them.
  public static func features(
    of row: Measurement, settings: Settings, variant: RuntimeVariant, roofs: RoofTable? = nil
  ) -> FeatureVector? {
    if let architecture = row.architecture {
      return FeatureForm(settings: settings, variant: variant, position: architecture.position, roofs: roofs)
        .total(of: architecture)
    }
    return row.features.flatMap {
      FeatureForm(settings: settings, variant: variant, position: .absolute).total(ofHAT: $0)
    }
  }
}

extension Series {
  /// A number for each row's model; rows that are known by their features only are of models of their own.
  var models: [Int] {
    var known: [Architecture: Int] = [:]
    return architectures.enumerated().map { index, model in
      guard let model else { return index }
      if let first = known[model] { return first }
      known[model] = index
      return index
    }
  }

  /// Smallest and largest value of each setting that the rows vary.
  var varied: [(name: String, values: ClosedRange<Int>)] {
    let settings: [(String, [Int])] = [
      ("batch_size", rowSettings.map(\.batchSize)), ("sequence_length", rowSettings.map(\.sequenceLength)),
      ("threads", rowSettings.compactMap(\.threads)),
    ]
    return settings.compactMap { name, values in
      guard let low = values.min(), let high = values.max(), low < high else { return nil }
      return (name, low...high)
    }
  }

  /// What coefficients refer to, as a device file keeps it.
  var fittedSettings: FittedSettings {
    FittedSettings(
      batchSize: settings.batchSize, sequenceLength: settings.sequenceLength, precision: settings.precision,
      threads: variant.usesRoofs ? settings.threads : nil, includesStartup: settings.includesStartup)
  }
}
