import Foundation
import Numerics
import Twins

/// A roofline fitted to a series: rates of four groups of kernels, bandwidth, launch, start-up, load and paging, all at once by Levenberg and
/// Marquardt's method on their logarithms.
///
/// Minimises `Σ ρ((ln predicted − ln measured)/s) + Σ ((θ − θ₀)/σ)²`, ρ Huber's, θ₀ the datasheet's values brought to the rows' median, s
/// the scatter of a first pass.
struct RooflineFit: Sendable {
  /// Logarithms: rates of the groups, bandwidth, launch, constant, per byte of parameters, and per byte beyond the knee where there is one.
  let parameters: [Double]
  let knee: Double?

  private static let groups = Roofline.Group.allCases.count
  private static let deviations = [0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 1.0, 1.0, 2.0]
  private static let firstScale = 0.1
  private static let leastScale = 0.03
  private static let huber = 1.5

  var roofline: Roofline {
    let p = parameters.map { exp($0) }
    return Roofline(
      linearFLOPsPerSecond: p[0], attentionFLOPsPerSecond: p[1], operationFLOPsPerSecond: p[2],
      elementwiseFLOPsPerSecond: p[3], bytesPerSecond: p[4], launchSeconds: p[5])
  }
  var constantSeconds: Double { exp(parameters[6]) }
  var secondsPerParameterByte: Double { exp(parameters[7]) }
  var secondsPerPagedByte: Double { parameters.count > 8 ? exp(parameters[8]) : 0 }

  /// - Parameters:
  ///   - knee: bytes of parameters from which paging costs; nil where the device does not page.
  ///   - from: parameters to start from, of an earlier fit of about the same values.
  init(
    _ table: RooflineTable, values: [Double], knee: Double?, from earlier: RooflineFit? = nil
  ) throws {
    self.knee = knee
    let start = table.start
    let r = start.roofline
    var center = [
      r.linearFLOPsPerSecond, r.attentionFLOPsPerSecond, r.operationFLOPsPerSecond, r.elementwiseFLOPsPerSecond,
      r.bytesPerSecond, r.launchSeconds, start.constantSeconds, start.secondsPerParameterByte,
    ].map { log($0) }
    if knee != nil { center.append(log(start.secondsPerPagedByte)) }
    let problem = Problem(table: table, logs: values.map { log($0) }, knee: knee)
    let level = Statistics.median(problem.logErrors(center)) * -1
    for index in center.indices { center[index] += index < Self.groups + 1 ? -level : level }
    var solution = earlier?.parameters.count == center.count ? earlier?.parameters ?? center : center
    var scale = Self.firstScale
    for pass in 0..<2 {
      let current = scale
      let fit = try levenbergMarquardt(
        residualCount: values.count + center.count, initial: solution, tolerance: 1e-5, maximumIterations: 30,
        residuals: { problem.residuals($0, center: center, scale: current) },
        jacobian: { problem.jacobian($0, center: center, scale: current) })
      solution = fit.parameters
      if pass == 0 { scale = max(Self.leastScale, SeriesFit.deviation(problem.logErrors(solution))) }
    }
    parameters = solution
  }

  func costs(_ table: RooflineTable) -> [Double] {
    Problem(table: table, logs: [], knee: knee).costs(parameters).costs
  }

  private struct Problem {
    let table: RooflineTable
    let logs: [Double]
    let knee: Double?

    func bounded(_ p: [Double]) -> [Double] { p.map { exp(min(max($0, -60), 60)) } }

    /// Costs, and per part the seconds with their derivatives to the logarithms of rate and bandwidth.
    func costs(_ logarithms: [Double]) -> (
      costs: [Double], parts: [(seconds: Double, rate: Double, bandwidth: Double)], p: [Double]
    ) {
      let p = bounded(logarithms)
      let parts = table.parts.map { part -> (seconds: Double, rate: Double, bandwidth: Double) in
        let a = part.flops / p[part.group.rawValue]
        let b = part.bytes / p[groups]
        let (a4, b4) = (a * a * a * a, b * b * b * b)
        let seconds = (a4 + b4).squareRoot().squareRoot()
        let cube = max(seconds * seconds * seconds, 1e-300)
        return (seconds, -a4 / cube, -b4 / cube)
      }
      let costs = table.rows.indices.map { row -> Double in
        let row = table.rows[row]
        var sum = p[5] * row.calls + p[6] * row.constant + p[7] * row.bytes
        if let knee { sum += p[8] * max(0, row.parameterBytes - knee) }
        for (part, count) in row.parts { sum += count * parts[part].seconds }
        return sum
      }
      return (costs, parts, p)
    }

    func logErrors(_ logarithms: [Double]) -> [Double] {
      zip(costs(logarithms).costs, logs).map { log(max($0, MeasureFloor.value)) - $1 }
    }

    func residuals(_ logarithms: [Double], center: [Double], scale: Double) -> [Double] {
      logErrors(logarithms).map { error in
        let e = error / scale
        let k = huber
        return abs(e) <= k ? e : (e < 0 ? -1 : 1) * (2 * k * abs(e) - k * k).squareRoot()
      } + center.indices.map { (logarithms[$0] - center[$0]) / deviations[$0] }
    }

    func jacobian(_ logarithms: [Double], center: [Double], scale: Double) -> Matrix {
      let (costs, parts, p) = costs(logarithms)
      let count = center.count
      var matrix = Matrix(rows: costs.count + count, columns: count)
      var gradient = [Double](repeating: 0, count: count)
      for row in costs.indices {
        for index in gradient.indices { gradient[index] = 0 }
        gradient[5] = p[5] * table.rows[row].calls
        gradient[6] = p[6] * table.rows[row].constant
        gradient[7] = p[7] * table.rows[row].bytes
        if let knee { gradient[8] = p[8] * max(0, table.rows[row].parameterBytes - knee) }
        for (part, number) in table.rows[row].parts {
          gradient[table.parts[part].group.rawValue] += number * parts[part].rate
          gradient[groups] += number * parts[part].bandwidth
        }
        let cost = max(costs[row], MeasureFloor.value)
        let e = abs(log(cost) - logs[row]) / scale
        let bend = e <= huber ? 1 : huber / (2 * huber * e - huber * huber).squareRoot()
        for index in gradient.indices { matrix[row, index] = gradient[index] / cost / scale * bend }
      }
      for index in center.indices { matrix[costs.count + index, index] = 1 / deviations[index] }
      return matrix
    }
  }
}

/// Whether a roofline predicts rows that were held out better than the coarsest linear form in its place.
enum RooflineChoice {
  static let minimumRows = 24
  private static let folds = 5
  /// Standard errors by which it must be better.
  private static let errors = 2.0

  /// By inner cross-validation: the mean drop of the capped absolute log error must exceed twice its standard error.
  static func isEarned(table: FeatureTable, values: [Double], knee: Double?) throws -> Bool {
    let n = values.count
    let sets = table.usableSets
    guard let roofline = table.roofline, n >= minimumRows, sets.count > 1 else { return false }
    let fold = (0..<n).map { $0 * 7 % folds }
    var linear = [Double](repeating: 0, count: n)
    var other = linear
    for held in 0..<folds {
      let train = (0..<n).filter { fold[$0] != held }
      let test = (0..<n).filter { fold[$0] == held }
      let subtable = table.selecting(train)
      let trained = train.map { values[$0] }
      let ones = [Double](repeating: 1, count: train.count)
      let fits = try sets.map { index in
        try FormFit(
          design: subtable.designs[index], set: table.sets[index], values: trained, weights: ones,
          options: .init(iterations: 6))
      }
      let nonlinear = try RooflineFit(
        roofline.selecting(train), values: trained, knee: knee)
      let costs = nonlinear.costs(roofline.selecting(test))
      for (position, row) in test.enumerated() {
        let logs = zip(sets, fits).map { index, fit in
          log(
            max(
              zip(table.designs[index].row(row), fit.coefficients).reduce(0) { $0 + $1.0 * $1.1 }, MeasureFloor.value))
        }
        let mean = logs.reduce(0, +) / Double(logs.count)
        linear[row] = abs(mean - log(values[row]))
        other[row] = abs(
          mean + (log(max(costs[position], MeasureFloor.value)) - logs[0]) / Double(logs.count) - log(values[row]))
      }
    }
    let cap = 3 * max(Statistics.median(linear), Statistics.median(other))
    let drops = zip(linear, other).map { min($0, cap) - min($1, cap) }
    let error = Statistics.standardDeviation(drops) / Double(n).squareRoot()
    return Statistics.mean(drops) > Self.errors * error
  }
}
