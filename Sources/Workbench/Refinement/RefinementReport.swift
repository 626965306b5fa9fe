import Architectures
import Foundation
import GrowAndPrune
import Measurements
import Numerics
import Training
import Twins

import struct Measurements.Measurement

/// What the main job's refinement predicted, measured, trained and gained.
package struct RefinementReport: Sendable {
  /// The root or the refined model.
  package struct Side: Sendable {
    package var prediction: Prediction
    package var architecture: Architecture
    /// On rows that no model was chosen by.
    package var score: TaskScore
    /// On this machine; nil where it was not.
    package var measured: Measurement?
  }

  package let twin: Twin
  /// Id of the finalist whose manner the root has.
  package let finalist: String
  package let cuts: [String]
  /// Where the rows are from.
  package let data: String
  package var root: Side
  /// Nil where nothing better than the root was found, or pruning cannot reach a budget.
  package var refined: Side?
  /// Targets of the rows that judge.
  let expected: [Double]
  let choosingRows: Int
  let trainingSteps: Int
  let trainingSeconds: Double
  package let outcome: RefinementOutcome?
  /// The budget: the root's predicted latency over this.
  let speedUp: Double?
  let wantedSpeedUp: Double
  let refiningSeconds: Double
  /// Of the profile's steps, so many were trained.
  let stepScale: Double

  private var task: TextTask { root.score.task }
  /// Of the refinement, over all nodes.
  private var refiningSteps: Int { outcome.map { $0.nodes.reduce(0) { $0 + $1.steps } } ?? 0 }

  package static let schema = "edgetwin.main_job_refinement/1"

  /// Takes over what was measured.
  package mutating func take(_ rows: [Measurement]) {
    func row(_ side: Side) -> Measurement? {
      rows.last { $0.architecture?.id == side.architecture.id && $0.latencySeconds != nil }
    }
    root.measured = row(root)
    if let side = refined { refined?.measured = row(side) }
  }

  // MARK: Gains

  /// How many times lower the refined model's latency is.
  private var predictedSpeedUp: Double? {
    refined.map { root.prediction.costs.latencySeconds.median / $0.prediction.costs.latencySeconds.median }
  }

  private var measuredSpeedUp: Double? {
    guard let before = root.measured?.latencySeconds, let after = refined?.measured?.latencySeconds, after > 0 else {
      return nil
    }
    return before / after
  }

  private var gainedScore: Double? { refined.map { $0.score.score - root.score.score } }

  /// Standard error of ``gainedScore`` over the judging rows, which both models answered: of accuracies only.
  private var scoreError: Double? {
    guard let refined, case .classification = task.kind, task.metrics == [.accuracy] else { return nil }
    func right(_ side: Side, _ row: Int) -> Double { side.score.predictions[row] == expected[row] ? 1 : 0 }
    let differences = expected.indices.map { right(refined, $0) - right(root, $0) }
    guard differences.count > 1 else { return nil }
    return Statistics.standardDeviation(differences) / Double(differences.count).squareRoot()
  }

  private var scoreName: String { task.metrics.count == 1 ? task.metrics[0].rawValue : "score" }

  // MARK: Record

  package var record: Record {
    var record = Record()
    record.add("schema", .text(Self.schema))
    record.add("device", .text(twin.device.id))
    record.add("task", .text(task.id))
    record.add("finalist", .text(finalist))
    record.add("cuts", FieldValue(cuts))
    record.add("judging_rows", .whole(expected.count))
    record.add("choosing_rows", .whole(choosingRows))
    record.add("root_training_steps", .whole(trainingSteps))
    record.add("root_training_s", .number(trainingSeconds))
    record.add("refinement_nodes", .whole(outcome?.nodes.count ?? 0))
    record.add("refinement_steps", .whole(refiningSteps))
    record.add("refinement_s", .number(refiningSeconds))
    record.add("profile_step_share", .number(stepScale))
    record.add("wanted_speed_up", .number(wantedSpeedUp))
    record.add("budget_speed_up", FieldValue(speedUp))
    record.add("root", .object(Self.record(root)))
    record.add("refined", refined.map { .object(Self.record($0)) } ?? .null)
    record.add("predicted_speed_up", FieldValue(predictedSpeedUp))
    record.add("measured_speed_up", FieldValue(measuredSpeedUp))
    record.add("gained_score", FieldValue(gainedScore))
    record.add("gained_score_standard_error", FieldValue(scoreError))
    return record
  }

  private static func record(_ side: Side) -> Record {
    var record = Record()
    record.add("id", .text(side.architecture.id))
    record.add("parameters", .whole(side.prediction.parameters))
    record.add("latency_s", PredictionRecord.estimate(side.prediction.costs.latencySeconds))
    record.add("energy_j", PredictionRecord.estimate(side.prediction.costs.energyJoules))
    record.add("peak_power_w", PredictionRecord.estimate(side.prediction.costs.peakPowerWatts))
    record.add("memory_bytes", .number(side.prediction.memoryBytes))
    record.add("measured_latency_s", FieldValue(side.measured?.latencySeconds))
    record.add("measured_spread_s", FieldValue(side.measured?.spreadSeconds))
    record.add("loss", .number(side.score.loss))
    record.add("score", .number(side.score.score))
    for (metric, value) in side.score.metrics { record.add(metric.rawValue, .number(value)) }
    record.add("architecture", .object(ArchitectureRecord.record(side.architecture)))
    return record
  }

  // MARK: Text

  package var text: String { introduction + table + gains }

  private var introduction: String {
    let settings = twin.settings
    let threads = settings.threads ?? 1
    var text = "Trained and refined for \(task.name) (\(data)): the root is made like the finalist \(finalist), with a"
    text += " vocabulary of \(root.architecture.vocabularySize) of its own"
    if !cuts.isEmpty { text += ", cut to be trained in the time: \(cuts.joined(separator: ", "))" }
    text += ".\nTrained for \(trainingSteps) steps in \(Humane.seconds(trainingSeconds))"
    if let outcome {
      text += "; \(outcome.nodes.count - 1) models grown and pruned in \(refiningSteps) steps"
      if stepScale < 0.995 { text += ", \(Humane.percent(stepScale)) of the profile's," }
      text += " in \(Humane.seconds(refiningSeconds))"
    }
    text += ".\nLatency is of \(settings.sequenceLength) tokens, batch \(settings.batchSize), \(threads)"
    text += " \(threads == 1 ? "thread" : "threads"), on this machine; \(scoreName) on \(expected.count) rows that no"
    text += " model was chosen by (\(choosingRows) others chose).\n\n"
    return text
  }

  private var table: String {
    var table = TextTable([
      .init(""), .init("latency predicted"), .init("measured", right: true), .init("parameters", right: true),
      .init("memory", right: true), .init(scoreName, right: true), .init("loss", right: true), .init("model"),
    ])
    for (name, side) in [("root", Optional(root)), ("refined", refined)] {
      guard let side else { continue }
      table.add([
        name, PredictionTable.interval(side.prediction.costs.latencySeconds, "s"),
        Humane.seconds(side.measured?.latencySeconds), Humane.count(Double(side.prediction.parameters)),
        Humane.bytes(side.prediction.memoryBytes), String(format: "%.4f", side.score.score),
        String(format: "%.4f", side.score.loss), side.architecture.id,
      ])
    }
    return table.text
  }

  private var gains: String {
    guard refined != nil, let predictedSpeedUp, let gainedScore else {
      return outcome == nil
        ? "Nothing gained: pruning cannot lower the root's predicted latency enough.\n"
        : "Nothing gained: no child is better than the root.\n"
    }
    var text = "Gained: \(MainJobRefinement.shown(predictedSpeedUp))× lower latency predicted, "
    text += measuredSpeedUp.map { "\(MainJobRefinement.shown($0))× measured" } ?? "not measured"
    text += "; \(scoreName) \(String(format: "%+.4f", gainedScore))"
    if let scoreError { text += String(format: " (standard error %.4f)", scoreError) }
    text += ".\n"
    if let speedUp, speedUp < wantedSpeedUp - 1e-9 {
      text += "\(MainJobRefinement.shown(wantedSpeedUp))× was asked for, and is out of reach of pruning.\n"
    }
    return text
  }
}
