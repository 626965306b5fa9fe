import Architectures
import Twins

/// Explanations as rows.
public enum ExplanationRecord {
  /// A prediction's row with its breakdown by kernel class, by layer and by cause.
  public static func record(_ explanation: Explanation, twin: Twin) -> Record {
    var record = PredictionRecord.record(explanation.prediction, twin: twin)
    record.add("schema", .text("edgetwin.explanation/1"))
    record.add("roof_s", .number(explanation.roofSeconds))
    record.add("startup_s", .number(explanation.startupSeconds))
    record.add("startup_j", .number(explanation.startupJoules))
    record.add("unplaced_s", .number(explanation.unplacedSeconds))
    record.add("unplaced_j", .number(explanation.unplacedJoules))
    record.add("omitted_startup_s", .number(explanation.omittedStartupSeconds))
    var causes = Record()
    for bound in Bound.allCases { causes.add(bound.rawValue, .number(explanation.causes[bound] ?? 0)) }
    record.add("causes_s", .object(causes))
    record.add("kernel_classes", .list(explanation.parts.map { .object(part($0)) }))
    record.add(
      "layers",
      .list(
        explanation.layers.map { layer in
          var record = Record()
          record.add("layer", FieldValue(layer.index))
          record.add("latency_s", .number(layer.seconds))
          record.add("energy_j", .number(layer.joules))
          return .object(record)
        }))
    return record
  }

  private static func part(_ part: Explanation.Part) -> Record {
    var record = Record()
    record.add("kernel_class", .text(part.kernelClass.rawValue))
    record.add("latency_s", .number(part.seconds))
    record.add("energy_j", .number(part.joules))
    record.add("calls", Int(exactly: part.work.calls).map(FieldValue.whole) ?? .number(part.work.calls))
    record.add("flops", .number(part.work.flops))
    record.add("bytes_read", .number(part.work.bytesRead))
    record.add("bytes_written", .number(part.work.bytesWritten))
    record.add("bound_by", FieldValue(part.boundBy?.rawValue))
    record.add("roof_s", .number(part.roofSeconds))
    record.add("runs_on_host", .flag(part.runsOnHost))
    return record
  }
}

/// Explanations for people.
public struct ExplanationText {
  private let explanation: Explanation
  private let twin: Twin
  private let architecture: Architecture

  public init(_ explanation: Explanation, twin: Twin, architecture: Architecture) {
    self.explanation = explanation
    self.twin = twin
    self.architecture = architecture
  }

  private var median: Double { explanation.prediction.costs.latencySeconds.median }

  /// Everything: causes, kernel classes, layers.
  public var full: String {
    let prediction = explanation.prediction
    let costs = prediction.costs
    let settings = twin.settings
    var text =
      "\(prediction.architectureID) on \(twin.device.name) with \(twin.runtime), batch size \(settings.batchSize),"
      + " length \(settings.sequenceLength), \(settings.precision.rawValue)\n"
    text +=
      "latency \(PredictionTable.interval(costs.latencySeconds, "s")), energy"
      + " \(PredictionTable.interval(costs.energyJoules, "J")), peak power"
      + " \(PredictionTable.interval(costs.peakPowerWatts, "W")) of the \(prediction.powerScope.rawValue);"
      + " \(Humane.percent(prediction.level)) intervals, per sequence\n"
    text +=
      "\(Humane.count(Double(prediction.parameters))) parameters (\(prediction.parametersInclude));"
      + " \(Humane.bytes(prediction.memoryBytes)) of memory\(prediction.fitsMemory ? "" : ", more than there is: it pages")\n"
    if !prediction.extrapolated.isEmpty {
      text += "outside of what the twin was fitted on: \(prediction.extrapolated.joined(separator: ", "))\n"
    }
    return text + "\n" + causes + startup + "\n" + classTable + "\n" + layerTable
  }

  /// A few lines: causes, the costliest kernel classes and layers.
  public var brief: String {
    let classes = explanation.parts.prefix(4).map {
      "\(Self.name($0.kernelClass)) \(Humane.percent(share($0.seconds)))"
    }
    let energy = explanation.prediction.costs.energyJoules.median
    let joules = explanation.parts.sorted { $0.joules > $1.joules }.prefix(3).map {
      "\(Self.name($0.kernelClass)) \(Humane.percent(energy > 0 ? $0.joules / energy : nil))"
    }
    let slowest = explanation.layers.filter { $0.index != nil }.sorted { $0.seconds > $1.seconds }.prefix(2).map {
      "layer \(($0.index ?? 0) + 1) of \(architecture.layers.count) (\(shape($0.index)))"
        + " \(Humane.percent(share($0.seconds)))"
    }
    return causes + "time: \(classes.joined(separator: ", "))\nenergy: \(joules.joined(separator: ", "))\n"
      + "costliest: \(slowest.joined(separator: "; "))\n"
  }

  private func share(_ seconds: Double) -> Double? { median > 0 ? seconds / median : nil }

  private var causes: String {
    let parts = Bound.allCases.compactMap { bound -> String? in
      guard let seconds = explanation.causes[bound], let share = share(seconds), share >= 0.005 else { return nil }
      return "\(bound.rawValue) \(Humane.percent(share))"
    }
    let distance = explanation.roofSeconds > 0 ? median / explanation.roofSeconds : nil
    return "bound by \(explanation.prediction.boundBy.rawValue): \(parts.joined(separator: ", "));"
      + " \(distance.map { Humane.digits($0) } ?? "–") times the roof of the datasheet's peak rate and bandwidth"
      + " (\(Humane.seconds(explanation.roofSeconds)))\n"
  }

  private var startup: String {
    if explanation.startupSeconds > 0 {
      return "start-up \(Humane.seconds(explanation.startupSeconds)) of it\n"
    }
    guard explanation.omittedStartupSeconds > 0 else { return "" }
    let share = Humane.seconds(explanation.omittedStartupSeconds)
    if twin.isCalibrated { return "start-up, \(share) a sequence as it was measured, is left out\n" }
    let sequences = twin.profiledSequencesPerProcess ?? twin.settings.batchSize
    return "start-up, by the datasheet \(share) a sequence in a process of \(sequences), is left out\n"
  }

  private var classTable: String {
    var table = TextTable([
      .init("kernels"), .init("time", right: true), .init("share", right: true), .init("energy", right: true),
      .init("calls", right: true), .init("FLOPs", right: true), .init("bytes", right: true), .init("bound by"),
      .init("of the roof", right: true), .init(""),
    ])
    for part in explanation.parts {
      table.add([
        Self.name(part.kernelClass), Humane.seconds(part.seconds), Humane.percent(share(part.seconds)),
        Humane.joules(part.joules), Humane.count(part.work.calls), Humane.count(part.work.flops),
        Humane.bytes(part.work.bytes), part.boundBy?.rawValue ?? "–",
        // A class that the twin has no term for costs next to nothing in it: its distance from the roof says nothing.
        (share(part.seconds) ?? 0) > 0.0005 ? Humane.percent(part.roofSeconds / part.seconds) : "–",
        part.runsOnHost ? "on the host" : "",
      ])
    }
    let others = [
      ("no kernel's own", explanation.unplacedSeconds, explanation.unplacedJoules),
      ("start-up", explanation.startupSeconds, explanation.startupJoules),
    ]
    for (name, seconds, joules) in others where seconds > 0 || joules > 0 {
      table.add([
        name, Humane.seconds(seconds), Humane.percent(share(seconds)), Humane.joules(joules), "", "", "", "", "", "",
      ])
    }
    let batch = twin.settings.batchSize
    return table.text
      + "calls, FLOPs and bytes are of one call of the runtime (\(batch == 1 ? "one sequence" : "\(batch) sequences"))\n"
  }

  private var layerTable: String {
    var table = TextTable([
      .init("layer"), .init("shape"), .init("time", right: true), .init("share", right: true),
      .init("energy", right: true), .init(""),
    ])
    let longest = explanation.layers.map(\.seconds).max() ?? 0
    for layer in explanation.layers {
      let length = longest > 0 ? Int((layer.seconds / longest * 24).rounded()) : 0
      table.add([
        layer.index.map { "\($0 + 1)" } ?? "rest", shape(layer.index), Humane.seconds(layer.seconds),
        Humane.percent(share(layer.seconds)), Humane.joules(layer.joules), String(repeating: "█", count: length),
      ])
    }
    return table.text
  }

  /// `256 wide, 2 sa_sdp + 2 c_5, feed-forward 1024-2048`.
  private func shape(_ index: Int?) -> String {
    guard let index, architecture.layers.indices.contains(index) else {
      return "embeddings, pooler, what belongs to no layer"
    }
    let layer = architecture.layers[index]
    let heads = HeadOperation.allCases.compactMap { kind -> String? in
      let count = layer.heads.count { $0 == kind }
      return count > 0 ? "\(count) \(kind.name)" : nil
    }
    return "\(layer.hiddenSize) wide, \(heads.joined(separator: " + ")),"
      + " feed-forward \(layer.feedForward.map(String.init).joined(separator: "-"))"
  }

  private static func name(_ kernelClass: KernelClass) -> String { kernelClass.rawValue.replacing("_", with: " ") }
}
