import Foundation
import Measurements
import Numerics
import Twins

import struct Measurements.Measurement

/// Fits the constants of ``DatasheetPrior`` to the series of several devices: a maximum a posteriori fit by Levenberg and Marquardt's method
/// on the logarithms of the constants, those of latency first, then those of power.
///
/// A platform counts as four rows however many it has: the loss is `Σ_platforms 4·mean(√(1 + (r/s)²) − 1) + prior/2` with r the log ratio of
/// predicted to measured. The priors are log-normal around what experience with eager PyTorch suggests.
public enum DatasheetPriorFit {
  /// The rows of one device and runtime; rows of others among them are left aside.
  public typealias PlatformRows = (file: DeviceFile, runtime: String, rows: [Measurement])

  private static let rowsPerPlatform = 4.0
  private static let latencyScale = 0.35
  private static let powerScale = 0.4

  /// - Throws: ``CalibrationError`` for unusable rows, `TwinError` for a runtime that a device does not have, or `NumericsError`.
  public static func fit(_ platforms: [PlatformRows]) throws -> DatasheetPrior {
    try fit(try platforms.map { try DatasheetPlatform($0) })
  }

  /// Every device predicted from the constants that the other devices give.
  /// - Throws: as ``fit(_:)``, and for fewer than two platforms.
  public static func leaveOneOut(_ platforms: [PlatformRows]) throws -> [LeaveOneOut] {
    guard platforms.count > 1 else { throw CalibrationError.tooFewPlatforms(platforms.count) }
    let platforms = try platforms.map { try DatasheetPlatform($0) }
    var priors: [Set<Int>: DatasheetPrior] = [:]
    func errors(of index: Int, without left: Set<Int>) throws -> PlatformErrors {
      let prior =
        try priors[left]
        ?? fit(platforms.indices.filter { !left.contains($0) }.map { platforms[$0] })
      priors[left] = prior
      return PlatformErrors(platforms[index], prior: prior)
    }
    return try platforms.indices.map { index in
      let own = try errors(of: index, without: [index])
      let others = try platforms.indices.filter { $0 != index }.map { try errors(of: $0, without: [index, $0]) }
      return LeaveOneOut(
        device: platforms[index].twin.device.id, runtime: platforms[index].runtime,
        factorErrors: own.map { exp(Statistics.median($0.map { abs($0) })) },
        biases: own.map { Statistics.median($0) }, scatters: own.map { SeriesFit.deviation($0) },
        coverage90: PerMeasure(own, others) { own, others in
          let others = others.filter { !$0.isEmpty }
          let scale = predictiveScale(
            biases: others.map { Statistics.median($0) }, scatters: others.map { SeriesFit.deviation($0) })
          let half =
            scale * Distributions.studentTQuantile(0.95, degreesOfFreedom: degreesOfFreedom(platforms: others.count))
          return Double(own.count { abs($0) <= half }) / Double(own.count)
        })
    }
  }

  /// What the intervals of a device that was never measured are made of: the standard deviation of a row around its prediction, on the log
  /// scale, with ``degreesOfFreedom(platforms:)``.
  public static func predictiveScales(_ results: [LeaveOneOut]) -> PerMeasure {
    func scale(_ measure: KeyPath<PerMeasure, Double>) -> Double {
      let present = results.filter { $0.biases[keyPath: measure].isFinite }
      return predictiveScale(
        biases: present.map { $0.biases[keyPath: measure] }, scatters: present.map { $0.scatters[keyPath: measure] })
    }
    return PerMeasure(latency: scale(\.latency), energy: scale(\.energy), peakPower: scale(\.peakPower))
  }

  /// Platforms that experience counts for, and the standard deviation of their levels.
  private static let pseudoPlatforms = 4.0
  private static let pseudoScale = 0.45

  /// Degrees of freedom of the Student t that goes with the scales of that many platforms.
  public static func degreesOfFreedom(platforms: Int) -> Double { pseudoPlatforms + Double(platforms) }

  /// `√(s_b²(1 + 1/k) + s_w²)`: the level of a new platform, with the prior's platforms counted in, and a row's scatter around it.
  private static func predictiveScale(biases: [Double], scatters: [Double]) -> Double {
    let k = Double(biases.count)
    guard k > 0 else { return .nan }
    let between =
      (pseudoPlatforms * pseudoScale * pseudoScale + biases.reduce(0) { $0 + $1 * $1 }) / (pseudoPlatforms + k)
    let within = scatters.reduce(0) { $0 + $1 * $1 } / k
    return (between * (1 + 1 / k) + within).squareRoot()
  }

  // MARK: The fit

  /// A constant, the center of its prior, and its standard deviation on the log scale.
  private typealias Constant = (path: WritableKeyPath<DatasheetPrior, Double>, center: Double, deviation: Double)

  private static var latencyConstants: [Constant] {
    [
      (\.startSeconds, 0.7, 0.7), (\.loadSecondsPerByte, 3e-9, 0.7), (\.headSeconds, 3e-3, 0.7),
      (\.cpuEfficiency, 0.02, 0.7), (\.acceleratorEfficiency, 0.2, 0.7), (\.acceleratorStartSeconds, 0.7, 0.7),
      (\.pagingSecondsPerByte, 25e-9, 0.7), (\.acceleratorPaging, 3, 0.7),
    ]
  }

  private static var powerConstants: [Constant] {
    [
      (\.hostPowerShare, 0.1, 0.8), (\.computePowerShare, 0.3, 0.8), (\.basePowerShare, 0.2, 0.8),
      (\.peakPowerShare, 0.5, 0.8),
    ]
  }

  private static func fit(_ platforms: [DatasheetPlatform]) throws -> DatasheetPrior {
    let timed = try fit(latencyConstants, of: .standard) { prior in
      platforms.flatMap { platform in
        residuals(platform.latency.logRatios(of: platform.logSeconds(prior)), scale: latencyScale)
      }
    }
    return try fit(powerConstants, of: timed) { prior in
      platforms.flatMap { platform in
        residuals(platform.meanPower.logRatios(of: platform.logMeanPower(prior)), scale: powerScale)
          + residuals(platform.peakPower.logRatios(of: platform.logPeakPower(prior)), scale: powerScale)
      }
    }
  }

  /// The logarithms of constants stay this close to their priors' centers, whatever step is tried: exp must not overflow.
  private static let largestStep = 12.0
  private static let maximumIterations = 200

  private static func fit(
    _ constants: [Constant], of start: DatasheetPrior, residuals: @escaping (DatasheetPrior) -> [Double]
  ) throws -> DatasheetPrior {
    let centers = constants.map { log($0.center) }
    func prior(_ logs: [Double]) -> DatasheetPrior {
      var prior = start
      for (constant, (value, center)) in zip(constants, zip(logs, centers)) {
        prior[keyPath: constant.path] = exp(min(max(value, center - largestStep), center + largestStep))
      }
      return prior
    }
    let count = residuals(prior(centers)).count + constants.count
    let result = try levenbergMarquardt(
      residualCount: count, initial: centers, tolerance: 1e-7, maximumIterations: maximumIterations,
      residuals: { logs in
        residuals(prior(logs)) + constants.indices.map { (logs[$0] - centers[$0]) / constants[$0].deviation }
      })
    // Where a base power meets the idle power the loss has an edge, and no gradient vanishes: the method stops when no step lowers it.
    guard result.isConverged || result.iterations < maximumIterations else {
      throw NumericsError.didNotConverge(what: "fit of the datasheet's prior", iterations: result.iterations)
    }
    return prior(result.parameters)
  }

  /// Residuals whose squares sum to twice the platform's loss: `u/√(1 + √(1 + u²))` is the root of `√(1 + u²) − 1` with the sign of u, and
  /// smooth at 0.
  private static func residuals(_ logRatios: [Double], scale: Double) -> [Double] {
    let weight = (2 * rowsPerPlatform / Double(max(logRatios.count, 1))).squareRoot()
    return logRatios.map { ratio in
      let u = ratio / scale
      return weight * u / (1 + (1 + u * u).squareRoot()).squareRoot()
    }
  }
}

/// A platform's rows, with the features that a datasheet twin's forms ask for.
private struct DatasheetPlatform {
  /// Measured logarithms of one measure, and the rows that have one.
  struct Observed {
    var rows: [Int]
    var logs: [Double]

    init(_ values: [Double?]) {
      rows = values.indices.filter { values[$0] != nil }
      logs = values.compactMap { $0.map { log($0) } }
    }

    /// ln(predicted/measured), from predictions for all rows.
    func logRatios(of logPredictions: [Double]) -> [Double] { zip(rows, logs).map { logPredictions[$0] - $1 } }
  }

  let runtime: String
  let twin: DatasheetTwin
  let count: Int
  let latency: Observed
  let energy: Observed
  let meanPower: Observed
  let peakPower: Observed
  /// A column a feature. Knees and spans come from the device's facts, not from the constants.
  private let columns: [Feature: [Double]]

  init(_ platform: DatasheetPriorFit.PlatformRows) throws {
    let calibrator = Calibrator(file: platform.file, runtime: platform.runtime)
    let series = try calibrator.series(platform.rows).0
    runtime = platform.runtime
    twin = calibrator.datasheetTwin(variant: series.variant, settings: series.settings)
    count = series.count
    latency = Observed(series.latencySeconds)
    energy = Observed(series.energyJoules)
    meanPower = Observed(
      zip(series.energyJoules, series.latencySeconds).map { joules, seconds in
        joules.flatMap { joules in seconds.map { joules / $0 } }
      })
    peakPower = Observed(series.peakPowerWatts)
    var columns: [Feature: [Double]] = [:]
    for coefficient in twin.latency().coefficients {
      var unit = coefficient
      unit.value = 1
      columns[coefficient.feature] = series.features.map { unit.cost(of: $0) }
    }
    self.columns = columns
  }

  func logSeconds(_ prior: DatasheetPrior) -> [Double] { logCosts(twin(prior).latency()) }

  func logJoules(_ prior: DatasheetPrior) -> [Double] { logCosts(twin(prior).energy()) }

  func logMeanPower(_ prior: DatasheetPrior) -> [Double] {
    zip(logJoules(prior), logSeconds(prior)).map { $0 - $1 }
  }

  func logPeakPower(_ prior: DatasheetPrior) -> [Double] {
    let watts = twin(prior).peakPower().coefficients.reduce(0) { $0 + $1.value }
    return [Double](repeating: log(watts), count: count)
  }

  private func twin(_ prior: DatasheetPrior) -> DatasheetTwin {
    var twin = twin
    twin.prior = prior
    return twin
  }

  private func logCosts(_ form: LinearForm) -> [Double] {
    var sum = [Double](repeating: 0, count: count)
    for coefficient in form.coefficients {
      guard let column = columns[coefficient.feature] else { continue }
      for row in 0..<count { sum[row] += coefficient.value * column[row] }
    }
    return sum.map { log(max($0, MeasureFloor.value)) }
  }
}

/// ln(predicted/measured) of the rows of a platform.
private struct PlatformErrors {
  var latency: [Double]
  var energy: [Double]
  var peakPower: [Double]

  init(_ platform: DatasheetPlatform, prior: DatasheetPrior) {
    latency = platform.latency.logRatios(of: platform.logSeconds(prior))
    energy = platform.energy.logRatios(of: platform.logJoules(prior))
    peakPower = platform.peakPower.logRatios(of: platform.logPeakPower(prior))
  }

  func map(_ transform: ([Double]) -> Double) -> PerMeasure {
    PerMeasure(latency: transform(latency), energy: transform(energy), peakPower: transform(peakPower))
  }
}

extension PerMeasure {
  fileprivate init(
    _ own: PlatformErrors, _ others: [PlatformErrors], _ transform: ([Double], [[Double]]) -> Double
  ) {
    self.init(
      latency: transform(own.latency, others.map(\.latency)), energy: transform(own.energy, others.map(\.energy)),
      peakPower: transform(own.peakPower, others.map(\.peakPower)))
  }
}
