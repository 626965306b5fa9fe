import Foundation
import Twins

/// Devices as rows.
public enum DeviceRecord {
  /// What `devices` lists.
  public static func record(_ entry: DeviceLibrary.Entry) -> Record {
    let device = entry.file.device
    let calibrated = entry.file.calibratedRuntimes
    let model = calibrated.isEmpty ? nil : entry.file.runtimes[entry.file.defaultRuntime]?.model
    var record = Record()
    record.add("id", .text(device.id))
    record.add("name", .text(device.name))
    record.add("class", .text(device.deviceClass.rawValue))
    record.add("runtimes", FieldValue(entry.file.runtimes.keys.sorted()))
    record.add("calibrated", .flag(!calibrated.isEmpty))
    record.add("calibrated_runtimes", FieldValue(calibrated))
    record.add("rows", FieldValue(model?.fit?.rows))
    var errors = Record()
    errors.add("latency", FieldValue(model?.latency.crossValidation?.medianAbsolutePercentageError))
    errors.add("energy", FieldValue(model?.energy.crossValidation?.medianAbsolutePercentageError))
    errors.add("peak_power", FieldValue(model?.peakPower.crossValidation?.medianAbsolutePercentageError))
    record.add("errors", .object(errors))
    record.add("power_scope", .text(device.power.scope.rawValue))
    record.add("memory_overflow", .text(device.memory.overflow.rawValue))
    record.add("file", .text(entry.path))
    return record
  }

  /// The list for people.
  public static func table(_ entries: [DeviceLibrary.Entry]) -> String {
    var table = TextTable([
      .init("id"), .init("name"), .init("class"), .init("runtimes"), .init("calibrated on", right: true),
      .init("latency", right: true), .init("energy", right: true), .init("peak power", right: true),
      .init("power of the"),
    ])
    for entry in entries {
      let file = entry.file
      let model = file.calibratedRuntimes.isEmpty ? nil : file.runtimes[file.defaultRuntime]?.model
      func error(_ measure: MeasureModel?) -> String {
        guard let value = measure?.crossValidation?.medianAbsolutePercentageError else { return "–" }
        return "±" + Humane.percent(value)
      }
      table.add([
        file.device.id, file.device.name, file.device.deviceClass.rawValue,
        file.runtimes.keys.sorted().joined(separator: ", "), model?.fit.map { "\($0.rows) rows" } ?? "datasheet",
        error(model?.latency), error(model?.energy), error(model?.peakPower), file.device.power.scope.rawValue,
      ])
    }
    return table.text + "Errors: median of |predicted − measured| / measured over rows that were held out.\n"
  }
}

/// The facts of a device, in an order and with names to show.
public enum DeviceFacts {
  public static func list(_ device: Device) -> [(path: String, fact: Fact)] {
    let facts: [(String, Fact?)] = [
      ("cores", device.cores), ("clock", device.clock), ("host.clock", device.host.clock),
      ("host.work_per_cycle", device.host.workPerCycle), ("compute.fp32", device.compute.fp32),
      ("compute.fp16", device.compute.fp16), ("compute.bf16", device.compute.bf16),
      ("compute.int8", device.compute.int8), ("memory.bandwidth", device.memory.bandwidth),
      ("memory.capacity", device.memory.capacity), ("memory.reserved", device.memory.reserved),
      ("power.idle", device.power.idle), ("power.maximum", device.power.maximum),
    ]
    return facts.compactMap { path, fact in fact.map { (path, $0) } }
  }

  public static func shown(_ fact: Fact) -> String {
    fact.unit == "1" ? Humane.digits(fact.value) : Humane.scaled(fact.value, fact.unit)
  }

  /// Everything about one device, for people.
  public static func text(_ entry: DeviceLibrary.Entry) -> String {
    let device = entry.file.device
    var text = "\(device.name) (\(device.id), \(device.deviceClass.rawValue))\n\(entry.path)\n\n"
    var table = TextTable([.init("fact"), .init("value"), .init("known from"), .init("source")])
    for (path, fact) in list(device) {
      table.add([path, shown(fact), fact.provenance.rawValue, fact.source ?? ""])
    }
    text += table.text
    text += "power is that of the \(device.power.scope.rawValue); a model that does not fit is "
    text += device.memory.overflow == .error ? "an error\n" : "paged\n"
    if let operations = device.operations, !operations.hostOnly.isEmpty {
      text += "runs on the host: \(operations.hostOnly.map(\.rawValue).joined(separator: ", "))\n"
    }
    for name in entry.file.runtimes.keys.sorted() {
      guard let runtime = entry.file.runtimes[name] else { continue }
      text += "\nruntime \(name) (\(runtime.variant.rawValue)): "
      guard let model = runtime.model, let fit = model.fit else {
        text += "not calibrated, everything follows from the datasheet\n"
        continue
      }
      let settings = fit.settings
      text +=
        "fitted on \(fit.rows) rows at batch size \(settings.batchSize), length \(settings.sequenceLength),"
        + " \(settings.precision.rawValue)\(settings.includesStartup ? ", start-up included" : "")\n"
      for (label, measure) in [
        ("latency", model.latency), ("energy", model.energy), ("peak power", model.peakPower),
      ] {
        let bounds = measure.spread.offsets(level: 0.9)
        text +=
          "  \(label): held-out error \(Humane.percent(measure.crossValidation?.medianAbsolutePercentageError)),"
          + " 90 % interval × \(Humane.digits(exp(bounds.lower)))–\(Humane.digits(exp(bounds.upper)))"
          + " (\(measure.spread.basis.rawValue))\n"
        for (index, regime) in measure.regimes.enumerated() where measure.regimes.count > 1 {
          text +=
            "    regime \(index): rows \(regime.first)–\(regime.last), × \(Humane.digits(regime.factor))"
            + " of the typical state\n"
        }
      }
    }
    return text
  }
}
