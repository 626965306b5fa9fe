import Foundation

/// Derives the coefficients of a twin that has no measurements: ``DatasheetPrior`` applied to a device's facts.
public struct DatasheetTwin: Sendable {
  public var prior: DatasheetPrior
  public var device: Device
  public var variant: RuntimeVariant
  /// Sequences of one process, over which start-up is spread.
  public var sequencesPerProcess: Double
  public var settings: Settings
  /// The facts that the device's roofs were measured with, where they differ from ``device``.
  public var reference: Device?

  public init(
    prior: DatasheetPrior = .standard, device: Device, variant: RuntimeVariant, sequencesPerProcess: Double,
    settings: Settings, reference: Device? = nil
  ) {
    self.reference = reference
    self.prior = prior
    self.device = device
    self.variant = variant
    self.sequencesPerProcess = sequencesPerProcess
    self.settings = settings
  }

  /// Host speed: clock in GHz × work a cycle.
  public var hostSpeed: Double { device.host.clock.value / 1e9 * device.host.workPerCycle.value }

  private var isAccelerated: Bool { device.deviceClass != .cpu }

  /// FLOP/s that matrix products reach.
  public var productRate: Double {
    // Without a rate for the precision, what is known of the device stands in: fp32 runs wherever lower precisions do not.
    let peak =
      (device.compute[settings.precision] ?? device.compute.fp32 ?? device.compute.fp16 ?? device.compute.int8)?.value
      ?? Self.referenceRate
    guard variant.isProTran else { return Self.batchedEfficiency * peak }
    return isAccelerated
      ? prior.acceleratorEfficiency * peak
      : prior.cpuEfficiency * (peak * Self.referenceRate * hostSpeed).squareRoot()
  }

  /// For runtimes that batch the heads of a layer, and that the prior was not fitted on: the share of the peak that products reach, and
  /// the launches of a layer in units of a head's in ProTran's program. Chosen so that HAT's encoders are within a factor of about two.
  static let batchedEfficiency = 0.15
  static let batchedLaunchesPerLayer = 0.4

  /// FLOP/s that one unit of host speed counts for.
  static let referenceRate = 240e9
  /// Share of the bandwidth that streaming reaches.
  static let bandwidthEfficiency = 0.5
  /// Bytes that the operating system and the framework take, and further ones for the runtime of a GPU or an accelerator.
  static let frameworkBytes = 0.6e9
  static let acceleratorRuntimeBytes = 1.0e9
  /// Copies of the parameters in memory while a model loads.
  static let parameterCopies = 2.0
  /// Share of the memory from which paging sets in; complete at 1.
  static let pagingOnset = 0.5

  /// Seconds a byte of parameters that is read in a pass.
  public var streamSecondsPerByte: Double { 1 / (Self.bandwidthEfficiency * device.memory.bandwidth.value) }

  /// Seconds per sequence, linear in the features.
  public func latency() -> LinearForm {
    let h = hostSpeed
    let batch = Double(settings.batchSize)
    let processes = 1 / sequencesPerProcess
    let start = (prior.startSeconds + (isAccelerated ? prior.acceleratorStartSeconds : 0)) / h
    let load = prior.loadSecondsPerByte / h * processes
    let paging = prior.pagingSecondsPerByte * (isAccelerated ? prior.acceleratorPaging : 1) * processes
    let capacity = device.memory.capacity.value
    let fixed = Self.frameworkBytes + (isAccelerated ? Self.acceleratorRuntimeBytes : 0)
    let relativeTraffic = variant == .protranEager ? streamSecondsPerByte : 0
    // Formats of half the size are half the bytes; the prior's loading and paging constants are for fp32 parameters.
    let formatScale = 4 / settings.precision.bytes
    guard !variant.usesRoofs else { return roofLatency(paging: paging * formatScale, capacity: capacity, fixed: fixed) }
    let launches: (Feature, at: Double?, shape: Double?, value: Double, startup: Double?) =
      variant.isProTran
      ? (.heads, nil, nil, prior.headSeconds / h / batch, nil)
      : (.layers, nil, nil, Self.batchedLaunchesPerLayer * prior.headSeconds / h / batch, nil)
    var terms: [(Feature, at: Double?, shape: Double?, value: Double, startup: Double?)] = [
      (.constant, nil, nil, start * processes, 1),
      (.parameterBytes, nil, nil, load * formatScale, 1),
      (
        .pagedParameterBytes, (capacity * Self.pagingOnset - fixed) / Self.parameterCopies / formatScale,
        capacity * (1 - Self.pagingOnset) / Self.parameterCopies / formatScale, paging * formatScale,
        // What a host pages, it pages in every pass; an accelerator's is uploaded and compiled once.
        device.memory.overflow == .page ? 0 : 1
      ),
      launches,
      (.productFLOPs, nil, nil, 1 / productRate, nil),
      (.encoderParameterBytes, nil, nil, streamSecondsPerByte / batch, nil),
      (.relativeScoreBytes, nil, nil, relativeTraffic, nil),
    ]
    terms.removeAll { $0.value == 0 }
    return LinearForm(
      name: "datasheet",
      coefficients: terms.map {
        Coefficient(
          feature: $0.0, at: $0.at, shape: $0.shape, value: $0.value, unit: Self.unit("s", $0.0), provenance: .assumed,
          startupShare: $0.startup)
      })
  }

  /// Of each kind of kernel what its roof says.
  private func roofLatency(paging: Double, capacity: Double, fixed: Double) -> LinearForm {
    let roofs = RoofTable(device: device, reference: reference, settings: settings)
    let copies = Self.parameterCopies / (4 / settings.precision.bytes)
    func term(
      _ feature: Feature, at: Double? = nil, shape: Double? = nil, _ value: Double, isTimed: Bool = false
    ) -> Coefficient {
      Coefficient(
        feature: feature, at: at, shape: shape, value: value, unit: Self.unit("s", feature),
        provenance: isTimed ? .measured : .assumed)
    }
    return LinearForm(
      name: "roofs",
      coefficients: [
        term(.calls, roofs.callSeconds), term(.headTasks, roofs.headSeconds), term(.dispatchSeconds, 1),
        term(.denseSeconds, 1), term(.headSeconds, 1),
        term(.vectorSeconds, 1),
        term(
          .weightWaitSeconds, at: roofs.cachedWeightBytes, shape: roofs.cachedWeightSpan, 1,
          isTimed: device.roofs?.weights != nil),
        term(
          .pagedParameterBytes, at: (capacity * Self.pagingOnset - fixed) / copies,
          shape: capacity * (1 - Self.pagingOnset) / copies, paging),
      ])
  }

  /// Mean power while about a third of the time goes to computing.
  public var typicalPowerWatts: Double {
    let (waiting, computing) = meanPowers
    return (2 * waiting + computing) / 3
  }

  /// Mean power while the device waits for its host, and while it computes.
  private var meanPowers: (waiting: Double, computing: Double) {
    let base = max(device.power.idle.value, min(1, prior.basePowerShare) * device.power.maximum.value * meteredHost)
    let span = max(0, device.power.maximum.value - base)
    return (
      base + span * min(1, prior.hostPowerShare * meteredHost), base + span * min(1, prior.computePowerShare)
    )
  }

  /// Joules per sequence: latency times the mean power, which rises with the share of time that the device computes.
  public func energy() -> LinearForm {
    let (waiting, computing) = meanPowers
    var form = latency()
    for index in form.coefficients.indices {
      let feature = form.coefficients[index].feature
      let computes = feature == .productFLOPs || feature == .denseSeconds || feature == .headSeconds
      form.coefficients[index].value *= computes ? computing : waiting
      form.coefficients[index].unit = Self.unit("J", feature)
    }
    return form
  }

  /// Watts.
  public func peakPower() -> LinearForm {
    let base = max(device.power.idle.value, 0.2 * device.power.maximum.value)
    let value = base + min(1, prior.peakPowerShare) * max(0, device.power.maximum.value - base)
    return LinearForm(
      name: "datasheet",
      coefficients: [Coefficient(feature: .constant, value: value, unit: "W", provenance: .assumed)])
  }

  /// 1 where the meter sees the host too, 0 where it sees a module or a stick alone.
  private var meteredHost: Double {
    device.power.scope == .module || device.power.scope == .accelerator || device.deviceClass == .accelerator ? 0 : 1
  }

  public static func unit(_ measure: String, _ feature: Feature) -> String {
    feature.unit == "1" ? measure : "\(measure)/\(feature.unit)"
  }
}
