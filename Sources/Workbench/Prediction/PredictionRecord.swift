import Architectures
import Twins

/// Predictions as rows.
public enum PredictionRecord {
  public static func estimate(_ value: Estimate) -> FieldValue {
    var record = Record()
    record.add("median", .number(value.median))
    record.add("lower", .number(value.lower))
    record.add("upper", .number(value.upper))
    return .object(record)
  }

  private static var nothing: FieldValue {
    .object(Record(fields: ["median", "lower", "upper"].map { Record.Field(name: $0, value: .null) }))
  }

  /// Identifier, device, runtime and settings.
  static func head(_ id: String?, twin: Twin) -> Record {
    var record = Record()
    record.add("id", FieldValue(id))
    record.add("device", .text(twin.device.id))
    record.add("runtime", .text(twin.runtime))
    record.add("batch_size", .whole(twin.settings.batchSize))
    record.add("sequence_length", .whole(twin.settings.sequenceLength))
    record.add("precision", .text(twin.settings.precision.rawValue))
    record.add("threads", FieldValue(twin.settings.threads))
    return record
  }

  /// A row of the file format that scripts rely on.
  public static func record(_ prediction: Prediction, twin: Twin) -> Record {
    var record = head(prediction.architectureID, twin: twin)
    record.add("latency_s", estimate(prediction.costs.latencySeconds))
    record.add("batch_latency_s", estimate(prediction.batchLatencySeconds))
    record.add("energy_j", estimate(prediction.costs.energyJoules))
    record.add("peak_power_w", estimate(prediction.costs.peakPowerWatts))
    record.add("level", .number(prediction.level))
    record.add("interval_basis", .text(prediction.intervalBasis.rawValue))
    record.add("extrapolated", FieldValue(prediction.extrapolated))
    record.add("parameters", .whole(prediction.parameters))
    record.add("parameters_include", .text(prediction.parametersInclude.description))
    record.add("memory_bytes", .whole(Int(prediction.memoryBytes.rounded())))
    record.add("fits_memory", .flag(prediction.fitsMemory))
    record.add("bound_by", .text(prediction.boundBy.rawValue))
    record.add("power_scope", .text(prediction.powerScope.rawValue))
    record.add("includes_startup", .flag(twin.settings.includesStartup))
    return record
  }

  /// The row of a model that is known by its features only: what needs its architecture is null.
  static func record(costs: CostEstimate, features: FeatureVector, twin: Twin, level: Double) -> Record {
    let batch = Double(twin.settings.batchSize)
    let seconds = costs.latencySeconds
    var record = head(nil, twin: twin)
    record.add("latency_s", estimate(seconds))
    record.add(
      "batch_latency_s",
      estimate(
        Estimate(median: batch * seconds.median, lower: batch * seconds.lower, upper: batch * seconds.upper)))
    record.add("energy_j", estimate(costs.energyJoules))
    record.add("peak_power_w", estimate(costs.peakPowerWatts))
    record.add("level", .number(level))
    record.add("interval_basis", .text(twin.intervalBasis(of: features, level: level).rawValue))
    record.add("extrapolated", FieldValue(twin.extrapolated))
    for name in ["parameters", "parameters_include", "memory_bytes", "fits_memory", "bound_by"] {
      record.add(name, .null)
    }
    record.add("power_scope", .text(twin.device.power.scope.rawValue))
    record.add("includes_startup", .flag(twin.settings.includesStartup))
    return record
  }

  /// The row of a model that the device cannot run: no figures, and why.
  static func record(failed architecture: Architecture, twin: Twin, level: Double, problem: String) -> Record {
    let convention: ParameterCount.Convention = twin.variant.usesRoofs ? .native : .protran
    var record = head(architecture.id, twin: twin)
    for name in ["latency_s", "batch_latency_s", "energy_j", "peak_power_w"] { record.add(name, nothing) }
    record.add("level", .number(level))
    record.add("interval_basis", .text(twin.model.latency.spread.basis.rawValue))
    record.add("extrapolated", FieldValue(twin.extrapolated))
    record.add("parameters", .whole(architecture.parameterCount(convention).total))
    record.add("parameters_include", .text(convention.description))
    let memory = MemoryNeed(architecture, settings: twin.settings)
    record.add("memory_bytes", .whole(Int(memory.totalBytes.rounded())))
    record.add("fits_memory", .flag(false))
    record.add("bound_by", .null)
    record.add("power_scope", .text(twin.device.power.scope.rawValue))
    record.add("includes_startup", .flag(twin.settings.includesStartup))
    record.add("error", .text(problem))
    return record
  }
}

/// Predictions as a table for people.
public struct PredictionTable: Sendable {
  private var table = TextTable([
    .init("id"), .init("device"), .init("accuracy"), .init("latency"), .init("energy"), .init("peak power"),
    .init("parameters", right: true), .init("memory", right: true), .init("bound by"), .init("beyond the fit"),
    .init("note"),
  ])

  public init() {}

  public mutating func add(
    _ id: String, device: String, costs: CostEstimate?, accuracy: String = "", parameters: Int?, memoryBytes: Double?,
    bound: Bound?, extrapolated: [String] = [], note: String = ""
  ) {
    table.add([
      id, device, accuracy, costs.map { Self.interval($0.latencySeconds, "s") } ?? "–",
      costs.map { Self.interval($0.energyJoules, "J") } ?? "–",
      costs.map { Self.interval($0.peakPowerWatts, "W") } ?? "–", Humane.count(parameters.map(Double.init)),
      memoryBytes.map { Humane.bytes($0) } ?? "", bound?.rawValue ?? "", extrapolated.joined(separator: ", "), note,
    ])
  }

  public var text: String { table.text }

  /// `12.3 ms (10.9–13.6)`, the bounds in the median's unit.
  public static func interval(_ estimate: Estimate, _ unit: String) -> String {
    let median = unit == "s" ? Humane.seconds(estimate.median) : Humane.scaled(estimate.median, unit)
    guard let space = median.firstIndex(of: " "), let shown = Double(median[..<space]), shown > 0 else { return median }
    // The factor between the unit that is shown and the base unit, whatever it is.
    let factor = estimate.median / shown
    let sizes = [1e-9, 1e-6, 1e-3, 1, 60, 1e3, 3_600, 86_400, 1e6, 1e9, 1e12]
    guard let scale = sizes.min(by: { abs($0 / factor - 1) < abs($1 / factor - 1) }) else { return median }
    return "\(median) (\(Humane.digits(estimate.lower / scale))–\(Humane.digits(estimate.upper / scale)))"
  }
}
