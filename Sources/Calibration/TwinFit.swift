import Foundation
import Numerics
import Twins

/// The fits of all three measures of a series, or of some of its rows.
struct TwinFit: Sendable {
  /// A series ready to be fitted: features with the feature sets of each measure.
  struct Data: Sendable {
    var latencyTable: FeatureTable
    var energyTable: FeatureTable
    var orders: [Int]
    /// Rows of one model have the same number.
    var models: [Int]
    var latencySeconds: [Double?]
    var energyJoules: [Double?]
    var peakPowerWatts: [Double?]
    var includesStartup: Bool

    var count: Int { orders.count }

    func selecting(_ rows: [Int]) -> Data {
      Data(
        latencyTable: latencyTable.selecting(rows), energyTable: energyTable.selecting(rows),
        orders: rows.map { orders[$0] }, models: rows.map { models[$0] },
        latencySeconds: rows.map { latencySeconds[$0] },
        energyJoules: rows.map { energyJoules[$0] }, peakPowerWatts: rows.map { peakPowerWatts[$0] },
        includesStartup: includesStartup)
    }

    /// Rows with a value, and the values.
    static func present(_ values: [Double?]) -> (rows: [Int], values: [Double]) {
      let rows = values.indices.filter { values[$0] != nil }
      return (rows, rows.compactMap { values[$0] })
    }
  }

  let latency: SeriesFit
  let energy: EnergyFit?
  let peakPower: PeakPowerFit?

  /// - Throws: ``CalibrationError`` where fewer than four rows have a latency, or what the fits throw.
  init(_ data: Data) throws {
    let timed = Data.present(data.latencySeconds)
    guard timed.rows.count >= Self.minimumRows else { throw CalibrationError.tooFewRows(timed.rows.count) }
    let latency = try SeriesFit(
      table: data.latencyTable.selecting(timed.rows), values: timed.values,
      orders: timed.rows.map { data.orders[$0] })
    self.latency = latency
    energy = try EnergyFit(data, latency: latency)
    peakPower = try PeakPowerFit(data, latency: latency)
  }

  static let minimumRows = 4

  /// The rows' features, with the seconds of the fitted roofline where there is one.
  func features(_ data: Data) -> [FeatureVector] {
    let features = data.latencyTable.features
    guard let roofline = latency.basis.roofline?.roofline, let table = data.latencyTable.roofline else {
      return features
    }
    let parts = table.parts.map {
      smoothMaximum($0.flops / roofline.flopsPerSecond($0.group), $0.bytes / roofline.bytesPerSecond)
    }
    return zip(features, table.rows).map { vector, row in
      var vector = vector
      vector[.rooflineSeconds] = row.parts.reduce(roofline.launchSeconds * row.calls) { $0 + $1.count * parts[$1.part] }
      return vector
    }
  }

  /// Predicted logarithms without the level of a regime, for every row of `data`.
  func logPredictions(_ data: Data) -> (latency: [Double], energy: [Double]?, peakPower: [Double]?) {
    let seconds = latency.logPredictions(data.latencyTable)
    return (
      seconds, energy?.logPredictions(data, logLatency: seconds),
      peakPower?.logPredictions(data.latencyTable, logSeconds: seconds.map { $0 + latency.typicalLevel })
    )
  }
}

/// Energy two ways, averaged in log: regressed directly, and as predicted latency times a smooth mean power.
///
/// The errors of the two are not the same, so that their mean is steadier than either.
struct EnergyFit: Sendable {
  let direct: SeriesFit
  let latency: SeriesFit
  /// Energy over latency; nil where too few rows have both.
  let power: SeriesFit?
  let typicalLevel: Double
  /// Level of each of the direct fit's rows.
  let rowLevels: [Double]

  /// Nil where fewer than four rows have an energy.
  init?(_ data: TwinFit.Data, latency: SeriesFit) throws {
    let metered = TwinFit.Data.present(data.energyJoules)
    guard metered.rows.count >= TwinFit.minimumRows else { return nil }
    self.latency = latency
    let orders = metered.rows.map { data.orders[$0] }
    direct = try SeriesFit(table: data.energyTable.selecting(metered.rows), values: metered.values, orders: orders)
    let both = metered.rows.filter { data.latencySeconds[$0] != nil }
    let powers = both.compactMap { row in
      data.energyJoules[row].flatMap { energy in data.latencySeconds[row].map { energy / $0 } }
    }
    power =
      both.count >= TwinFit.minimumRows
      ? try SeriesFit(
        design: .power, table: data.energyTable.selecting(both), values: powers, orders: both.map { data.orders[$0] })
      : nil
    let (direct, power) = (direct, power)
    rowLevels = orders.map { Self.level(at: $0, direct: direct, latency: latency, power: power) }
    typicalLevel = RegimeDetection.typicalLevel(levels: rowLevels, sigma: direct.scatter)
  }

  func logPredictions(_ data: TwinFit.Data, logLatency: [Double]) -> [Double] {
    let first = direct.logPredictions(data.energyTable)
    guard let power else { return first }
    let second = power.logPredictions(data.energyTable)
    return first.indices.map { (first[$0] + logLatency[$0] + second[$0]) / 2 }
  }

  func level(at position: Int) -> Double {
    Self.level(at: position, direct: direct, latency: latency, power: power)
  }

  private static func level(at position: Int, direct: SeriesFit, latency: SeriesFit, power: SeriesFit?) -> Double {
    guard let power else { return direct.level(at: position) }
    return (direct.level(at: position) + latency.level(at: position) + power.level(at: position)) / 2
  }
}

/// Peak power as a mean in log of three: saturating with time and smooth, constant and smooth, saturating alone.
struct PeakPowerFit: Sendable {
  let saturating: SeriesFit
  let constant: SeriesFit
  let plain: SeriesFit
  static let weights = (saturating: 0.4, constant: 0.4, plain: 0.2)

  /// Nil where fewer than four rows have a peak power.
  init?(_ data: TwinFit.Data, latency: SeriesFit) throws {
    let metered = TwinFit.Data.present(data.peakPowerWatts)
    guard metered.rows.count >= TwinFit.minimumRows else { return nil }
    let table = data.latencyTable.selecting(metered.rows)
    let orders = metered.rows.map { data.orders[$0] }
    let logSeconds = latency.logPredictions(table).map { $0 + latency.typicalLevel }
    func fit(_ kind: SeriesFit.Design.Kind, usesProcess: Bool) throws -> SeriesFit {
      // Nothing in the order of measuring explains peak power on any platform: no regimes.
      try SeriesFit(
        design: .init(
          kind: kind, summaries: SeriesFit.Design.peakSummaries, detectsRegimes: false, usesProcess: usesProcess),
        table: table, values: metered.values, orders: orders, logSeconds: logSeconds)
    }
    saturating = try fit(.saturation, usesProcess: true)
    constant = try fit(.constant, usesProcess: true)
    plain = try fit(.saturation, usesProcess: false)
  }

  func logPredictions(_ table: FeatureTable, logSeconds: [Double]) -> [Double] {
    let parts = [
      (Self.weights.saturating, saturating), (Self.weights.constant, constant), (Self.weights.plain, plain),
    ]
    var sum = [Double](repeating: 0, count: table.count)
    for (weight, fit) in parts {
      for (row, value) in fit.logPredictions(table, logSeconds: logSeconds).enumerated() {
        sum[row] += weight * (value + fit.typicalLevel)
      }
    }
    return sum
  }
}
