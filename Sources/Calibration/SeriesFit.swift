import Foundation
import Numerics
import Twins

/// The model of one quantity of one series: a physical basis, a smooth residual on the log scale, and a level for each regime.
///
/// The three are fitted in turn, three times over: regimes are found in what basis and residual leave, the basis is fitted to values freed
/// of the regimes' levels.
struct SeriesFit: Sendable {
  /// What kind of basis, and which summaries the residual sees.
  struct Design: Sendable {
    enum Kind: Sendable { case forms, constant, saturation }

    var kind: Kind
    var summaries: [(summary: Summary, scale: Double)]
    var detectsRegimes = true
    var usesProcess = true

    /// Latency, energy and mean power.
    static let cost = Design(kind: .forms, summaries: costSummaries)
    static let power = Design(kind: .constant, summaries: costSummaries)
    static let costSummaries: [(Summary, Double)] = [
      (.logParameterBytes, 0.6), (.logHeads, 0.75), (.convolutionShare, 0.13),
    ]
    /// Time and arithmetic together are the rate at which the device works.
    static let peakSummaries: [(Summary, Double)] = [
      (.logSeconds, 0.55), (.logParameterBytes, 0.6), (.logHeads, 0.75), (.logProductFLOPs, 0.8),
    ]
  }

  let design: Design
  private(set) var basis: FitBasis = .constant(log: 0)
  private(set) var process: ResidualProcess?
  /// Range of each scaled summary over the training rows.
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
  /// Widths of the prior and the weight of each, by inner cross-validation.
  private(set) var taus: [(tau: Double, weight: Double)] = []
  /// Bytes of parameters from which paging shows, by nonlinear fit; nil where the rows do not say.
  private(set) var knee: Double?
  /// Whether a roofline took the place of the coarsest linear form.
  private(set) var usesRoofline = false
  let orders: [Int]

  private static let iterations = 3
  private static let clip = 3.0
  private static let minimumProcessRows = 9

  /// - Parameters:
  ///   - values: positive.
  ///   - orders: position of each row in the series.
  ///   - logSeconds: logarithms of the predicted latency, for a saturation and for the summary of that name.
  init(design: Design = .cost, table: FeatureTable, values: [Double], orders: [Int], logSeconds: [Double] = []) throws {
    self.design = design
    self.orders = orders
    let n = values.count
    let logs = values.map { log($0) }
    let byOrder = orders.indices.sorted { (orders[$0], $0) < (orders[$1], $1) }
    if design.kind == .forms {
      taus = try PriorWidth.weighed(table: table, values: values)
      usesRoofline = try RooflineChoice.isEarned(table: table, values: values, knee: table.sets.first?.pagingOnset)
    }
    var regime = [Double](repeating: 0, count: n)
    var smooth = regime
    segments = [Int](repeating: 0, count: n)
    for iteration in 0..<Self.iterations {
      basis = try fitBasis(table, values: zip(values, regime).map { $0 / exp($1) }, logSeconds: logSeconds)
      if iteration == 0 {
        knee = PagingKnee.bytes(basis: basis, table: table, values: zip(values, regime).map { $0 / exp($1) })
      }
      let base = basis.logValues(table, logSeconds: logSeconds)
      let residual = zip(logs, base).map { $0 - $1 }
      let unexplained = (0..<n).map { residual[$0] - smooth[$0] - center }
      let weights = detectRegimes(unexplained, regime: regime, byOrder: byOrder, isFirst: iteration == 0)
      let medians = regimeMedians(unexplained, weights: weights)
      let deviations = (0..<n).map { unexplained[$0] - medians[segments[$0]] }
      let sigma = max(Self.deviation(deviations), 0.01)
      let clipped = (0..<n).map { row in
        smooth[row] + medians[segments[row]] + min(max(deviations[row], -Self.clip * sigma), Self.clip * sigma)
      }
      let z = scaledSummaries(table, logSeconds: logSeconds)
      summaryBounds = Self.bounds(z)
      center = Statistics.weightedMedian(clipped, weights: weights)
      if n >= Self.minimumProcessRows, design.usesProcess {
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
    typicalLevel = RegimeDetection.typicalLevel(levels: segments.map { levels[$0] }, sigma: scatter)
  }

  /// 1.4826 times the median absolute deviation from the median.
  static func deviation(_ values: [Double]) -> Double { 1.4826 * Statistics.medianAbsoluteDeviation(values) }

  // MARK: Prediction

  /// Predicted logarithms without the level of a regime.
  func logPredictions(_ table: FeatureTable, logSeconds: [Double] = []) -> [Double] {
    let base = basis.logValues(table, logSeconds: logSeconds)
    guard let process else { return base.map { $0 + center } }
    let z = scaledSummaries(table, logSeconds: logSeconds)
    return base.indices.map { row in
      base[row] + center + process.value(at: clippedSummaries(z[row]))
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

  func scaledSummaries(_ table: FeatureTable, logSeconds: [Double]) -> [[Double]] {
    table.features.enumerated().map { row, vector in
      design.summaries.map { summary, scale in
        vector.summary(summary, logSeconds: row < logSeconds.count ? logSeconds[row] : 0) / scale
      }
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

  private func fitBasis(_ table: FeatureTable, values: [Double], logSeconds: [Double]) throws -> FitBasis {
    let ones = [Double](repeating: 1, count: values.count)
    switch design.kind {
    case .forms:
      return .forms(
        try table.usableSets.enumerated().map { position, index in
          if position == 0, usesRoofline, let roofline = table.roofline {
            return .roofline(
              try RooflineFit(
                roofline, values: values, knee: knee ?? table.sets[index].pagingOnset, from: basis.roofline))
          }
          var (set, matrix) = (table.sets[index], table.designs[index])
          let shift = knee.flatMap { knee in table.sets[0].pagingOnset.map { knee / $0 } }
          if let shift {
            set = set.movingPaging(by: shift)
            matrix = FeatureTable.design(of: set, features: table.features)
          }
          let fits = try taus.map { tau, weight in
            let fit = try FormFit(
              design: matrix, set: set, values: values, weights: ones, options: FormFit.Options(tau: tau))
            return (fit: fit, weight: weight)
          }
          let fit = FormFit(averaging: fits)
          return shift == nil ? .linear(set: index, fit: fit) : .moved(set, fit: fit)
        })
    case .constant: return .constant(log: Statistics.median(values.map { log($0) }))
    case .saturation:
      return .saturation(try SaturationFit(seconds: logSeconds.map { exp($0) }, values: values, weights: ones))
    }
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
    let weights = deviations.map { abs($0 - middle) > limit ? RegimeDetection.outlierWeight : 1 }
    guard n >= RegimeDetection.minimumRows, design.detectsRegimes else { return weights }
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
      values: byOrder.map { clipped[$0] }, weights: byOrder.map { weights[$0] }, sigma: sigma,
      orders: byOrder.map { orders[$0] })
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
