import CoSearch
import Foundation

/// What each budget costs: the accuracy that is within reach with it a tenth wider or narrower, all others as they are.
///
/// Each is a search of its own. What keeps a narrower budget keeps the wider one too, so a wider one is never said to be worth less.
struct BudgetPrices: Sendable {
  struct Price: Sendable, Hashable {
    var budget: Budget
    var limit: Double
    /// Most accuracy with the limit divided by ``factor``, as it is, and multiplied; nil where nothing is feasible.
    var narrower: Double?
    var asItIs: Double?
    var wider: Double?
  }

  let prices: [Price]
  static let factor = 1.1
  static let evaluations = 40_000

  /// - Parameter known: accuracy that a feasible member of the front has.
  init(_ setup: SearchSetup, known: Double?, seed: UInt64, threads: Int) async throws {
    let budgets = Budget.allCases.filter { $0 != .accuracy && setup.problem.budgets[$0] != nil }
    let base = Self.most(known, try await Self.best(setup, scaling: nil, seed: seed, threads: threads))
    var prices: [Price] = []
    for budget in budgets {
      guard let limit = setup.problem.budgets[budget] else { continue }
      let narrower = try await Self.best(setup, scaling: (budget, 1 / Self.factor), seed: seed, threads: threads)
      let wider = try await Self.best(setup, scaling: (budget, Self.factor), seed: seed, threads: threads)
      prices.append(
        Price(
          budget: budget, limit: limit, narrower: narrower, asItIs: Self.most(base, narrower),
          wider: Self.most(Self.most(base, narrower), wider)))
    }
    // A search may find more with one budget narrower than the plain one found: then so could the plain one.
    let all = prices.compactMap(\.asItIs).max()
    self.prices = prices.map { price in
      var price = price
      price.asItIs = Self.most(price.asItIs, all)
      price.wider = Self.most(price.wider, all)
      return price
    }
  }

  private static func most(_ a: Double?, _ b: Double?) -> Double? { [a, b].compactMap(\.self).max() }

  private static func best(
    _ setup: SearchSetup, scaling: (budget: Budget, factor: Double)?, seed: UInt64, threads: Int
  ) async throws -> Double? {
    var problem = setup.problem
    if let scaling { problem.budgets.scale(scaling.budget, by: scaling.factor) }
    problem.objectives = [.accuracy, .latency]
    problem.referencePoint = ObjectiveValues()
    problem.scalar = nil
    let result = try await Explorer(setup.asking(problem).evaluator).explore(
      .evaluations(evaluations), seed: seed, threads: threads)
    return result.front.compactMap(\.assessment.values.accuracy).max()
  }

  var text: String {
    guard !prices.isEmpty else { return "" }
    var table = TextTable([
      .init("budget"), .init("limit", right: true), .init("10 % less", right: true), .init("as it is", right: true),
      .init("10 % more", right: true), .init("10 % more buys", right: true),
    ])
    for price in prices {
      let gain = price.asItIs.flatMap { now in price.wider.map { $0 - now } }
      func shown(_ value: Double?) -> String { value.map(Humane.digits) ?? "nothing" }
      table.add([
        price.budget.rawValue, Humane.plain(price.limit), shown(price.narrower), shown(price.asItIs),
        shown(price.wider),
        gain.map { $0 < 0.005 ? "nothing: it does not bind" : "\(Humane.digits($0)) points" } ?? "–",
      ])
    }
    return "What each budget costs: the most accuracy within all of them\n" + table.text
  }

  var records: [Record] {
    prices.map { price in
      var record = Record()
      record.add("budget", .text(price.budget.rawValue))
      record.add("limit", .number(price.limit))
      record.add("factor", .number(Self.factor))
      record.add("accuracy_narrower", FieldValue(price.narrower))
      record.add("accuracy", FieldValue(price.asItIs))
      record.add("accuracy_wider", FieldValue(price.wider))
      return record
    }
  }
}

extension Budgets {
  mutating func scale(_ budget: Budget, by factor: Double) {
    switch budget {
    case .latency: maxLatencySeconds? *= factor
    case .energy: maxEnergyJoules? *= factor
    case .power: maxPowerWatts? *= factor
    case .parameters: maxParameters? *= factor
    case .memory: maxMemoryBytes? *= factor
    case .accuracy: minAccuracy? *= factor
    case .deviceMemory: break
    }
  }
}
