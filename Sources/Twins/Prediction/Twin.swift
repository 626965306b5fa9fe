import Architectures
import Foundation

/// A device with a runtime at given settings, ready to predict.
///
/// Where the runtime was calibrated, its coefficients are used; elsewhere they are derived from the datasheet. Settings and facts that
/// differ from what the coefficients were fitted on rescale them by physics, are named in ``extrapolated`` and widen every interval.
public struct Twin: Sendable {
  /// The facts, overrides included.
  public let device: Device
  public let runtime: String
  public let variant: RuntimeVariant
  public let settings: Settings
  /// Coefficients for these facts and settings.
  public let model: TwinModel
  /// Settings and overridden facts outside of what the twin was fitted on, by the names that people use.
  public let extrapolated: [String]
  /// Times of single kernels at these settings, for runtimes that use them.
  public let roofs: RoofTable?
  /// Added to the half-width of every interval on the log scale, for ``extrapolated``.
  public let logWidening: Double

  /// Sequences of one process, over which its start-up is spread, as the device's file has them; nil where it says none.
  public let profiledSequencesPerProcess: Int?

  public var isCalibrated: Bool { model.fit != nil }

  /// - Parameters:
  ///   - file: the device's file.
  ///   - runtime: one that the file names.
  ///   - settings: nil asks for those of the calibration, or of the datasheet's profile, steady time.
  ///   - overrides: what-if changes of facts, as from `--set`.
  /// - Throws: ``TwinError``.
  public init(
    file: DeviceFile, runtime: String, settings: Settings? = nil, overrides: [Override] = [],
    prior: DatasheetPrior = .standard
  ) throws(TwinError) {
    guard let entry = file.runtimes[runtime] else {
      throw TwinError.unknownRuntime(runtime, device: file.device.id, known: file.runtimes.keys.sorted())
    }
    let settings = settings ?? file.defaultSettings(runtime: runtime)
    guard Settings.batchSizes.contains(settings.batchSize) else {
      throw TwinError.setting("batch size", value: settings.batchSize, range: Settings.batchSizes)
    }
    if let threads = settings.threads, !Settings.threadCounts.contains(threads) {
      throw TwinError.setting("threads", value: threads, range: Settings.threadCounts)
    }
    guard Settings.sequenceLengths.contains(settings.sequenceLength) else {
      throw TwinError.setting("sequence length", value: settings.sequenceLength, range: Settings.sequenceLengths)
    }
    if file.device.compute[settings.precision] == nil && file.device.compute.fp32 == nil && settings.precision == .fp32
    {
      throw TwinError.precision(
        settings.precision, device: file.device.id,
        known: Precision.allCases.filter { file.device.compute[$0] != nil })
    }
    // Where kernels were timed on the device itself, a format that none was timed in is one that they do not have.
    if entry.variant == .native, settings.precision != .fp32, let roofs = file.device.roofs,
      !roofs.products.isEmpty, file.device.compute[settings.precision] == nil,
      !roofs.products.contains(where: { $0.precision == settings.precision })
    {
      throw TwinError.precision(
        settings.precision, device: file.device.id,
        known: Precision.allCases.filter { precision in
          file.device.compute[precision] != nil || roofs.products.contains { $0.precision == precision }
        })
    }
    var device = file.device
    for override in overrides { try override.apply(to: &device) }
    if let last = overrides.last, let problem = DeviceFileChecker.firstProblem(of: device) {
      let path = problem.field.hasSuffix(".value") ? String(problem.field.dropLast(6)) : problem.field
      let isOwn = overrides.contains { $0.path == path }
      throw .override(isOwn ? path : last.path, problem: isOwn ? problem.text : "then \(path): \(problem.text)")
    }
    self.device = device
    profiledSequencesPerProcess = entry.profiled?.sequencesPerProcess
    self.runtime = runtime
    self.settings = settings
    variant = entry.variant
    roofs =
      entry.variant.usesRoofs ? RoofTable(device: device, reference: file.device, settings: settings) : nil
    let rescaling = Rescaling(
      file: file, entry: entry, device: device, settings: settings, overrides: overrides, prior: prior)
    model = rescaling.model()
    extrapolated = rescaling.extrapolated
    logWidening = rescaling.logWidening
  }

  /// Features of an architecture at the twin's settings.
  public func features(of architecture: Architecture) -> FeatureVector {
    FeatureForm(
      settings: settings, variant: variant, position: architecture.position, roofs: roofs, roofline: model.roofline
    ).total(of: architecture)
  }

  /// Medians and bounds at `level`, the reference that the fast path agrees with.
  public func costs(of features: FeatureVector, level: Double) -> CostEstimate {
    let evaluator = Evaluator(model: model, includesStartup: settings.includesStartup)
    let medians = evaluator.medians(features: features)
    let widening = widening(of: features)
    func estimate(_ median: Double, _ measure: MeasureModel, widening: Double) -> Estimate {
      let offsets = measure.spread.offsets(level: level)
      return Estimate(
        median: median, lower: median * exp(offsets.lower - widening), upper: median * exp(offsets.upper + widening))
    }
    // A peak is no lower than the mean: the two are fitted apart, and part far from the fit.
    let peak = max(medians.peakPowerWatts, medians.energyJoules / medians.latencySeconds)
    return CostEstimate(
      latencySeconds: estimate(medians.latencySeconds, model.latency, widening: widening),
      energyJoules: estimate(medians.energyJoules, model.energy, widening: widening),
      peakPowerWatts: PowerBounds(device.power, isMeasured: model.peakPower.spread.basis == .conformal).limit(
        estimate(peak, model.peakPower, widening: widening), measured: estimate(peak, model.peakPower, widening: 0)))
  }
}

extension Twin {
  /// What is added to the half-width of every interval on the log scale: ``logWidening``, and what features outside of the fitted range add.
  func widening(of features: FeatureVector) -> Double {
    let excess = FeatureRange.excess(
      of: SummaryValues(features: features), ranges: FeatureRange.all(of: model.fit, settings: settings))
    return logWidening + FeatureRange.widening * excess
  }

  /// What the latency's interval mostly rests on: held-out rows, as long as what extrapolation adds to its width is no more than what they
  /// gave; beyond that, assumptions, and then it is called a prior.
  public func intervalBasis(of features: FeatureVector, level: Double) -> Spread.Basis {
    let spread = model.latency.spread
    guard spread.basis == .conformal else { return .prior }
    let offsets = spread.offsets(level: level)
    return widening(of: features) > (offsets.upper - offsets.lower) / 2 ? .prior : .conformal
  }
}

/// The medians of a model's three measures.
package struct Evaluator {
  package let model: TwinModel
  package let includesStartup: Bool

  package init(model: TwinModel, includesStartup: Bool) {
    self.model = model
    self.includesStartup = includesStartup
  }

  /// Latency with start-up is what peak power saturates with, since a process is sampled from its beginning.
  package func medians(features: FeatureVector) -> (
    latencySeconds: Double, energyJoules: Double, peakPowerWatts: Double
  ) {
    let summaries = SummaryValues(features: features)
    let latency = logMedian(model.latency, features: features, summaries: summaries, logSeconds: 0)
    let energy = logMedian(model.energy, features: features, summaries: summaries, logSeconds: 0)
    let peak = logMedian(model.peakPower, features: features, summaries: summaries, logSeconds: latency)
    guard !includesStartup else { return (exp(latency), exp(energy), exp(peak)) }
    return (
      exp(latency + model.latency.logSteadyShare(features: features)),
      exp(energy + model.energy.logSteadyShare(features: features)), exp(peak)
    )
  }

  private func logMedian(
    _ measure: MeasureModel, features: FeatureVector, summaries: SummaryValues, logSeconds: Double
  ) -> Double {
    let base = measure.logBase(features: features, logSeconds: logSeconds)
    var sum = base + measure.logLevel
    if let residual = measure.residual {
      let monomials = Monomials(variables: residual.inputs.count, degree: residual.degree)
      sum += residual.value(of: summaries, logSeconds: logSeconds, monomials: monomials)
    }
    return sum
  }
}

/// The range of a feature that a twin was fitted on.
struct FeatureRange: Sendable {
  enum Quantity: String, CaseIterable, Sendable {
    case parameterBytes = "parameter_bytes"
    case heads
    case layers
    case productFLOPs = "product_flops"
  }

  var quantity: Quantity
  var lower: Double
  var upper: Double

  /// Added to the log half-width for each unit of log distance outside of the range: half of the distance is taken for doubtful.
  static let widening = 0.5

  /// FLOPs follow the length: where that is another than was fitted, it is named and counted by itself.
  static func all(of fit: FitProvenance?, settings: Settings) -> [FeatureRange] {
    guard let fit else { return [] }
    // The same model in another format is no smaller one.
    let format = settings.precision.bytes / fit.settings.precision.bytes
    return Quantity.allCases.compactMap { quantity in
      if quantity == .productFLOPs && fit.excess(.sequenceLength, of: settings) > 0 { return nil }
      guard let range = fit.ranges[quantity.rawValue], range.count == 2, range[0] > 0, range[1] > 0 else { return nil }
      let unit = quantity == .parameterBytes ? format : 1
      return FeatureRange(quantity: quantity, lower: unit * range[0], upper: unit * range[1])
    }
  }

  @inline(__always)
  func value(in summaries: SummaryValues) -> Double {
    switch quantity {
    case .parameterBytes: summaries.parameterBytes
    case .heads: summaries.heads
    case .layers: summaries.layers
    case .productFLOPs: summaries.productFLOPs
    }
  }

  /// The largest log distance by which a candidate lies outside: sizes grow together, and are not counted twice.
  @inline(__always)
  static func excess(of summaries: SummaryValues, ranges: [FeatureRange]) -> Double {
    var largest = 0.0
    for range in ranges {
      let value = range.value(in: summaries)
      if value > range.upper { largest = max(largest, log(value / range.upper)) }
      if value < range.lower { largest = max(largest, log(range.lower / max(value, 1e-12))) }
    }
    return largest
  }
}

/// What a device's power cannot leave: an interval is not widened beyond the datasheet's idle and maximum, except where measurements
/// themselves went beyond.
struct PowerBounds: Sendable {
  let idleWatts: Double
  let maximumWatts: Double

  /// Whether the interval rests on measurements of this device, which may go beyond its datasheet.
  let isMeasured: Bool

  init(_ power: Device.Power, isMeasured: Bool) {
    idleWatts = power.idle.value
    maximumWatts = power.maximum.value
    self.isMeasured = isMeasured
  }

  /// - Parameters:
  ///   - widened: with what extrapolation adds.
  ///   - measured: without it.
  @inline(__always)
  func limit(_ widened: Estimate, measured: Estimate) -> Estimate {
    // Measurements of this device may go beyond its datasheet; a prior may not.
    let lowest = isMeasured ? min(idleWatts, measured.lower) : idleWatts
    let highest = isMeasured ? max(maximumWatts, measured.upper) : maximumWatts
    let median = min(max(widened.median, lowest), highest)
    return Estimate(
      median: median, lower: min(max(widened.lower, lowest), median), upper: max(min(widened.upper, highest), median))
  }
}
