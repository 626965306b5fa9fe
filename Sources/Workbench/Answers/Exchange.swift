import CoSearch
import Foundation

/// What accuracy costs along a front: where it bends, and what a little more of a cost buys.
struct Exchange: Sendable {
  /// A member of a front of accuracy against one cost.
  struct Step: Sendable, Hashable {
    /// Position in the whole front.
    var index: Int
    var cost: Double
    var accuracy: Double
  }

  let objective: Objective
  /// Rising in cost and in accuracy.
  let steps: [Step]

  /// - Parameters:
  ///   - objective: a cost.
  ///   - values: of the whole front, whose other objectives are left aside here.
  init(_ objective: Objective, _ values: [ObjectiveValues]) {
    self.objective = objective
    let all = values.enumerated().compactMap { index, values -> Step? in
      guard let cost = values[objective], let accuracy = values.accuracy, cost > 0 else { return nil }
      return Step(index: index, cost: cost, accuracy: accuracy)
    }
    var steps: [Step] = []
    for step in all.sorted(by: { ($0.cost, -$0.accuracy, $0.index) < ($1.cost, -$1.accuracy, $1.index) })
    where step.accuracy > steps.last?.accuracy ?? -.infinity {
      steps.append(step)
    }
    self.steps = steps
  }

  /// The knee: the member farthest above the straight line between the cheapest and the most accurate one, in accuracy over the logarithm
  /// of the cost (Das, "On characterizing the knee of the Pareto curve", Structural Optimization 18, 1999, in two dimensions). Nil where
  /// no member is above the line.
  var knee: Step? {
    guard let first = steps.first, let last = steps.last, steps.count > 2 else { return nil }
    let width = log(last.cost / first.cost)
    let height = last.accuracy - first.accuracy
    func rise(_ step: Step) -> Double {
      (step.accuracy - first.accuracy) / height - log(step.cost / first.cost) / width
    }
    guard let best = steps.dropFirst().dropLast().max(by: { rise($0) < rise($1) }), rise(best) > 1e-9 else {
      return nil
    }
    return best
  }

  /// The most accurate within a cost.
  func best(within cost: Double) -> Step? { steps.last { $0.cost <= cost } }

  /// Points of accuracy that `factor` times a cost buys over the cost; nil where nothing is within it.
  func gain(at cost: Double, factor: Double) -> Double? {
    guard let now = best(within: cost), let then = best(within: cost * factor) else { return nil }
    return then.accuracy - now.accuracy
  }

  /// Costs at which people look: the knee, and a quarter, a half and three quarters of the way, by the logarithm, up to it and beyond.
  var places: [Double] {
    guard let first = steps.first, let last = steps.last, steps.count > 2 else { return [] }
    let way = log(last.cost / first.cost)
    return ([0.25, 0.5, 0.75].map { first.cost * exp(way * $0) } + [knee?.cost].compactMap(\.self)).sorted()
  }
}

/// All trade-offs of a front.
struct Exchanges: Sendable {
  let all: [Exchange]
  static let factor = 1.1

  init(objectives: [Objective], _ values: [ObjectiveValues]) {
    guard objectives.contains(.accuracy) else {
      all = []
      return
    }
    all = objectives.filter { $0 != .accuracy }.map { Exchange($0, values) }.filter { $0.steps.count > 2 }
  }

  /// Positions in the front of the knees, with the cost whose knee each is.
  var knees: [(objective: Objective, step: Exchange.Step)] {
    all.compactMap { exchange in exchange.knee.map { (exchange.objective, $0) } }
  }

  /// One line a cost: `10 % more latency buys 1.2 points at 20.0 ms, 0.4 points at 80.0 ms (the knee), …`.
  var text: String {
    all.map { exchange in
      let knee = exchange.knee?.cost
      let parts = exchange.places.compactMap { cost in
        exchange.gain(at: cost, factor: Self.factor).map {
          "\(Humane.digits($0)) points at \(exchange.objective.shown(cost))" + (cost == knee ? " (the knee)" : "")
        }
      }
      return "10 % more \(exchange.objective.title) buys \(parts.joined(separator: ", ")).\n"
    }.joined()
  }

  var records: [Record] {
    all.flatMap { exchange in
      exchange.places.map { cost in
        var record = Record()
        record.add("objective", .text(exchange.objective.rawValue))
        record.add("at", .number(cost))
        record.add("factor", .number(Self.factor))
        record.add("accuracy_gain", FieldValue(exchange.gain(at: cost, factor: Self.factor)))
        record.add("knee", .flag(cost == exchange.knee?.cost))
        return record
      }
    }
  }
}
