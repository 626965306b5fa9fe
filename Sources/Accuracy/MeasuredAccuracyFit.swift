import Architectures
import Numerics

/// Learns a ``MeasuredCurve`` from accuracies at several fidelities, by autoregressive co-kriging (Kennedy and O'Hagan 2000, in the recursive form of
/// Le Gratiet and Garnier 2014) with linear kernels.
///
/// The value of architecture m at fidelity t is `y_t = ρ_t y_{t−1} + w_t·φ(m) + u_{t,m}`, with `w_t` and `u_{t,m}` normal and independent. ρ, the
/// variance of the weights and that of u are found fidelity by fidelity by maximum marginal likelihood; then all rows together give the
/// distribution of the highest fidelity's weights. So an architecture that was only judged early still counts, as far as ρ carries it.
/// What u leaves open is the variance of a new model. All variances are scaled so that held-out errors have the size they say.
struct MeasuredAccuracyFit {
  struct HeldOutError: Sendable, Hashable {
    var architecture: String
    /// Predicted without any of its rows less measured, points.
    var error: Double
  }

  let curve: MeasuredCurve
  let degreesOfFreedom: Double
  let errors: [HeldOutError]
  private static let count = MeasuredCurve.count
  /// Of the intercept of a fidelity, whose mean is taken out.
  private static let interceptVariance = 1.0
  /// The least exponent of size: more weights are never predicted worse. Where rows say so, size has next to no influence.
  static let leastSizeWeight = 0.01

  /// How a fidelity follows from the one before.
  private struct Step {
    var rho = 0.0
    var weightVariance = 1.0
    var deviation = 1.0
  }

  /// A row: an architecture at a fidelity, with its value less the fidelity's mean.
  private struct Row {
    var level: Int
    var architecture: Int
    var value: Double
  }

  init(_ table: FidelityTable) throws {
    let raw = table.architectures.map { MeasuredCurve.features(AccuracySummary($0)) }
    let scaling = Scaling(raw)
    let features = raw.map(scaling.scaled)
    // In the order of architectures, so that the sum is always the same.
    let means = table.values.map { values in Statistics.mean(values.keys.sorted().compactMap { values[$0] }) }
    let centred = zip(table.values, means).map { values, mean in values.mapValues { $0 - mean } }
    let steps = try centred.indices.map { level in
      try Self.step(centred[level], after: level > 0 ? centred[level - 1] : nil, features)
    }
    var rows: [Row] = []
    for (level, values) in centred.enumerated() {
      for (architecture, value) in values.sorted(by: { $0.key < $1.key }) {
        rows.append(Row(level: level, architecture: architecture, value: value))
      }
    }
    let top = centred.count - 1

    // How much of the part that is new at fidelity s is in fidelity t.
    let carried = steps.indices.map { t in
      (0...t).map { s in steps[(s + 1)..<(t + 1)].reduce(1.0) { $0 * $1.rho } }
    }
    func prior(_ level: Int, _ lane: Int) -> Double { lane == 0 ? Self.interceptVariance : steps[level].weightVariance }
    func covariance(_ a: Row, _ b: Row, _ product: Double) -> Double {
      let isSame = a.architecture == b.architecture
      var sum = 0.0
      for s in 0...min(a.level, b.level) {
        var own = Self.interceptVariance + steps[s].weightVariance * product
        if isSame { own += steps[s].deviation }
        sum += carried[a.level][s] * carried[b.level][s] * own
      }
      return sum
    }
    var gram = Matrix(rows: rows.count, columns: rows.count)
    for (i, a) in rows.enumerated() {
      for (j, b) in rows[...i].enumerated() {
        let product = (features[a.architecture] * features[b.architecture]).sum() - 1
        gram[i, j] = covariance(a, b, product)
        gram[j, i] = gram[i, j]
      }
      gram[i, i] += 1e-9
    }
    let factor = try Cholesky(of: gram)
    let inverse = factor.inverse()
    let solved = factor.solve(rows.map(\.value))

    // Covariance of the highest fidelity's weights with each row, and of them alone.
    var cross = Matrix(rows: rows.count, columns: Self.count)
    var before = [Double](repeating: 0, count: Self.count)
    for lane in 0..<Self.count {
      for s in 0...top {
        let factor = carried[top][s] * prior(s, lane)
        before[lane] += carried[top][s] * factor
        for (i, row) in rows.enumerated() where s <= row.level {
          cross[i, lane] += carried[row.level][s] * factor * features[row.architecture][lane]
        }
      }
    }
    let weights = cross.transposedTimes(solved)
    let explained = cross.transposed() * (inverse * cross)
    var posterior = Matrix(rows: Self.count, columns: Self.count)
    for i in 0..<Self.count {
      for j in 0..<Self.count { posterior[i, j] = (i == j ? before[i] : 0) - explained[i, j] }
    }
    let residual = zip(carried[top], steps).reduce(0.0) { sum, part in sum + part.0 * part.0 * part.1.deviation }

    let heldOut = try Self.heldOut(rows, inverse: inverse, solved: solved, top: top)
    let ratio = Statistics.mean(heldOut.map { $0.error * $0.error / $0.variance })
    let scale = min(max(ratio.isFinite ? ratio : 1, 0.5), 25)
    let known = before.indices.reduce(0.0) { sum, lane in sum + 1 - posterior[lane, lane] / before[lane] }
    degreesOfFreedom = max(Double(heldOut.count) - known, 3)
    errors = heldOut.map { out in
      let value = (centred[top][out.architecture] ?? 0) + means[top]
      return HeldOutError(
        architecture: table.architectures[out.architecture].id,
        error: 100 * (Elementary.logistic(value - out.error) - Elementary.logistic(value)))
    }
    curve = scaling.curve(weights, posterior, mean: means[top], residual: residual, scale: scale)
      .risingWithSize(atLeast: Self.leastSizeWeight)
  }

  // MARK: One fidelity

  /// Hyperparameters of one fidelity, given the one before: of `z = ρ·previous + intercept + w·φ + u` the variance of u and of the weights that
  /// make z most likely; ρ is then its mean. Without enough architectures in both, the fidelity stands alone.
  private static func step(
    _ values: [Int: Double], after previous: [Int: Double]?, _ features: [MeasuredCurve.Features]
  ) throws -> Step {
    let shared = values.keys.filter { previous?[$0] != nil }.sorted()
    let isLinked = shared.count >= FidelityTable.fewest
    let chosen = isLinked ? shared : values.keys.sorted()
    let z = chosen.map { values[$0] ?? 0 }
    let before = chosen.map { isLinked ? previous?[$0] ?? 0 : 0 }
    // As wide as makes no difference, in units of u's variance.
    let wide = 1e4
    var best: (likelihood: Double, step: Step) = (-.infinity, Step())
    for exponent in stride(from: -4.0, through: 4.0, by: 0.25) {
      let ratio = Elementary.exp(exponent * Elementary.log(10))
      var matrix = Matrix(rows: z.count, columns: z.count)
      for i in z.indices {
        for j in 0...i {
          let product = (features[chosen[i]] * features[chosen[j]]).sum() - 1
          matrix[i, j] = ratio * product + wide * (1 + before[i] * before[j]) + (i == j ? 1 : 0)
          matrix[j, i] = matrix[i, j]
        }
      }
      let factor = try Cholesky(of: matrix)
      let solved = factor.solve(z)
      let count = Double(z.count)
      let variance = max(zip(z, solved).reduce(0) { $0 + $1.0 * $1.1 } / count, 1e-8)
      let likelihood = -0.5 * (count * Elementary.log(variance) + factor.logDeterminant)
      guard likelihood > best.likelihood else { continue }
      let rho = wide * zip(before, solved).reduce(0) { $0 + $1.0 * $1.1 }
      best = (likelihood, Step(rho: rho, weightVariance: ratio * variance, deviation: variance))
    }
    return best.step
  }

  // MARK: Held out

  /// Errors at the highest fidelity of each architecture, predicted without any of its rows, and their variances, from the inverse of the
  /// whole (Rasmussen and Williams 2006, section 5.4.2, for blocks).
  private static func heldOut(
    _ rows: [Row], inverse: Matrix, solved: [Double], top: Int
  ) throws -> [(architecture: Int, error: Double, variance: Double)] {
    let blocks = Dictionary(grouping: rows.indices) { rows[$0].architecture }
    return try blocks.keys.sorted().compactMap { architecture in
      let block = blocks[architecture] ?? []
      guard let place = block.firstIndex(where: { rows[$0].level == top }) else { return nil }
      let part = try Matrix(rows: block.map { i in block.map { j in inverse[i, j] } })
      let factor = try Cholesky(of: part)
      let errors = factor.solve(block.map { solved[$0] })
      return (architecture, errors[place], factor.inverse()[place, place])
    }
  }
}

/// Features brought to mean 0 and deviation 1, but for the constant.
private struct Scaling {
  private var means = MeasuredCurve.Features(repeating: 0)
  private var deviations = MeasuredCurve.Features(repeating: 1)

  init(_ features: [MeasuredCurve.Features]) {
    for lane in 1..<MeasuredCurve.count {
      let values = features.map { $0[lane] }
      means[lane] = Statistics.mean(values)
      let deviation = Statistics.standardDeviation(values)
      // What never varies stays in its own unit, and unknown.
      if deviation > 1e-9 { deviations[lane] = deviation }
    }
  }

  func scaled(_ features: MeasuredCurve.Features) -> MeasuredCurve.Features { (features - means) / deviations }

  /// The curve of weights and their covariance that are of scaled features.
  func curve(
    _ weights: [Double], _ covariance: Matrix, mean: Double, residual: Double, scale: Double
  ) -> MeasuredCurve {
    let count = MeasuredCurve.count
    var map = Matrix.identity(count)
    for lane in 1..<count {
      map[lane, lane] = 1 / deviations[lane]
      map[0, lane] = -means[lane] / deviations[lane]
    }
    var own = map * weights
    own[0] += mean
    var spread = map * covariance * map.transposed()
    for i in 0..<count {
      for j in 0..<count { spread[i, j] *= scale }
    }
    var curve = MeasuredCurve()
    for lane in 0..<count { curve.weights[lane] = own[lane] }
    curve.covariance = MeasuredCurve.Covariance(spread)
    curve.residual = residual * scale
    return curve
  }
}

extension MeasuredCurve {
  /// The curve given that the weight of size is so much, where it was less: the normal distribution's mean on that condition.
  func risingWithSize(atLeast least: Double) -> MeasuredCurve {
    guard weights[Lane.size] < least else { return self }
    var unit = Features(repeating: 0)
    unit[Lane.size] = 1
    let gain = covariance.times(unit)
    var curve = self
    let variance = gain[Lane.size]
    let missing = least - weights[Lane.size]
    if variance > 0 { curve.weights += (missing / variance) * gain }
    curve.weights[Lane.size] = least
    return curve
  }
}
