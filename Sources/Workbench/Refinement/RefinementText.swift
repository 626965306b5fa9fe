import Architectures
import Foundation
import GrowAndPrune

/// A refinement for people.
public struct RefinementText {
  private let outcome: RefinementOutcome
  private let scoreName: String?

  /// - Parameter scoreName: what the task's score is called; nil where it has none.
  package init(_ outcome: RefinementOutcome, scoreName: String?) {
    self.outcome = outcome
    self.scoreName = scoreName
  }

  /// The tree, a line a node, then the selected model beside its root.
  package var text: String {
    var table = TextTable([
      .init("node"), .init("change"), .init("loss", right: true), .init(scoreName ?? "score", right: true),
      .init("inherited", right: true), .init("parameters", right: true), .init("latency", right: true),
      .init("energy", right: true), .init("peak power", right: true), .init("memory", right: true), .init("note"),
    ])
    for (prefix, node) in RefinementTree(nodes: outcome.nodes, selected: outcome.best).lines {
      let costs = node.costs
      table.add([
        "\(prefix)\(node.number) \(node.mode.rawValue)", node.change, Self.digits(node.loss), Self.digits(node.score),
        node.transferredShare.map { Humane.percent($0) } ?? "", Humane.count(costs.map { Double($0.parameters) }),
        Humane.seconds(costs?.latencySeconds), Humane.joules(costs?.energyJoules),
        Humane.watts(costs?.peakPowerWatts), Humane.bytes(costs?.memoryBytes), note(node),
      ])
    }
    return table.text + summary
  }

  /// The rows of `tree.jsonl` as records.
  package static func records(_ outcome: RefinementOutcome) throws -> [Record] {
    try outcome.nodes.map { node in
      let line = node.row(isSelected: node.number == outcome.best)
      let value = FieldValue(try JSONParser.document([UInt8](line.utf8), source: "tree.jsonl"))
      guard case .object(let record) = value else { return Record() }
      return record
    }
  }

  private func note(_ node: RefinementNode) -> String {
    if node.number == outcome.best { return "selected" }
    return node.isAdmissible ? "" : "above the budget"
  }

  private static func digits(_ value: Double?) -> String {
    value.map { $0.isFinite ? String(format: "%.4f", $0) : "diverged" } ?? ""
  }

  private var summary: String {
    guard let root = outcome.nodes.first, outcome.nodes.indices.contains(outcome.best) else { return "" }
    let best = outcome.nodes[outcome.best]
    guard best.number != root.number else { return "\nSelected: the root itself.\n" }
    var parts: [String] = []
    func change(_ name: String, _ before: Double?, _ after: Double?) {
      guard let before, let after, after > 0 else { return }
      let factor = before / after
      parts.append(
        factor >= 1
          ? String(format: "%.2f× lower %@", factor, name) : String(format: "%.2f× higher %@", 1 / factor, name))
    }
    change("latency", root.costs?.latencySeconds, best.costs?.latencySeconds)
    change("energy", root.costs?.energyJoules, best.costs?.energyJoules)
    change("memory", root.costs?.memoryBytes, best.costs?.memoryBytes)
    if let before = root.score, let after = best.score {
      parts.append(String(format: "%@ %+.4f", scoreName ?? "score", after - before))
    }
    if let before = root.loss, let after = best.loss { parts.append(String(format: "loss %+.4f", after - before)) }
    return "\nSelected: node \(best.number); against its root, as predicted and on the rows that it was chosen by: "
      + parts.joined(separator: ", ") + ".\n"
  }
}

/// How far a refinement is, on one line.
package struct RefinementProgress {
  private var node = -1
  private var start = ContinuousClock.now
  private var first = 0

  package init() {}

  /// The line for an event; nil where there is nothing to show on it.
  package mutating func line(_ event: RefinementEvent) -> String? {
    switch event {
    case .scoring: return "finding out what matters least"
    case .finished, .note: return nil
    case .training(let node, let step, let steps):
      if self.node != node.number {
        (self.node, start, first) = (node.number, .now, step)
      }
      var text = "node \(node.number) \(node.mode.rawValue): step \(step) of \(steps)"
      let seconds = start.duration(to: .now) / .seconds(1)
      if step > first, seconds > 0.5 {
        let rate = Double(step - first) / seconds
        text += String(format: ", %.2f steps/s, ", rate) + "\(Humane.seconds(Double(steps - step) / rate)) left"
      }
      return text
    }
  }

  /// What is said of a finished node, on a line of its own.
  package static func report(_ node: RefinementNode, scoreName: String?) -> String {
    var text = "node \(node.number) \(node.mode.rawValue)"
    if !node.change.isEmpty { text += " (\(node.change))" }
    var parts: [String] = []
    if let loss = node.loss { parts.append(loss.isFinite ? String(format: "loss %.4f", loss) : "diverged") }
    if let score = node.score { parts.append(String(format: "%@ %.4f", scoreName ?? "score", score)) }
    if let seconds = node.costs?.latencySeconds { parts.append(Humane.seconds(seconds)) }
    if !node.isAdmissible { parts.append("above the budget") }
    return "\(text): \(parts.joined(separator: ", "))"
  }
}
