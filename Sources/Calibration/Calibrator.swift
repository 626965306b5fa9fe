import Architectures
import Foundation
import Measurements
import Numerics
import Twins

import struct Measurements.Measurement

/// Turns measurements of a device into a twin, and says how good it is.
public struct Calibrator: Sendable {
  /// Fewest rows with a latency that a twin is fitted to.
  public static let minimumRows = TwinFit.minimumRows

  public var file: DeviceFile
  public var runtime: String
  public var seed: UInt64
  public var prior: DatasheetPrior
  /// Version of the program, kept with the fit.
  public var program: String

  public init(
    file: DeviceFile, runtime: String, seed: UInt64 = 0, prior: DatasheetPrior = .standard, program: String = ""
  ) {
    self.file = file
    self.runtime = runtime
    self.seed = seed
    self.prior = prior
    self.program = program
  }

  /// Fits all measures and returns the device's file with the fitted model in place.
  /// - Parameter rows: rows of other devices and runtimes are left aside.
  /// - Throws: ``CalibrationError``, `TwinError` where the device does not have the runtime, or `NumericsError`.
  public func calibrate(_ rows: [Measurement]) throws -> (file: DeviceFile, report: CalibrationReport) {
    let (series, used) = try self.series(rows)
    let datasheet = datasheetTwin(series)
    let (threadLevels, data) = try threadLevels(series, data: data(series, datasheet: datasheet))
    let fit = try TwinFit(data)
    let timed = data.latencySeconds.count { $0 != nil }
    let validation =
      timed >= TwinModelBuilder.minimumConformalRows ? try CrossValidation(data, seed: seed) : nil
    let builder = TwinModelBuilder(
      data: data, fit: fit, validation: validation, datasheet: datasheet, threadLevels: threadLevels)
    let hash = used.contentHash
    var model = try builder.model(
      provenance: FitProvenance(
        rows: used.count, dataHash: hash, seed: seed, program: program, ranges: ranges(series),
        settings: series.fittedSettings))
    if let occasions = OccasionScatter(used) {
      model.latency.spread = model.latency.spread.adding(logDeviation: occasions.logDeviation)
    }
    var result = file
    result.runtimes[runtime]?.model = model
    var report = try report(series, data: data, fit: fit, validation: validation, model: model, hash: hash)
    let scopes = Set(used.compactMap(\.powerScope))
    if let scope = scopes.first, scopes.count == 1, scope != file.device.power.scope {
      // What a twin predicts is what was metered.
      result.device.power.scope = scope
      report.warnings.append(
        "power was metered at the \(scope.rawValue) and the device file spoke of the \(file.device.power.scope.rawValue):"
          + " the twin's scope is now \(scope.rawValue); check power.idle and power.maximum")
    }
    return (result, report)
  }

  // MARK: Preparation

  /// The rows of this device and runtime, checked to be of one setting, or of one precision where features hold what batch, length and
  /// threads do.
  func series(_ rows: [Measurement]) throws -> (Series, [Measurement]) {
    guard let entry = file.runtimes[runtime] else {
      throw TwinError.unknownRuntime(runtime, device: file.device.id, known: file.runtimes.keys.sorted())
    }
    let used = rows.filter { $0.device == file.device.id && $0.runtime == runtime }
    guard let first = used.first else {
      let found = Set(rows.map { "\($0.device) with \($0.runtime)" }).sorted()
      throw CalibrationError.noRows(device: file.device.id, runtime: runtime, found: found)
    }
    // Rows without power have no scope, and mix with any.
    let scope = used.lazy.compactMap(\.powerScope).first
    let statistic = used.lazy.compactMap(\.statistic).first
    for (index, row) in used.enumerated() {
      let varying: [(String, String, String)] = [
        ("batch size", "\(first.batchSize)", "\(row.batchSize)"),
        ("sequence length", "\(first.sequenceLength)", "\(row.sequenceLength)"),
      ]
      let settings: [(String, String, String)] = [
        ("precision", first.precision, row.precision),
        ("latency_statistic", statistic ?? "none", row.statistic ?? statistic ?? "none"),
        ("includes_startup", "\(first.includesStartup)", "\(row.includesStartup)"),
        ("power_scope", scope?.rawValue ?? "none", (row.powerScope ?? scope)?.rawValue ?? "none"),
      ]
      if let (name, expected, found) = (entry.variant.usesRoofs ? settings : varying + settings).first(where: {
        $0.1 != $0.2
      }) {
        throw CalibrationError.mixedSettings(setting: name, first: expected, other: found, row: index)
      }
      for (name, value) in [
        ("latency_s", row.latencySeconds), ("energy_j", row.energyJoules), ("peak_power_w", row.peakPowerWatts),
      ] {
        if let value, !(value > 0 && value.isFinite) {
          throw CalibrationError.unusableRow(
            row: index, problem: "\(name) is \(value): leave out what was not measured")
        }
      }
    }
    return (try Series(rows: used, variant: entry.variant, device: file.device), used)
  }

  func datasheetTwin(_ series: Series) -> DatasheetTwin {
    datasheetTwin(variant: series.variant, settings: series.settings)
  }

  func datasheetTwin(variant: RuntimeVariant, settings: Settings) -> DatasheetTwin {
    DatasheetTwin(
      prior: prior, device: file.device, variant: variant,
      sequencesPerProcess: Double(file.runtimes[runtime]?.profiled?.sequencesPerProcess ?? settings.batchSize),
      settings: settings)
  }

  /// Half of the prior's shares come from the device's datasheet.
  static let datasheetWeight = 0.5
  /// Share of the memory at which paging may set in, in bytes of parameters: a model in memory is several copies of them.
  private static let pagingOnset = 0.15

  /// The feature sets of a runtime whose features are times at the roofs, or those of all others.
  func featureSets(for features: [FeatureVector], datasheet: LinearForm, variant: RuntimeVariant) -> [FeatureSet] {
    variant.usesRoofs
      ? FeatureSet.roofs(of: datasheet, features: features)
      : featureSets(for: features).map { $0.leaning(on: datasheet, weight: Self.datasheetWeight) }
  }

  /// The feature sets, with paging terms where the device pages and some of the models are large enough to.
  func featureSets(for features: [FeatureVector]) -> [FeatureSet] {
    let memory = file.device.memory
    let onset = memory.overflow == .page ? Self.pagingOnset * memory.capacity.value : .infinity
    let largest = features.reduce(0) { max($0, $1[.parameterBytes]) }
    return FeatureSet.standard(pagingOnset: onset < largest ? onset : nil)
  }

  func data(_ series: Series, datasheet: DatasheetTwin) -> TwinFit.Data {
    let models = series.architectures.compactMap(\.self)
    // Roofs hold the shapes already; what a roofline would add at other settings, only rows at other settings can tell.
    let offersRoofline = models.count == series.count && (!series.variant.usesRoofs || !series.varied.isEmpty)
    let roofline =
      offersRoofline
      ? RooflineTable(
        Array(zip(models, series.rowSettings)), features: series.features, variant: series.variant,
        start: RooflineStart(datasheet)) : nil
    func table(_ form: LinearForm, roofline: RooflineTable?) -> FeatureTable {
      FeatureTable(
        features: series.features,
        sets: featureSets(for: series.features, datasheet: form, variant: series.variant), roofline: roofline)
    }
    return TwinFit.Data(
      latencyTable: table(datasheet.latency(), roofline: roofline),
      energyTable: table(datasheet.energy(), roofline: nil), orders: series.orders, models: series.models,
      latencySeconds: series.latencySeconds, energyJoules: series.energyJoules,
      peakPowerWatts: series.peakPowerWatts, includesStartup: series.settings.includesStartup)
  }

  private func ranges(_ series: Series) -> [String: [Double]] {
    var result: [String: [Double]] = [:]
    for (name, feature) in [
      ("parameter_bytes", Feature.parameterBytes), ("heads", .heads), ("layers", .layers),
      ("product_flops", .productFLOPs),
    ] {
      let values = series.features.map { $0[feature] }
      if let low = values.min(), let high = values.max() { result[name] = [low, high] }
    }
    for (name, values) in series.varied { result[name] = [values.lowerBound, values.upperBound].map(Double.init) }
    return result
  }

  // MARK: Report

  private func report(
    _ series: Series, data: TwinFit.Data, fit: TwinFit, validation: CrossValidation?, model: TwinModel, hash: String
  ) throws -> CalibrationReport {
    func measure(_ name: String, _ model: MeasureModel, rows: Int) -> CalibrationReport.Measure {
      let bounds = model.spread.offsets(level: 0.9)
      return CalibrationReport.Measure(
        name: name, rows: rows, medianAbsolutePercentageError: model.crossValidation?.medianAbsolutePercentageError,
        coverage90: model.crossValidation?.coverage90, interval90: [exp(bounds.lower), exp(bounds.upper)],
        intervalBasis: model.spread.basis)
    }
    var states = [
      RegimeReport(measure: "latency", fit: fit.latency, typicalLevel: fit.latency.typicalLevel)
    ]
    if let energy = fit.energy {
      states.append(
        RegimeReport(measure: "energy", fit: energy.direct, typicalLevel: energy.direct.typicalLevel))
    }
    let seconds = data.latencySeconds.compactMap(\.self)
    return CalibrationReport(
      device: file.device.id, runtime: runtime, rows: data.count, dataHash: hash, folds: validation?.folds ?? 0,
      measures: [
        measure("latency", model.latency, rows: seconds.count),
        measure("energy", model.energy, rows: data.energyJoules.count { $0 != nil }),
        measure("peak_power", model.peakPower, rows: data.peakPowerWatts.count { $0 != nil }),
      ], learningCurve: try learningCurve(data), states: states,
      stopwatch: StopwatchGrid(seconds: seconds), pagingKneeBytes: fit.latency.knee,
      compilationError: compilationError(data, fit: fit, model: model),
      warnings: Identifiability.warnings(data, fit: fit, series: series))
  }

  private func compilationError(_ data: TwinFit.Data, fit: TwinFit, model: TwinModel) -> Double {
    let evaluator = Evaluator(model: model, includesStartup: true)
    let exact = fit.logPredictions(data).latency
    let features = fit.features(data)
    return data.latencyTable.features.indices.reduce(0) { largest, row in
      let compiled = log(evaluator.medians(features: features[row]).latencySeconds)
      return max(largest, abs(compiled - exact[row] - fit.latency.typicalLevel))
    }
  }

  private static let learningSizes = [4, 8, 16, 32, 64]
  private static let learningDraws = 5

  private func learningCurve(_ data: TwinFit.Data) throws -> [CalibrationReport.LearningPoint] {
    let timed = TwinFit.Data.present(data.latencySeconds)
    var result: [CalibrationReport.LearningPoint] = []
    for size in Self.learningSizes where size + 4 <= timed.rows.count {
      var errors: [Double] = []
      for draw in 0..<Self.learningDraws {
        var random = CounterRandom(seed: seed, stream: 2, UInt64(size), UInt64(draw))
        let shuffled = timed.rows.shuffled(using: &random)
        let train = shuffled.prefix(size).sorted()
        let test = Array(shuffled.dropFirst(size))
        let fit = try SeriesFit(
          table: data.latencyTable.selecting(train), values: train.compactMap { data.latencySeconds[$0] },
          orders: train.map { data.orders[$0] })
        let predicted = fit.logPredictions(data.latencyTable.selecting(test))
        let absolute = zip(test, predicted).compactMap { row, value in
          data.latencySeconds[row].map { abs(exp(value + fit.typicalLevel) / $0 - 1) }
        }
        errors.append(Statistics.median(absolute))
      }
      result.append(
        .init(rows: size, draws: Self.learningDraws, medianAbsolutePercentageError: Statistics.mean(errors)))
    }
    return result
  }
}
