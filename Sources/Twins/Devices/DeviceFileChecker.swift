/// Checks what the types of a device file cannot: ranges, units and that parts fit together.
struct DeviceFileChecker {
  let file: DeviceFile

  /// The first thing that is wrong: the dotted path of the field, and what to do about it.
  var firstProblem: (field: String, text: String)? {
    let device = file.device
    if device.id.isEmpty || device.id.contains(where: { !($0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-")) }) {
      return ("id", "is \"\(device.id)\"; write letters, digits and hyphens")
    }
    if let problem = Self.firstProblem(of: device) { return problem }
    if file.runtimes.isEmpty { return ("runtimes", "name at least one runtime") }
    for (name, entry) in file.runtimes.sorted(by: { $0.key < $1.key }) {
      if entry.variant.runtime != name {
        return ("runtimes.\(name).variant", "\(entry.variant.rawValue) is a variant of \(entry.variant.runtime)")
      }
      if let problem = firstProblem(of: entry, at: "runtimes.\(name)") { return problem }
    }
    return nil
  }

  /// The first fact that a device cannot have.
  static func firstProblem(of device: Device) -> (field: String, text: String)? {
    let rate = "FLOP/s"
    let facts: [(String, Fact?, String, minimum: Double)] = [
      ("cores", device.cores, "1", 1), ("clock", device.clock, "Hz", 1), ("host.clock", device.host.clock, "Hz", 1),
      ("host.work_per_cycle", device.host.workPerCycle, "1", 1e-6), ("compute.fp32", device.compute.fp32, rate, 1),
      ("compute.fp16", device.compute.fp16, rate, 1), ("compute.bf16", device.compute.bf16, rate, 1),
      ("compute.int8", device.compute.int8, rate, 1), ("memory.bandwidth", device.memory.bandwidth, "B/s", 1),
      ("memory.capacity", device.memory.capacity, "B", 1), ("memory.reserved", device.memory.reserved, "B", 0),
      ("power.idle", device.power.idle, "W", 0), ("power.maximum", device.power.maximum, "W", 1e-9),
    ]
    for (field, fact, unit, minimum) in facts {
      guard let fact else { continue }
      if fact.unit != unit { return ("\(field).unit", "is \"\(fact.unit)\" where \(unit) is expected") }
      if !fact.value.isFinite || fact.value < minimum || fact.value > 1e18 {
        let shown = unit == "1" ? "\(fact.value)" : "\(fact.value) \(unit)"
        return ("\(field).value", "\(shown) is not a value that a device can have; give \(minimum) to 1e18")
      }
    }
    if device.compute == Device.Compute() {
      return ("compute", "give the peak rate of at least one precision")
    }
    if let cores = device.cores, cores.value != cores.value.rounded() {
      return ("cores.value", "\(cores.value) is no number of cores; give a whole number")
    }
    if device.power.maximum.value < device.power.idle.value {
      return (
        "power.maximum.value",
        "\(device.power.maximum.value) W is below power.idle, \(device.power.idle.value) W; give what the device draws at most"
      )
    }
    return nil
  }

  private func firstProblem(of entry: DeviceFile.RuntimeEntry, at path: String) -> (field: String, text: String)? {
    if let profiled = entry.profiled {
      if !Settings.batchSizes.contains(profiled.batchSize) {
        return ("\(path).profiled.batch_size", "must be in \(Settings.batchSizes)")
      }
      if !Settings.sequenceLengths.contains(profiled.sequenceLength) {
        return ("\(path).profiled.sequence_length", "must be in \(Settings.sequenceLengths)")
      }
      if profiled.sequencesPerProcess < 1 { return ("\(path).profiled.sequences_per_process", "must be 1 or more") }
    }
    guard let model = entry.model else { return nil }
    for (name, measure, unit, forms) in [
      ("latency", model.latency, "s", 3), ("energy", model.energy, "J", 6), ("peak_power", model.peakPower, "W", 1),
    ] {
      let place = "\(path).model.\(name)"
      if measure.forms.count > forms { return ("\(place).forms", "at most \(forms) are averaged") }
      if let levels = measure.threadLevels,
        !levels.allSatisfy({ Settings.threadCounts.contains($0.threads) && abs($0.log) < 10 })
      {
        return ("\(place).thread_levels", "threads must be in \(Settings.threadCounts), and log below 10 either way")
      }
      if let problem = firstProblem(of: measure, unit: unit, at: place) { return problem }
    }
    if let fit = model.fit {
      for (name, range) in fit.ranges where range.count != 2 || !(range[0] <= range[1]) {
        return ("\(path).model.fit.ranges.\(name)", "must be [smallest, largest]")
      }
      if !Settings.batchSizes.contains(fit.settings.batchSize)
        || !Settings.sequenceLengths.contains(fit.settings.sequenceLength)
      {
        return ("\(path).model.fit.settings", "batch_size or sequence_length is out of range")
      }
    }
    return nil
  }

  private func firstProblem(of measure: MeasureModel, unit: String, at path: String) -> (field: String, text: String)? {
    if measure.unit != unit { return ("\(path).unit", "is \"\(measure.unit)\" where \(unit) is expected") }
    if measure.forms.isEmpty && measure.saturation == nil { return ("\(path).forms", "at least one is needed") }
    for (index, form) in measure.forms.enumerated() {
      for (position, coefficient) in form.coefficients.enumerated() {
        let place = "\(path).forms.\(index).coefficients.\(position)"
        if !coefficient.value.isFinite || coefficient.value < 0 {
          return ("\(place).value", "must be a number that is 0 or more")
        }
        if coefficient.feature.isFunctionOfParameters && coefficient.at?.isFinite != true {
          return ("\(place).at", "is needed for \(coefficient.feature.rawValue), in bytes")
        }
        if let share = coefficient.startupShare, !(0...1).contains(share) {
          return ("\(place).startup_share", "must be between 0 and 1")
        }
        if coefficient.startupShare ?? 0 > 0 && !Self.canBeStartup(coefficient.feature) {
          return ("\(place).startup_share", "\(coefficient.feature.rawValue) is paid in every pass")
        }
      }
    }
    let weights = measure.forms.map(\.weight) + (measure.saturation.map { [$0.weight] } ?? [])
    if !weights.allSatisfy({ $0 >= 0 }) || abs(weights.reduce(0, +) - 1) > 1e-6 {
      return ("\(path).forms", "their weights must be 0 or more and sum to 1")
    }
    if let saturation = measure.saturation,
      !(saturation.idleWatts >= 0 && saturation.riseWatts >= 0 && saturation.tauSeconds > 0)
    {
      return ("\(path).saturation", "needs idle_w and rise_w of 0 or more and tau_s above 0")
    }
    if let residual = measure.residual, !residual.isConsistent {
      return ("\(path).residual", "its lists do not fit together")
    }
    if !measure.logLevel.isFinite { return ("\(path).log_level", "must be a number") }
    let spread = measure.spread
    if spread.basis == .conformal && spread.offsets.isEmpty { return ("\(path).spread.offsets", "is empty") }
    if !spread.offsets.allSatisfy(\.isFinite) || !(spread.logScale >= 0 && spread.logScale.isFinite)
      || !(spread.degreesOfFreedom > 0)
    {
      return ("\(path).spread", "offsets must be numbers, log_scale 0 or more, degrees_of_freedom above 0")
    }
    return nil
  }

  /// Only what a process reads or sets up once can be start-up.
  private static func canBeStartup(_ feature: Feature) -> Bool {
    switch feature {
    case .constant, .parameterBytes, .embeddingParameterBytes, .encoderParameterBytes: true
    default: feature.isFunctionOfParameters
    }
  }
}
