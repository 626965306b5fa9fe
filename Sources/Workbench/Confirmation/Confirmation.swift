import Architectures
import Calibration
import Foundation
import Measurements
import Numerics
import Twins

import struct Measurements.Measurement

/// Predictions of the models that a search chose, against what they were measured to take.
public struct Confirmation: Sendable {
  public struct Row: Sendable {
    public var pair: PredictedAgainstMeasured
    public var measurement: Measurement
    public var prediction: Prediction
  }

  public let twin: Twin
  public let level: Double
  public let rows: [Row]
  /// Nil without a row.
  public let agreement: Agreement?
  /// Log ratio of measured to predicted that the choice among the candidates makes expect; nil for a twin without measurements of its
  /// own, whose errors are mostly shared by all candidates and so do not sway the choice.
  public let expectedRegression: Double?
  /// Mean log ratio of measured to predicted of the chosen.
  public let seenRegression: Double
  /// Candidates that the choice is taken to be made among.
  public let candidates: Int
  /// Nil where nothing was profiled.
  public let classes: KernelClassComparison?
  /// How many times slower than when the twin's roofs were timed the cores were, median of the rows; 1 where it is not known.
  public let slowing: Double
  /// How many times longer the gauge of pace took beside most repeats than beside the best, median of the rows: other programs came and went.
  public let disturbance: Double

  /// - Parameters:
  ///   - measurements: of the chosen, in any order; those of other settings than the twin's are left aside.
  ///   - pool: what the search chose from, the chosen among them.
  ///   - profiles: steps of one call by architecture id.
  /// - Throws: `TwinError` where a model does not fit the device.
  public init(
    twin: Twin, level: Double, chosen: [FinalistRow], measurements: [Measurement], pool: [FinalistRow],
    profiles: [String: [(kernelClass: String, seconds: Double)]] = [:]
  ) throws {
    self.twin = twin
    self.level = level
    var byID: [String: Measurement] = [:]
    for row in measurements where Self.isOf(twin, row) {
      if let id = row.architecture?.id { byID[id] = row }
    }
    var rows: [Row] = []
    var comparisons: [KernelClassComparison] = []
    for one in chosen {
      let id = one.architecture.id
      guard let measurement = byID[id], let seconds = measurement.latencySeconds else { continue }
      let prediction = try twin.predict(one.architecture, level: level)
      rows.append(
        Row(
          pair: PredictedAgainstMeasured(
            id: id, predicted: prediction.costs.latencySeconds, measuredSeconds: seconds,
            spreadSeconds: measurement.spreadSeconds), measurement: measurement, prediction: prediction))
      if var steps = profiles[id] {
        // Steps are timed one by one, calls later than the latency is of: their shares count.
        let sum = steps.reduce(0) { $0 + $1.seconds }
        let call = seconds * Double(twin.settings.batchSize)
        if sum > 0 { for index in steps.indices { steps[index].seconds *= call / sum } }
        comparisons.append(
          KernelClassComparison(
            explanation: try Explanation(twin: twin, architecture: one.architecture, level: level), steps: steps,
            batchSize: twin.settings.batchSize))
      }
    }
    self.rows = rows
    agreement = Agreement(rows.map(\.pair))
    seenRegression = Statistics.mean(rows.map(\.pair.logRatio))
    classes = comparisons.isEmpty ? nil : .sum(comparisons)
    candidates = pool.count
    let disturbances = rows.compactMap { row -> Double? in
      guard let best = row.measurement.paceSeconds,
        let typical = row.measurement.environment[Measurement.typicalPaceKey].flatMap(Double.init)
      else { return nil }
      return typical / best
    }
    disturbance = disturbances.isEmpty ? 1 : Statistics.median(disturbances)
    slowing = rows.isEmpty ? 1 : Statistics.median(rows.map { twin.device.roofs?.slowing(of: $0.measurement) ?? 1 })
    let spread = twin.model.latency.spread
    // Where all are measured there was no choice that errors could sway.
    guard chosen.count < pool.count else {
      expectedRegression = 0
      return
    }
    guard spread.basis == .conformal else {
      expectedRegression = nil
      return
    }
    // The spread of held-out rows, without what extrapolation adds: that is shared by all candidates too.
    let offsets = spread.offsets(level: 0.9)
    let deviation = (offsets.upper - offsets.lower) / (2 * Distributions.normalQuantile(0.95))
    expectedRegression = OptimisersCurse.expectedRegressionOfFront(
      try pool.map { row in
        let median = try twin.predict(row.architecture, level: level).costs.latencySeconds.median
        return OptimisersCurse.Candidate(logMedian: log(median), deviation: deviation, merit: row.accuracy ?? 0)
      })
  }

  /// Whether a row was measured at a twin's settings.
  public static func isOf(_ twin: Twin, _ row: Measurement) -> Bool {
    let settings = twin.settings
    return row.runtime == twin.runtime && row.batchSize == settings.batchSize
      && row.sequenceLength == settings.sequenceLength && row.precision == settings.precision.rawValue
      && (settings.threads == nil || row.threads == nil || row.threads == settings.threads)
  }

  /// True where the twin should be fitted anew: more of the measured values lie outside of their intervals than chance allows, or the
  /// whole is off by more than half an interval.
  public var asksForCalibration: Bool {
    guard let agreement else { return false }
    let widths = rows.map { log($0.pair.predicted.upper / $0.pair.predicted.lower) / 2 }
    // What others did meanwhile is no reason to change the twin.
    guard disturbance <= Self.notedDisturbance else { return false }
    // A fit brings rows to the pace of the roofs: what the cores' own slowing explains, it would not change.
    guard abs(slowing - 1) <= Self.notedSlowing else {
      return abs(log((1 + agreement.bias) / slowing)) > Statistics.median(widths)
    }
    return agreement.coverageInterval.upperBound < level
      || abs(log(1 + agreement.bias)) > 0.5 * Statistics.median(widths)
  }
}

extension Confirmation {
  /// A row each: the prediction with `measured_latency_s`, `measured_spread_s`, `error`, `inside`.
  public var records: [Record] {
    rows.map { row in
      var record = PredictionRecord.record(row.prediction, twin: twin)
      record.add("measured_latency_s", .number(row.pair.measuredSeconds))
      record.add("measured_spread_s", FieldValue(row.pair.spreadSeconds))
      record.add("error", .number(row.pair.error))
      record.add("inside", .flag(row.pair.isInside))
      return record
    }
  }

  /// What all rows say together.
  public var summaryRecord: Record {
    var record = Record()
    record.add("schema", .text("edgetwin.confirmation/1"))
    record.add("device", .text(twin.device.id))
    record.add("runtime", .text(twin.runtime))
    record.add("rows", .whole(rows.count))
    record.add("level", .number(level))
    if let agreement {
      record.add("median_ape", .number(agreement.medianAbsolutePercentageError))
      record.add("bias", .number(agreement.bias))
      record.add("coverage", .number(agreement.coverage))
      record.add("spearman", .number(agreement.spearman))
      record.add("kendall", .number(agreement.kendall))
    }
    record.add("expected_regression", FieldValue(expectedRegression.map { exp($0) - 1 }))
    record.add("seen_regression", .number(exp(seenRegression) - 1))
    record.add("candidates", .whole(candidates))
    record.add("slowing", .number(slowing))
    record.add("disturbance", .number(disturbance))
    if let classes {
      record.add(
        "kernel_classes",
        .list(
          classes.rows.map { row in
            var one = Record()
            one.add("kernel_class", .text(row.name))
            one.add("predicted_s", .number(row.predictedSeconds))
            one.add("measured_s", .number(row.measuredSeconds))
            return .object(one)
          }))
    }
    record.add("asks_for_calibration", .flag(asksForCalibration))
    return record
  }

  /// For people.
  public var text: String { table + "\n" + summary + classTable }

  private var table: String {
    var table = TextTable([
      .init("id"), .init("predicted"), .init("measured", right: true), .init("spread", right: true),
      .init("error", right: true), .init("interval"), .init("beyond the fit"),
    ])
    for row in rows {
      table.add([
        row.pair.id, PredictionTable.interval(row.pair.predicted, "s"), Humane.seconds(row.pair.measuredSeconds),
        row.pair.spreadSeconds.map { Humane.percent($0 / row.pair.measuredSeconds) } ?? "",
        Self.signed(row.pair.error), row.pair.isInside ? "inside" : "outside",
        row.prediction.extrapolated.joined(separator: ", "),
      ])
    }
    return table.text
  }

  /// A gauge that is off by less says nothing.
  private static let notedSlowing = 0.05
  /// Gauges of a machine that nobody else uses scatter by a twentieth.
  private static let notedDisturbance = 1.3

  private static func signed(_ share: Double) -> String { (share < 0 ? "" : "+") + Humane.percent(share) }

  private var summary: String {
    guard let agreement else { return "Nothing was measured.\n" }
    func number(_ value: Double) -> String { value.isFinite ? String(format: "%.3f", value) : "–" }
    let interval = agreement.biasInterval.map {
      " (\(Self.signed($0.lowerBound)) to \(Self.signed($0.upperBound)))"
    }
    let inside = rows.count(where: \.pair.isInside)
    var text =
      "Median error \(Humane.percent(agreement.medianAbsolutePercentageError)); bias \(Self.signed(agreement.bias))"
      + "\(interval ?? ""): measured against predicted.\n"
      + "\(inside) of \(agreement.count) inside their \(Humane.percent(level)) intervals; rank correlation: Spearman"
      + " \(number(agreement.spearman)), Kendall \(number(agreement.kendall)).\n"
    if abs(slowing - 1) > Self.notedSlowing {
      text +=
        "The cores were \(Humane.percent(abs(slowing - 1))) \(slowing > 1 ? "slower" : "faster") than when this twin was made (by a small"
        + " model that runs between the others), which by itself makes the measured times as much"
        + " \(slowing > 1 ? "longer" : "shorter"): other programs, other guests of the machine, or its clock.\n"
    }
    if disturbance > Self.notedDisturbance {
      text +=
        "Other programs had the cores for much of the time (beside most repeats a small fixed model took"
        + " \(Humane.percent(disturbance - 1)) longer than at best): measure again when nothing else runs, before the twin is blamed.\n"
    }
    let seen = Self.signed(exp(seenRegression) - 1)
    if expectedRegression == 0 {
      text +=
        "On average \(seen) over the predictions; nothing was chosen, so that no optimiser's curse is to be expected.\n"
    } else if let expectedRegression {
      text +=
        "The choice among \(candidates) \(candidates == 1 ? "candidate" : "candidates") makes expect"
        + " \(Self.signed(exp(expectedRegression) - 1)) over the predictions (the optimiser's curse); seen are \(seen).\n"
    } else {
      text +=
        "On average \(seen) over the predictions; what the choice makes expect (the optimiser's curse) is known for twins"
        + " that were calibrated.\n"
    }
    return text
  }

  private var classTable: String {
    guard let classes else { return "" }
    var table = TextTable([
      .init("kernels"), .init("predicted", right: true), .init("measured", right: true),
      .init("difference", right: true), .init("error", right: true),
    ])
    for row in classes.rows where row.predictedSeconds > 0 || row.measuredSeconds > 0 {
      let sign = row.differenceSeconds < 0 ? "" : "+"
      table.add([
        row.name.replacing("_", with: " "), Humane.seconds(row.predictedSeconds),
        Humane.seconds(row.measuredSeconds), sign + Humane.seconds(row.differenceSeconds),
        row.predictedSeconds > 0 ? Self.signed(row.measuredSeconds / row.predictedSeconds - 1) : "",
      ])
    }
    return "\nWhere the twin is wrong, summed over the models, the largest difference first:\n" + table.text
  }
}
