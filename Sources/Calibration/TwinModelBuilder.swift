import Foundation
import Numerics
import Twins

/// Turns fits into the model that a device file keeps: coefficients in SI units, compiled residuals, regimes and spreads.
struct TwinModelBuilder {
  let data: TwinFit.Data
  let fit: TwinFit
  /// Nil where there are too few rows for conformal intervals.
  let validation: CrossValidation?
  /// What the datasheet says of the same device at the same settings.
  let datasheet: DatasheetTwin
  /// What ``data`` was freed of.
  var threadLevels: [ThreadLevel] = []

  /// Rows from which intervals are conformal.
  static let minimumConformalRows = 9

  func model(provenance: FitProvenance) throws -> TwinModel {
    TwinModel(
      latency: try latency(), energy: try energy(), peakPower: try peakPower(),
      roofline: fit.latency.basis.roofline?.roofline, fit: provenance)
  }

  // MARK: Measures

  private func latency() throws -> MeasureModel {
    let series = fit.latency
    let residual = try ResidualCompiler.compile(
      [(1, series)], rows: series.scaledSummaries(data.latencyTable, logSeconds: []))
    let levels = series.segments.map { series.levels[$0] - series.typicalLevel }
    return MeasureModel(
      unit: "s", forms: forms(of: series, unit: "s", factor: 1, weight: 1), residual: residual?.model,
      logLevel: series.center + series.typicalLevel, threadLevels: threadLevels.isEmpty ? nil : threadLevels,
      regimes: RegimeReport.regimes(of: series, typicalLevel: series.typicalLevel),
      spread: spread(validation?.latency, levels: levels, fallback: series, prior: Rescaling.priorScales.latency),
      crossValidation: summary(validation?.latency, levels: levels))
  }

  private func energy() throws -> MeasureModel {
    guard let energy = fit.energy else { return try energyFromDatasheet() }
    var parts: [(weight: Double, fit: SeriesFit)] = [(1, energy.direct)]
    var level = energy.direct.center
    var forms = forms(of: energy.direct, unit: "J", factor: 1, weight: 1)
    if let power = energy.power, case .constant(let logPower) = power.basis {
      parts = [(0.5, energy.direct), (0.5, fit.latency), (0.5, power)]
      level = (energy.direct.center + fit.latency.center + power.center) / 2
      forms =
        self.forms(of: energy.direct, unit: "J", factor: 1, weight: 0.5)
        + self.forms(of: fit.latency, unit: "J", factor: exp(logPower), weight: 0.5)
    }
    let residual = try ResidualCompiler.compile(
      parts, rows: energy.direct.scaledSummaries(data.energyTable, logSeconds: []))
    let levels = energy.rowLevels.map { $0 - energy.typicalLevel }
    return MeasureModel(
      unit: "J", forms: forms, residual: residual?.model, logLevel: level + energy.typicalLevel,
      regimes: RegimeReport.regimes(of: energy.direct, typicalLevel: energy.direct.typicalLevel),
      spread: spread(validation?.energy, levels: levels, fallback: energy.direct, prior: Rescaling.priorScales.energy),
      crossValidation: summary(validation?.energy, levels: levels))
  }

  /// Nothing was metered: the calibrated time at the power that the datasheet gives.
  private func energyFromDatasheet() throws -> MeasureModel {
    var model = try latency()
    model.unit = "J"
    let watts = datasheet.typicalPowerWatts
    for form in model.forms.indices {
      for index in model.forms[form].coefficients.indices {
        model.forms[form].coefficients[index].value *= watts
        model.forms[form].coefficients[index].standardError = nil
        model.forms[form].coefficients[index].provenance = .assumed
        model.forms[form].coefficients[index].unit = DatasheetTwin.unit(
          "J", model.forms[form].coefficients[index].feature)
      }
    }
    model.spread = Spread(
      prior: Rescaling.priorScales.energy, degreesOfFreedom: Rescaling.priorDegreesOfFreedom)
    model.crossValidation = nil
    return model
  }

  private func peakPower() throws -> MeasureModel {
    guard let peak = fit.peakPower, case .saturation(let saturation) = peak.saturating.basis,
      case .constant(let logConstant) = peak.constant.basis
    else {
      return MeasureModel(
        unit: "W", forms: [datasheet.peakPower()],
        spread: Spread(
          prior: Rescaling.priorScales.peakPower, degreesOfFreedom: Rescaling.priorDegreesOfFreedom))
    }
    let weights = PeakPowerFit.weights
    let logSeconds = fit.latency.logPredictions(data.latencyTable).map { $0 + fit.latency.typicalLevel }
    let residual = try ResidualCompiler.compile(
      [(weights.saturating, peak.saturating), (weights.constant, peak.constant)],
      rows: peak.saturating.scaledSummaries(data.latencyTable, logSeconds: logSeconds))
    let level =
      weights.saturating * (peak.saturating.center + peak.saturating.typicalLevel)
      + weights.constant * (peak.constant.center + peak.constant.typicalLevel)
      + weights.plain * (peak.plain.center + peak.plain.typicalLevel)
    return MeasureModel(
      unit: "W",
      forms: [
        LinearForm(
          name: "constant", weight: weights.constant,
          coefficients: [
            Coefficient(feature: .constant, value: exp(logConstant), unit: "W", provenance: .fitted)
          ])
      ],
      saturation: Saturation(
        idleWatts: saturation.idle, riseWatts: saturation.rise, tauSeconds: saturation.tau,
        weight: weights.saturating + weights.plain, longestSeconds: exp(logSeconds.max() ?? 0)),
      residual: residual?.model, logLevel: level,
      spread: spread(
        validation?.peakPower, levels: [0], fallback: peak.constant, prior: Rescaling.priorScales.peakPower),
      crossValidation: summary(validation?.peakPower, levels: [0]))
  }

  // MARK: Parts

  private func forms(of series: SeriesFit, unit: String, factor: Double, weight: Double) -> [LinearForm] {
    guard case .forms(let forms) = series.basis else { return [] }
    return forms.map { form in
      let weight = weight / Double(forms.count)
      if case .roofline(let roofline) = form {
        return LinearForm(
          name: "roofline", weight: weight, coefficients: terms(of: roofline, unit: unit, factor: factor))
      }
      guard let (set, fit) = form.linear(data.latencyTable) else {
        return LinearForm(name: "", weight: weight, coefficients: [])
      }
      let coefficients = set.terms.enumerated().compactMap { index, term -> Coefficient? in
        let value = fit.coefficients[index] / term.reference * factor
        guard value > 0 else { return nil }
        let error = fit.standardErrors[index] / term.reference * factor
        return Coefficient(
          feature: term.feature, at: term.at, shape: term.shape, value: value,
          unit: DatasheetTwin.unit(unit, term.feature), standardError: error > 0 ? error : nil, provenance: .fitted,
          startupShare: startupShare(of: term.feature, value: value, unit: unit))
      }
      return LinearForm(name: set.name, weight: weight, coefficients: coefficients)
    }
  }

  /// What of a roofline is linear, and its seconds.
  private func terms(of fit: RooflineFit, unit: String, factor: Double) -> [Coefficient] {
    guard let table = data.latencyTable.roofline else { return [] }
    var terms: [(term: (feature: Feature, at: Double?, shape: Double?), value: Double)] = [
      (table.constantTerm, fit.constantSeconds), (table.bytesTerm, fit.secondsPerParameterByte),
      ((.rooflineSeconds, nil, nil), 1),
    ]
    if let knee = fit.knee { terms.append(((.parameterBytesAbove, knee, nil), fit.secondsPerPagedByte)) }
    return terms.map { term, value in
      let feature = term.feature
      return Coefficient(
        feature: feature, at: term.at, shape: term.shape, value: value * factor,
        unit: DatasheetTwin.unit(unit, feature), provenance: .fitted,
        startupShare: startupShare(of: feature, value: value * factor, unit: unit))
    }
  }

  /// The part of a term that is paid once a process. Batch and length never vary within a series, so the data cannot tell: it is the
  /// datasheet's stream of the weights that counts as steady, the rest as loading.
  private func startupShare(of feature: Feature, value: Double, unit: String) -> Double? {
    guard data.includesStartup else { return nil }
    let power = unit == "J" ? datasheet.typicalPowerWatts : 1
    let stream = datasheet.streamSecondsPerByte / Double(datasheet.settings.batchSize) * power
    switch feature {
    case .constant, .embeddingParameterBytes: return 1
    case .parameterBytes, .encoderParameterBytes: return value > 0 ? 1 - min(1, stream / value) : 0
    case .parameterBytesAbove, .parameterPower, .pagedParameterBytes:
      return datasheet.device.memory.overflow == .page ? 0 : 1
    default: return nil
    }
  }

  private func spread(
    _ scores: CrossValidation.Scores?, levels: [Double], fallback: SeriesFit, prior: Double
  ) -> Spread {
    if let scores, scores.rows.count >= Self.minimumConformalRows { return scores.spread(levels: levels) }
    // Too few rows to vouch for a level: what the class scatters by around a level that is known, and the rows themselves.
    let rows = Double(fallback.residuals.count)
    let squares = fallback.residuals.reduce(0) { $0 + $1 * $1 }
    let variance = (Self.priorRows * Self.priorScatter * Self.priorScatter + squares) / (Self.priorRows + rows)
    return Spread(prior: min(prior, variance.squareRoot()), degreesOfFreedom: Self.priorRows + rows)
  }

  /// Scatter of a device's rows around a twin of a few rows, on the log scale, and the rows that this experience counts for.
  private static let priorScatter = 0.25
  private static let priorRows = 6.0

  private func summary(_ scores: CrossValidation.Scores?, levels: [Double]) -> CrossValidationSummary? {
    guard let scores, let validation, !scores.rows.isEmpty else { return nil }
    return CrossValidationSummary(
      folds: validation.folds, repeats: 1,
      medianAbsolutePercentageError: scores.medianAbsolutePercentageError,
      coverage90: scores.coverage(levels: levels, level: 0.9))
  }
}
