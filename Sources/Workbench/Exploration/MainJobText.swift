import Architectures
import CoSearch
import Foundation
import Twins

/// The main job's answer for people.
extension MainJob {
  public var text: String {
    guard let first = results.first else { return "" }
    let total = results.reduce(0) { $0 + $1.exploration.evaluations }
    let seconds = results.reduce(0) { $0 + $1.exploration.seconds }
    var text =
      "Searched \(results.count) devices and \(SpaceSummary(first.setup.space).roundedCardinality) architectures:"
      + " \(Humane.count(Double(total))) candidates in \(Humane.seconds(seconds)).\n\n"
    text += matrix + "\n"
    text += pickTable + exchange + "\n"
    text += plot + "\n"
    return text
  }

  /// What must be said of the figures.
  public var captions: String {
    guard let setup = results.first?.setup else { return "" }
    var lines = [
      "Medians with \(Humane.percent(setup.evaluator.accuracyLevel)) intervals, per sequence,"
        + " \(setup.problem.includesStartup ? "with a share of the process's start-up" : "steady time").",
      setup.predictor.caption.prefix(1).uppercased() + setup.predictor.caption.dropFirst() + ".",
    ]
    let twins = results.map(\.twin)
    let scopes = PowerScopes.warning(twins.map(\.device))
    if !scopes.isEmpty { lines.append(scopes) }
    let datasheet = twins.filter { !$0.isCalibrated }.map(\.device.id)
    if !datasheet.isEmpty {
      lines.append("Not calibrated, from the datasheet alone: \(datasheet.joined(separator: ", ")).")
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// Accuracy that each device reaches, by budget.
  private var matrix: String {
    var table = TextTable(
      [.init("device"), .init("batch", right: true), .init("twin")]
        + budgets.map { .init("≤ \(Humane.seconds($0))", right: true) } + [.init("fastest", right: true)])
    for index in results.indices {
      let result = results[index]
      let fastest = result.exploration.front.map(\.costs.latencySeconds.median).min()
      table.add(
        [
          result.twin.device.id, "\(result.twin.settings.batchSize)",
          result.twin.model.fit.map { "\($0.rows) rows" } ?? "datasheet",
        ]
          + budgets.map { budget in
            best(device: index, within: budget).map { Humane.digits($0.accuracy.median) } ?? "–"
          } + [Humane.seconds(fastest)])
    }
    let scale = results.first?.setup.predictor.scale ?? "GLUE"
    return "Accuracy (points of \(scale)) that each device reaches within a latency:\n" + table.text
  }

  private var pickTable: String {
    var table = TextTable([
      .init("latency"), .init("power of the"), .init("device"), .init("accuracy"), .init("of at most", right: true),
      .init("latency"), .init("energy"), .init("peak power"), .init("parameters", right: true), .init("architecture"),
    ])
    var last = -1.0
    for pick in picks {
      let result = results[pick.device]
      let candidate = pick.candidate
      table.add([
        pick.latencyBudgetSeconds == last ? "" : "≤ \(Humane.seconds(pick.latencyBudgetSeconds))",
        pick.scope.rawValue, result.twin.device.id, SearchSetup.shown(candidate.accuracy),
        Humane.digits(pick.bestAccuracy), PredictionTable.interval(candidate.costs.latencySeconds, "s"),
        PredictionTable.interval(candidate.costs.energyJoules, "J"),
        PredictionTable.interval(candidate.costs.peakPowerWatts, "W"), Humane.count(Double(candidate.parameters)),
        result.setup.space.architecture(of: candidate.point).id + (isExtrapolated(pick) ? " *" : ""),
      ])
      last = pick.latencyBudgetSeconds
    }
    guard !table.rows.isEmpty else { return "No device has a model within these budgets.\n" + infeasibility }
    let missed = budgets.filter { budget in !picks.contains { $0.latencyBudgetSeconds == budget } }
    let note = missed.isEmpty ? "" : "No pair is within \(missed.map { Humane.seconds($0) }.joined(separator: ", ")).\n"
    let error = Humane.digits(results.first?.setup.predictor.leaveOneOutError ?? .nan)
    return
      "Best pairs by latency: least energy among those within \(error) points, the accuracy's own error, of the most"
      + " accurate\n" + table.text + note
      + (picks.contains(where: isExtrapolated)
        ? "* smaller or larger than what the twin was fitted on: its interval is widened\n" : "")
  }

  private func isExtrapolated(_ pick: Pick) -> Bool {
    let result = results[pick.device]
    let architecture = result.setup.space.architecture(of: pick.candidate.point)
    return (try? result.twin.predict(architecture))?.extrapolated.isEmpty == false
  }

  /// What a little more of a cost buys on the device of the winner.
  private var exchange: String {
    guard let winner else { return "" }
    let result = results[winner.device]
    let text = Exchanges(
      objectives: result.exploration.box.objectives, result.exploration.front.map(\.assessment.values)
    ).text
    return text.isEmpty ? "" : "On \(result.twin.device.id):\n\(text)"
  }

  private var infeasibility: String {
    results.compactMap { result in
      result.exploration.infeasibility.map { "\(result.twin.device.id): \($0)\n" }
    }.joined()
  }

  private var plot: String {
    var points: [ScatterPlot.Point] = []
    var legend: [String] = []
    for (index, result) in results.enumerated() {
      let mark = Character(UnicodeScalar(UInt8(ascii: "a") + UInt8(index % 26)))
      legend.append("\(mark) \(result.twin.device.id)")
      points += result.exploration.front.map {
        ScatterPlot.Point(x: $0.costs.latencySeconds.median, y: $0.accuracy.median, mark: mark)
      }
    }
    let plot = ScatterPlot(
      points: points, xLabel: "latency",
      yLabel: "accuracy (points of \(results.first?.setup.predictor.scale ?? "GLUE"))", formatX: { Humane.seconds($0) })
    return plot.text.isEmpty ? "" : plot.text + "        \(legend.joined(separator: "   "))\n"
  }
}
