import Architectures
import CoSearch
import Foundation

/// Pairs of the published objective, every one on the same scales.
///
/// What the authors recorded is of three scales: profiled pairs as measured, queries as draws of noisy surrogates, starting values divided
/// by a number. Here each pair has its costs from our twins, start-up included, and its accuracy once as the published scores have it and once
/// as ``AccuracyPredictor`` has it: the scale of `benchmarks/problems/published.yaml`.
struct ObjectiveTable: Sendable {
  struct Row: Sendable {
    var name: String
    var device: String
    /// 1 − P as the authors' files have it; nil where a pair is not theirs.
    var recorded: Double?
    /// With the published scores, refitted; nil where the records are not at hand.
    var refitted: Double?
    /// With predicted accuracy.
    var predicted: Double?
    var seconds: Double?
    var valid: Int?
    var queries: Int?
  }

  private(set) var rows: [Row] = []
  private let setup: SearchSetup
  private let surrogate: PublishedSurrogate?

  /// - Parameter setup: of the published problem.
  init(
    _ setup: SearchSetup, data: PublishedData?, surrogate: PublishedSurrogate?, runs: [PublishedRecords.Run],
    optimum: PublishedOptimum?, ownBest: Candidate?, ownSeconds: Double
  ) {
    self.setup = setup
    self.surrogate = surrogate
    for run in runs.sorted(by: { $0.best > $1.best }) {
      var row = row("published \(run.name)", run.point, run.device)
      row.recorded = run.best
      (row.seconds, row.valid, row.queries) = (run.seconds, run.valid, run.queries)
      rows.append(row)
    }
    if let data {
      if let best = data.pairs.min(by: { $0.objective < $1.objective }) {
        var row = row("best profiled pair, \(best.model)", best.point, best.device)
        row.recorded = best.objective
        rows.append(row)
      }
      if let best = data.pairs.min(by: { predicted($0) < predicted($1) }) {
        var row = row("best profiled pair by predicted accuracy, \(best.model)", best.point, best.device)
        row.recorded = best.objective
        rows.append(row)
      }
    } else {
      let best = PublishedRecords.bestProfiled
      rows.append(Row(name: "best profiled pair, \(best.model)", device: best.device, recorded: best.value))
    }
    if let optimum {
      var row = row("ours on the published scores, \(optimum.architectureID)", optimum.point, optimum.device)
      (row.seconds, row.valid, row.queries) = (optimum.seconds, optimum.evaluations, optimum.evaluations)
      rows.append(row)
    }
    if let ownBest {
      let id = setup.space.architecture(of: ownBest.point).id
      var row = row("ours on predicted accuracy, \(id)", ownBest.point, ownBest.device)
      row.seconds = ownSeconds
      rows.append(row)
    }
  }

  private func row(_ name: String, _ point: DesignPoint?, _ device: String) -> Row {
    var row = Row(name: name, device: device)
    guard let point, let index = setup.problem.devices.firstIndex(of: device),
      let candidate = setup.evaluator.candidate(of: point, device: index)
    else { return row }
    row.predicted = candidate.assessment.scalar
    row.refitted = surrogate.map { surrogate in
      let values = candidate.assessment.values
      return PublishedRecords.objective(
        score: surrogate.score(of: point), latencySeconds: values.latencySeconds ?? .nan,
        energyJoules: values.energyJoules ?? .nan, peakPowerWatts: values.peakPowerWatts ?? .nan)
    }
    return row
  }

  private func predicted(_ pair: PublishedData.Pair) -> Double {
    setup.problem.devices.firstIndex(of: pair.device).flatMap { index in
      setup.evaluator.candidate(of: pair.point, device: index)?.assessment.scalar
    } ?? .infinity
  }

  var text: String {
    func shown(_ value: Double?) -> String { value.map { String(format: "%.4f", $0) } ?? "–" }
    var table = TextTable([
      .init("pair"), .init("recorded", right: true), .init("published scores", right: true),
      .init("predicted accuracy", right: true), .init("time", right: true), .init("valid queries", right: true),
      .init("device"),
    ])
    for row in rows {
      table.add([
        row.name, shown(row.recorded), shown(row.refitted), shown(row.predicted),
        row.seconds.map(Humane.seconds) ?? "",
        row.valid.flatMap { valid in row.queries.map { "\(valid) of \($0)" } } ?? "", row.device,
      ])
    }
    return table.text
  }

  var records: FieldValue {
    .list(
      rows.map { row in
        var record = Record()
        record.add("name", .text(row.name))
        record.add("device", .text(row.device))
        record.add("recorded", FieldValue(row.recorded))
        record.add("published_scores", FieldValue(row.refitted))
        record.add("predicted_accuracy", FieldValue(row.predicted))
        record.add("seconds", FieldValue(row.seconds))
        return .object(record)
      })
  }
}
