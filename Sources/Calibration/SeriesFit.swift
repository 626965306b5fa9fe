import Foundation
import Numerics
import Twins

/// The model of one measure of one series: linear forms averaged in log, a smooth residual, and a level for each regime.
struct SeriesFit: Sendable {
  let sets: [FeatureSet]
  /// Coefficients per set that was used, in the sets' scaled columns.
  private(set) var forms: [(set: Int, fit: FormFit)] = []
  private(set) var process: ResidualProcess?
  private(set) var summaryBounds: (lower: [Double], upper: [Double]) = ([], [])
  /// Center of the log residuals.
  private(set) var center = 0.0
  /// Regime of each training row, in the rows' order, and the level of each regime.
  private(set) var segments: [Int] = []
  private(set) var levels: [Double] = [0]
  /// What to predict for a device in an unknown state.
  private(set) var typicalLevel = 0.0
  /// Scatter inside a regime, on the log scale.
  private(set) var scatter = 0.0
  /// Log residuals of the training rows, less their regime's level.
  private(set) var residuals: [Double] = []
  private(set) var isOutlier: [Bool] = []
  private(set) var tau = 0.2
  private let orders: [Int]

  static let summaries: [Summary] = [.logPrediction, .logParameterBytes, .logHeads, .convolutionShare]
  static let summaryScales = [0.55, 0.6, 0.75, 0.13]
  private static let taus = [0.08, 0.2, 0.5]
  private static let iterations = 3
  private static let clip = Double(ProcessInfo.processInfo.environment["CL"] ?? "3") ?? 0.3
  private static let minimumProcessRows = 4

  /// - Parameters:
  ///   - values: positive.
  ///   - orders: position of each row in the series.
  init(table: FeatureTable, values: [Double], orders: [Int]) throws {
    sets = table.sets
    self.orders = orders
    let n = values.count
    let logs = values.map { log($0) }
    let byOrder = orders.indices.sorted { (orders[$0], $0) < (orders[$1], $1) }
    tau = try Self.chooseTau(table: table, values: values)
    var regime = [Double](repeating: 0, count: n)
    var smooth = [Double](repeating: 0, count: n)
    segments = [Int](repeating: 0, count: n)
    let ones = [Double](repeating: 1, count: n)
    for iteration in 0..<Self.iterations {
      let leveled = zip(values, regime).map { $0 / exp($1) }
      forms = try Self.fitForms(table: table, values: leveled, weights: ones, tau: tau, iterations: 15)
      let base = logBase(table)
      let residual = zip(logs, base).map { $0 - $1 }
      let unexplained = (0..<n).map { residual[$0] - smooth[$0] - center }
      let weights = detectRegimes(unexplained, regime: regime, byOrder: byOrder, isFirst: iteration == 0)
      let medians = regimeMedians(unexplained, weights: weights)
      let deviations = (0..<n).map { unexplained[$0] - medians[segments[$0]] }
      let sigma = max(Self.deviation(deviations), 0.01)
      let clipped = (0..<n).map { row in
        smooth[row] + medians[segments[row]] + min(max(deviations[row], -Self.clip * sigma), Self.clip * sigma)
      }
      let z = Self.scaledSummaries(table.features, base: base)
      summaryBounds = Self.bounds(z)
      center = Statistics.weightedMedian(clipped, weights: weights)
      if n >= Self.minimumProcessRows {
        let fit = try ResidualProcess(z: z, target: clipped.map { $0 - center }, segments: segments)
        process = fit
        smooth = fit.fitted
      }
      let rest = (0..<n).map { residual[$0] - smooth[$0] - center }
      levels = regimeMedians(rest, weights: weights)
      regime = segments.map { levels[$0] }
      residuals = (0..<n).map { rest[$0] - regime[$0] }
      isOutlier = weights.map { $0 < 1 }
    }
    scatter = max(Self.deviation(residuals), 0.01)
    var counts = [Double](repeating: 0, count: levels.count)
    for segment in segments { counts[segment] += 1 / Double(n) }
    typicalLevel = RegimeDetection.typicalLevel(levels: levels, weights: counts, sigma: scatter)
  }

  /// 1.4826 times the median absolute deviation from the median.
  static func deviation(_ values: [Double]) -> Double {
    let median = Statistics.median(values)
    return 1.4826 * Statistics.median(values.map { abs($0 - median) })
  }

  // MARK: Prediction

  /// Predicted logarithms for rows in an unknown state, or in the regime nearest to each given position.
  func logPredictions(_ table: FeatureTable, orders positions: [Int]? = nil) -> [Double] {
    let base = logBase(table)
    let z = Self.scaledSummaries(table.features, base: base)
    return base.indices.map { row in
      var value = base[row] + center
      if let process { value += process.value(at: clippedSummaries(z[row])) }
      return value + (positions.map { level(at: $0[row]) } ?? typicalLevel)
    }
  }

  /// Level of the regime whose nearest row is nearest to `position`.
  func level(at position: Int) -> Double {
    let nearest = orders.indices.min { (abs(orders[$0] - position), $0) < (abs(orders[$1] - position), $1) }
    return nearest.map { levels[segments[$0]] } ?? typicalLevel
  }

  func clippedSummaries(_ z: [Double]) -> [Double] {
    z.indices.map { min(max(z[$0], summaryBounds.lower[$0]), summaryBounds.upper[$0]) }
  }

  func logBase(_ table: FeatureTable) -> [Double] {
    var sum = [Double](repeating: 0, count: table.count)
    for form in forms {
      let costs = table.designs[form.set] * form.fit.coefficients
      for row in sum.indices { sum[row] += log(max(costs[row], MeasureFloor.value)) }
    }
    return sum.map { $0 / Double(forms.count) }
  }

  static func scaledSummaries(_ features: [FeatureVector], base: [Double]) -> [[Double]] {
    zip(features, base).map { vector, logPrediction in
      zip(summaries, summaryScales).map { vector.summary($0, logPrediction: logPrediction) / $1 }
    }
  }

  private static func bounds(_ z: [[Double]]) -> (lower: [Double], upper: [Double]) {
    guard let first = z.first else { return ([], []) }
    return (
      first.indices.map { k in z.reduce(first[k]) { min($0, $1[k]) } },
      first.indices.map { k in z.reduce(first[k]) { max($0, $1[k]) } }
    )
  }

  // MARK: Steps

  private static func fitForms(
    table: FeatureTable, values: [Double], weights: [Double], tau: Double, iterations: Int
  ) throws -> [(set: Int, fit: FormFit)] {
    try table.sets.indices.filter { table.count >= table.sets[$0].minimumRows }.map { index in
      (
        index,
        try FormFit(
          design: table.designs[index], set: table.sets[index], values: values, weights: weights,
          options: FormFit.Options(tau: tau, iterations: iterations))
      )
    }
  }

  /// The prior's width by inner cross-validation over at most six folds, scored by mean absolute log error with large errors capped.
  private static func chooseTau(table: FeatureTable, values: [Double]) throws -> Double {
    let n = values.count
    guard n >= 8 else { return 0.2 }
    let folds = min(n, 6)
    let fold = (0..<n).map { $0 * 7 % folds }
    var errors: [[Double]] = []
    for tau in taus {
      var error = [Double](repeating: 0, count: n)
      for held in 0..<folds {
        let train = (0..<n).filter { fold[$0] != held }
        let test = (0..<n).filter { fold[$0] == held }
        let subtable = table.selecting(train)
        // The outer table decides which sets have enough rows, so that every fold fits the same ones.
        var fits: [(set: Int, fit: FormFit)] = []
        for index in table.sets.indices where n >= table.sets[index].minimumRows {
          let fit = try FormFit(
            design: subtable.designs[index], set: table.sets[index], values: train.map { values[$0] },
            weights: [Double](repeating: 1, count: train.count), options: .init(tau: tau, iterations: 6))
          fits.append((index, fit))
        }
        for row in test {
          var sum = 0.0
          for (index, fit) in fits {
            let cost = zip(table.designs[index].row(row), fit.coefficients).reduce(0) { $0 + $1.0 * $1.1 }
            sum += log(max(cost, MeasureFloor.value))
          }
          error[row] = abs(sum / Double(fits.count) - log(values[row]))
        }
      }
      errors.append(error)
    }
    let cap = 3 * (errors.map { Statistics.median($0) }.max() ?? 0)
    let scores = errors.map { $0.reduce(0) { $0 + min($1, cap) } }
    return scores.indices.min { scores[$0] < scores[$1] }.map { taus[$0] } ?? 0.2
  }

  /// Updates ``segments`` from what is unexplained; returns the rows' weights, low for outliers.
  private mutating func detectRegimes(
    _ unexplained: [Double], regime: [Double], byOrder: [Int], isFirst: Bool
  ) -> [Double] {
    let n = unexplained.count
    let deviations = (0..<n).map { unexplained[$0] - regime[$0] }
    let ordered = byOrder.map { unexplained[$0] }
    // Differences of neighbours are free of regimes; deviations are free of trends inside one.
    let stepScale =
      n > 8 ? Self.deviation((1..<n).map { ordered[$0] - ordered[$0 - 1] }) / 2.squareRoot() : .infinity
    let sigma = max(min(Self.deviation(deviations), stepScale), 0.01)
    let middle = Statistics.median(deviations)
    let limit = max(6 * sigma, 0.3)
    let weights = deviations.map { abs($0 - middle) > limit ? 0.05 : 1 }
    guard n >= RegimeDetection.minimumRows else { return weights }
    let centers: [Double]
    if isFirst {
      let running = RegimeDetection.runningMedian(ordered, isOutlier: byOrder.map { weights[$0] < 1 })
      var unordered = [Double](repeating: 0, count: n)
      for (position, row) in byOrder.enumerated() { unordered[row] = running[position] }
      centers = unordered
    } else {
      centers = regime.map { $0 + middle }
    }
    let clipped = (0..<n).map { row in
      centers[row] + min(max(unexplained[row] - centers[row], -Self.clip * sigma), Self.clip * sigma)
    }
    let split = RegimeDetection.segments(
      values: byOrder.map { clipped[$0] }, weights: byOrder.map { weights[$0] }, sigma: sigma)
    for (position, row) in byOrder.enumerated() { segments[row] = split[position] }
    return weights
  }

  private func regimeMedians(_ values: [Double], weights: [Double]) -> [Double] {
    (0...(segments.max() ?? 0)).map { regime in
      let rows = segments.indices.filter { segments[$0] == regime }
      return Statistics.weightedMedian(rows.map { values[$0] }, weights: rows.map { weights[$0] })
    }
  }
}
