import Foundation

/// Carries a model over to other facts and settings, and says what that leaves uncertain.
///
/// What the measurements could not tell (batch size and length never vary within a series) comes from physics: the launch of a kernel
/// is paid once a call, arithmetic and traffic follow the features, rates follow the facts.
public struct Rescaling {
  let file: DeviceFile
  let entry: DeviceFile.RuntimeEntry
  /// The facts after overrides.
  let device: Device
  let settings: Settings
  let overrides: [Override]
  let prior: DatasheetPrior

  /// Widening of the log half-width: a share of the log of every change, since how costs follow a change is itself a model.
  private static let overrideDoubt = 0.3
  private static let batchDoubt = 0.15
  private static let lengthDoubt = 0.25
  private static let precisionDoubt = 0.3
  /// The same where roofs say how costs follow batch, length and threads.
  private static let roofDoubt = 0.05
  private static let roofLengthDoubt = 0.08
  /// Threads share caches, memory and power; what that costs whole models no kernel that is timed by itself shows.
  private static let roofThreadsDoubt = 0.1
  /// A format whose products were timed, and no model in it.
  private static let roofPrecisionDoubt = 0.1

  /// How far rows of a device that was never measured lie from the datasheet's prediction: standard deviations on the log scale, of the
  /// platform's level and of its rows around it together, for latency, energy and peak power; Student t of 4 + 7 degrees of freedom. From
  /// leaving each of the seven platforms out (`DatasheetPriorFit.predictiveScales`).
  public static let priorScales: (latency: Double, energy: Double, peakPower: Double) = (0.477, 0.498, 0.431)
  public static let priorDegreesOfFreedom = 11.0
  /// The same for runtimes that the prior was not fitted on: a factor of about six for 90 %.
  private static let unfittedRuntimeScale = 1.0

  private func datasheet(_ device: Device, _ settings: Settings) -> DatasheetTwin {
    DatasheetTwin(
      prior: prior, device: device, variant: entry.variant,
      sequencesPerProcess: Double(entry.profiled?.sequencesPerProcess ?? settings.batchSize), settings: settings,
      reference: file.device)
  }

  /// The settings that the model's coefficients refer to.
  private var reference: FittedSettings? { entry.model?.fit?.settings }

  func model() -> TwinModel {
    guard let model = entry.model else {
      let twin = datasheet(device, settings)
      func measure(_ unit: String, _ form: LinearForm, _ scale: Double) -> MeasureModel {
        MeasureModel(
          unit: unit, forms: [form],
          spread: Spread(
            prior: entry.variant.isProTran ? scale : max(scale, Self.unfittedRuntimeScale),
            degreesOfFreedom: Self.priorDegreesOfFreedom))
      }
      return TwinModel(
        latency: measure("s", twin.latency(), Self.priorScales.latency),
        energy: measure("J", twin.energy(), Self.priorScales.energy),
        peakPower: measure("W", twin.peakPower(), Self.priorScales.peakPower), fit: nil)
    }
    guard let reference else { return model }
    return rescaled(atThreads(model), reference: reference)
  }

  /// The model with the levels of the settings' threads.
  private func atThreads(_ model: TwinModel) -> TwinModel {
    let threads = settings.threads ?? Int(min(max(1, device.cores?.value ?? 1), 1e6))
    var result = model
    result.latency.logLevel += model.latency.threadLevels?.log(threads: threads) ?? 0
    result.energy.logLevel += model.energy.threadLevels?.log(threads: threads) ?? 0
    return result
  }

  private func rescaled(_ model: TwinModel, reference: FittedSettings) -> TwinModel {
    guard isChanged else { return withPaging(model) }
    let from = datasheet(
      file.device,
      Settings(
        batchSize: reference.batchSize, sequenceLength: reference.sequenceLength, precision: reference.precision))
    let to = datasheet(device, settings)
    var scaled = model
    scaled.latency.forms = model.latency.forms.map { rescaled($0, from: from, to: to) }
    scaled.roofline = model.roofline?.scaled(
      rates: to.productRate / from.productRate, bandwidth: from.streamSecondsPerByte / to.streamSecondsPerByte,
      host: to.hostSpeed / from.hostSpeed)
    // Energy is time at a power that the facts give; the coefficients follow the time.
    let power = (from: meanPower(from), to: meanPower(to))
    scaled.energy.forms = model.energy.forms.map { rescaled($0, from: from, to: to, power: power) }
    let peakRatio = peakPower(to) / peakPower(from)
    scaled.peakPower.logLevel += log(peakRatio)
    // Residuals know models by the bytes of the fitted precision: at another, the same model is no smaller one.
    let logFormat = log(settings.precision.bytes / reference.precision.bytes)
    scaled.latency.residual?.shift(.logParameterBytes, by: logFormat)
    scaled.energy.residual?.shift(.logParameterBytes, by: logFormat)
    scaled.peakPower.residual?.shift(.logParameterBytes, by: logFormat)
    return withPaging(scaled)
  }

  /// A device that pages pays for it, also where no measured model was large enough to show it: the datasheet's paging term, from the
  /// largest measured model on, and from less where an override takes memory away.
  private func withPaging(_ model: TwinModel) -> TwinModel {
    let terms = model.latency.forms.flatMap(\.coefficients)
    guard device.memory.overflow == .page, !terms.contains(where: { $0.feature.isPaging }) else {
      return model
    }
    let twin = datasheet(file.device, settings)
    guard var term = twin.latency().coefficients.first(where: { $0.feature == .pagedParameterBytes }) else {
      return model
    }
    let capacity = device.memory.capacity.value / file.device.memory.capacity.value
    let largest = model.fit?.ranges["parameter_bytes"]?.last ?? 0
    term.at = max(term.at ?? 0, largest) * capacity
    term.shape = (term.shape ?? 1) * capacity
    term.note = "from the datasheet: no measured model filled the memory"
    var result = model
    for index in result.latency.forms.indices { result.latency.forms[index].coefficients.append(term) }
    term.value *= twin.typicalPowerWatts
    term.unit = DatasheetTwin.unit("J", .pagedParameterBytes)
    for index in result.energy.forms.indices { result.energy.forms[index].coefficients.append(term) }
    return result
  }

  private func meanPower(_ twin: DatasheetTwin) -> Double {
    twin.typicalPowerWatts
  }

  private func peakPower(_ twin: DatasheetTwin) -> Double {
    twin.peakPower().coefficients.reduce(0) { $0 + $1.value }
  }

  /// - Parameter power: watts at which a form in joules spends its time, by the facts; nil for one in seconds.
  private func rescaled(
    _ form: LinearForm, from: DatasheetTwin, to: DatasheetTwin, power: (from: Double, to: Double)? = nil
  ) -> LinearForm {
    var form = form
    // Roofs and features hold what batch, length, threads and rates do.
    let usesRoofs = entry.variant.usesRoofs
    let batchRatio = usesRoofs ? 1 : Double(from.settings.batchSize) / Double(to.settings.batchSize)
    let lengthRatio = usesRoofs ? 1 : Double(to.settings.sequenceLength) / Double(from.settings.sequenceLength)
    let host = from.hostSpeed / to.hostSpeed
    let bandwidth = to.streamSecondsPerByte / from.streamSecondsPerByte
    let capacity = to.device.memory.capacity.value / from.device.memory.capacity.value
    for index in form.coefficients.indices {
      var coefficient = form.coefficients[index]
      var factor = 1.0
      switch coefficient.feature {
      case .constant: factor = host
      case .calls, .headTasks: factor = host
      case .rooflineSeconds, .dispatchSeconds, .projectionSeconds, .feedForwardSeconds, .denseSeconds, .scoreSeconds,
        .relativeScoreSeconds,
        .attentionSeconds, .fourierSeconds, .cosineSeconds, .convolutionSeconds, .operationSeconds, .headSeconds,
        .softmaxSeconds, .activationSeconds, .normalisationSeconds, .vectorSeconds, .weightWaitSeconds:
        break
      case .productFLOPs, .projectionFLOPs, .feedForwardFLOPs, .attentionFLOPs:
        factor = from.productRate / to.productRate
      case .layers, .heads, .selfAttentionHeads, .linearTransformHeads, .convolutionHeads, .scaledDotProductHeads,
        .weightedMultiplicativeHeads, .discreteFourierHeads, .discreteCosineHeads, .convolution5Heads,
        .convolution9Heads, .convolution13Heads, .feedForwardStacks, .joins:
        // Part launch, once a call; part vector work, which grows with the tokens (heads': with their pairs).
        let launch = prior.headSeconds / from.hostSpeed / Double(from.settings.batchSize) * (power?.from ?? 1)
        let share = coefficient.value > 0 ? min(1, launch / coefficient.value) : 1
        let isHead = ![.layers, .feedForwardStacks, .joins].contains(coefficient.feature)
        factor = host * (share * batchRatio + (1 - share) * pow(lengthRatio, isHead ? 2 : 1))
      case .parameterBytes, .embeddingParameterBytes, .encoderParameterBytes:
        let startup = coefficient.startupShare ?? 0
        factor = startup * host + (1 - startup) * bandwidth * batchRatio
      case .relativeScoreBytes, .unfoldBytes, .softmaxElements, .transformWork, .hiddenElements, .feedForwardElements:
        factor = bandwidth
      case .parameterBytesAbove, .parameterPower, .pagedParameterBytes:
        coefficient.at = (coefficient.at ?? 0) * capacity
        if coefficient.feature == .pagedParameterBytes { coefficient.shape = (coefficient.shape ?? 0) * capacity }
      }
      coefficient.value *= factor * (power.map { $0.to / $0.from } ?? 1)
      form.coefficients[index] = coefficient
    }
    return form
  }

  private var isChanged: Bool {
    guard let reference else { return false }
    return !changedPaths.isEmpty || settings.precision != reference.precision
      || !entry.variant.usesRoofs
        && (settings.batchSize != reference.batchSize || settings.sequenceLength != reference.sequenceLength)
  }

  /// Facts that the overrides leave with another value, once each.
  private var changedPaths: [String] {
    overrides.map(\.path).reduce(into: []) { paths, path in
      if !paths.contains(path), abs(log(ratio(of: path))) > 1e-9 { paths.append(path) }
    }
  }

  /// Names of the overridden facts and of the settings that differ from the fitted ones.
  var extrapolated: [String] {
    var names = changedPaths
    if entry.model == nil && !entry.variant.isProTran { names.append("runtime") }
    if let reference, let fit = entry.model?.fit {
      names += FitProvenance.Varied.allCases.filter { fit.excess($0, of: settings) > 0 }.map(\.rawValue)
      if settings.precision != reference.precision { names.append("precision") }
    }
    return names
  }

  var logWidening: Double {
    var sum = 0.0
    for path in changedPaths { sum += Self.overrideDoubt * abs(log(ratio(of: path))) }
    if let reference, let fit = entry.model?.fit {
      let usesRoofs = entry.variant.usesRoofs
      sum += (usesRoofs ? Self.roofDoubt : Self.batchDoubt) * fit.excess(.batchSize, of: settings)
      sum += (usesRoofs ? Self.roofLengthDoubt : Self.lengthDoubt) * fit.excess(.sequenceLength, of: settings)
      sum += (usesRoofs ? Self.roofThreadsDoubt : Self.lengthDoubt) * fit.excess(.threads, of: settings)
      if settings.precision != reference.precision {
        let isTimed = usesRoofs && file.device.roofs?.products.contains { $0.precision == settings.precision } == true
        sum += isTimed ? Self.roofPrecisionDoubt : Self.precisionDoubt
      }
    }
    return sum
  }

  /// New value of a fact over its old one; e where there was none.
  private func ratio(of path: String) -> Double {
    func value(_ device: Device) -> Double? {
      switch path {
      case "memory.bandwidth": device.memory.bandwidth.value
      case "memory.capacity": device.memory.capacity.value
      case "host.clock": device.host.clock.value
      case "power.idle": device.power.idle.value
      case "power.maximum": device.power.maximum.value
      case "compute.fp32": device.compute.fp32?.value
      case "compute.fp16": device.compute.fp16?.value
      case "compute.bf16": device.compute.bf16?.value
      case "compute.int8": device.compute.int8?.value
      case "cores": device.cores?.value
      case "clock": device.clock.value
      default: nil
      }
    }
    guard let new = value(device), let old = value(file.device), old > 0 else { return M_E }
    return new / old
  }
}

extension DeviceFile {
  /// Settings of the calibration, else of the profile, else one sequence of 128 tokens; steady time.
  public func defaultSettings(runtime: String) -> Settings {
    let entry = runtimes[runtime]
    if let fitted = entry?.model?.fit?.settings {
      return Settings(
        batchSize: fitted.batchSize, sequenceLength: fitted.sequenceLength, precision: fitted.precision,
        threads: fitted.threads)
    }
    if let profiled = entry?.profiled {
      return Settings(
        batchSize: profiled.batchSize, sequenceLength: profiled.sequenceLength, precision: profiled.precision)
    }
    return Settings(precision: device.compute.fp32 == nil ? .fp16 : .fp32)
  }
}
