import CoSearch
import Foundation

/// What a search found, for people.
public enum ExplorationText {
  /// Finalists, the front as a plot, how its hypervolume grew, and what must be said of the figures.
  public static func table(_ result: Exploration, finalists: [Candidate], setup: SearchSetup) -> String {
    guard !result.front.isEmpty || result.bestByScalar != nil else { return effort(result) + "\n" }
    var text = "Finalists:\n" + setup.table(finalists, notes: finalists.map { note($0, result) })
    let shown = result.front.isEmpty ? finalists : result.front
    text += "\n" + setup.plot(shown) + "\n"
    var table = TextTable([
      .init("candidates", right: true), .init("time", right: true), .init("front", right: true),
      .init("hypervolume", right: true),
    ])
    for point in thinned(result.trace, to: 8) {
      table.add([
        Humane.count(Double(point.evaluations)), Humane.seconds(point.seconds), "\(point.frontCount)",
        String(format: "%.5f", point.hypervolume),
      ])
    }
    text += table.text + "\n" + effort(result) + "\n"
    text += Exchanges(objectives: result.box.objectives, result.front.map(\.assessment.values)).text
    for caption in setup.captions(shown.map(\.deviceIndex)) { text += caption + "\n" }
    return text
  }

  /// One line: how much was looked at, and what came of it.
  public static func effort(_ result: Exploration) -> String {
    "\(Humane.count(Double(result.evaluations))) candidates in \(Humane.seconds(result.seconds)): a front of"
      + " \(result.front.count) that dominates \(String(format: "%.5f", result.hypervolume)) of the box between the ideal"
      + " and the reference (\(result.box.objectives.map(\.rawValue).joined(separator: ", ")))."
  }

  /// The trace as JSON Lines.
  public static func trace(_ result: Exploration) -> String {
    result.trace.map { point in
      var record = Record()
      record.add("evaluations", .whole(point.evaluations))
      record.add("seconds", .number(point.seconds))
      record.add("front", .whole(point.frontCount))
      record.add("hypervolume", .number(point.hypervolume))
      return record.json + "\n"
    }.joined()
  }

  private static func note(_ candidate: Candidate, _ result: Exploration) -> String {
    var notes: [String] = []
    let exchanges = Exchanges(objectives: result.box.objectives, result.front.map(\.assessment.values))
    for knee in exchanges.knees where result.front[knee.step.index] == candidate {
      notes.append("knee of \(knee.objective.title)")
    }
    if candidate == result.bestByScalar { notes.append("best scalar") }
    for objective in result.box.objectives {
      let values = result.front.compactMap { $0.assessment.values[objective] }
      let best = objective.direction == .maximize ? values.max() : values.min()
      if best == candidate.assessment.values[objective] {
        notes.append(objective == .accuracy ? "most accurate" : "least \(objective.title)")
      }
    }
    return notes.joined(separator: ", ")
  }

  private static func thinned<Element>(_ items: [Element], to count: Int) -> [Element] {
    guard items.count > count, count > 1 else { return items }
    return (0..<count).map { items[$0 * (items.count - 1) / (count - 1)] }
  }
}
