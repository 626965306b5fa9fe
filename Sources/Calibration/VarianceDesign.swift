import Numerics

/// Chooses rows of a linear model that lower its mean prediction variance most: Bayesian I-optimality (Chaloner and Verdinelli, "Bayesian
/// experimental design: a review", 1995), greedily and then by exchange (Fedorov 1972).
///
/// With rows `a` of relative features, prior precision λI and measured rows of weight w, the coefficients' covariance is
/// `C = (λI + Σ w a aᵀ)⁻¹`, the mean prediction variance over a population `tr(M C)` with `M = mean a aᵀ`, and a further row lowers it by
/// `aᵀ C M C a / (1 + aᵀ C a)`.
struct VarianceDesign {
  let rows: Matrix
  /// `M` of the population.
  let moment: Matrix
  /// Precision of what is known: the prior and the measured rows.
  private(set) var precision: Matrix

  private static let maximumPasses = 10
  private static let leastImprovement = 1e-7

  /// - Parameters:
  ///   - population: rows that predictions are wanted for.
  ///   - measured: rows that are known, and what a row counts for.
  init(rows: Matrix, population: [Int], measured: [(row: Int, weight: Double)], priorPrecision: Double) {
    self.rows = rows
    var moment = rows.selectingRows(population).gram()
    for i in 0..<rows.columnCount {
      for j in 0..<rows.columnCount { moment[i, j] /= Double(max(population.count, 1)) }
    }
    self.moment = moment
    var precision = Matrix(rows: rows.columnCount, columns: rows.columnCount)
    for i in 0..<rows.columnCount { precision[i, i] = priorPrecision }
    self.precision = precision
    for (row, weight) in measured { add(row, weight: weight) }
  }

  /// What a chosen row brings.
  struct Choice {
    var row: Int
    /// Drop of the mean prediction variance.
    var drop: Double
    /// Parts of the drop that each column's coefficient accounts for; they sum to it.
    var parts: [Double]
  }

  /// - Parameter free: rows to choose from; where two are worth the same, the earlier one is taken.
  /// - Returns: at most `count` rows, the most worth first.
  func choose(_ count: Int, from free: [Int]) throws(NumericsError) -> [Choice] {
    var state = self
    var free = free
    var chosen: [Int] = []
    while chosen.count < count, !free.isEmpty {
      let best = try Gain(state).best(of: free, in: rows)
      let row = free.remove(at: best.position)
      chosen.append(row)
      state.add(row, weight: 1)
    }
    for _ in 0..<Self.maximumPasses {
      var isChanged = false
      for position in chosen.indices {
        state.add(chosen[position], weight: -1)
        let gain = try Gain(state)
        let current = gain.drop(of: rows.row(chosen[position]))
        if !free.isEmpty {
          let best = gain.best(of: free, in: rows)
          if best.drop > current * (1 + Self.leastImprovement) {
            let row = free[best.position]
            free[best.position] = chosen[position]
            chosen[position] = row
            isChanged = true
          }
        }
        state.add(chosen[position], weight: 1)
      }
      if !isChanged { break }
    }
    return try ordered(chosen)
  }

  /// `tr(M C)`.
  func meanVariance() throws(NumericsError) -> Double {
    let covariance = try Cholesky(of: precision).inverse()
    return (moment * covariance).diagonal.reduce(0, +)
  }

  /// Of the chosen rows always the one that is worth most next, so that every beginning of the list is a good choice too.
  private func ordered(_ chosen: [Int]) throws(NumericsError) -> [Choice] {
    var state = self
    var left = chosen
    var result: [Choice] = []
    while !left.isEmpty {
      let gain = try Gain(state)
      let best = gain.best(of: left, in: rows)
      let row = left.remove(at: best.position)
      result.append(
        Choice(row: row, drop: best.drop, parts: gain.parts(of: rows.row(row), moment: moment)))
      state.add(row, weight: 1)
    }
    return result
  }

  private mutating func add(_ row: Int, weight: Double) {
    let a = rows.row(row)
    for (i, x) in a.enumerated() {
      for (j, y) in a.enumerated() { precision[i, j] += weight * x * y }
    }
  }

  /// The covariance at a state, and what further rows would bring.
  private struct Gain {
    let covariance: Matrix
    /// `C M C`.
    let sandwich: Matrix

    init(_ design: VarianceDesign) throws(NumericsError) {
      covariance = try Cholesky(of: design.precision).inverse()
      sandwich = covariance * design.moment * covariance
    }

    func drop(of row: ArraySlice<Double>) -> Double {
      Self.quadratic(row, sandwich) / (1 + Self.quadratic(row, covariance))
    }

    func best(of free: [Int], in rows: Matrix) -> (position: Int, drop: Double) {
      var best = (position: 0, drop: -Double.infinity)
      for (position, row) in free.enumerated() {
        let drop = drop(of: rows.row(row))
        if drop > best.drop { best = (position, drop) }
      }
      return best
    }

    func parts(of row: ArraySlice<Double>, moment: Matrix) -> [Double] {
      let u = covariance * Array(row)
      let scale = 1 + Self.quadratic(row, covariance)
      return zip(u, moment * u).map { $0 * $1 / scale }
    }

    private static func quadratic(_ row: ArraySlice<Double>, _ matrix: Matrix) -> Double {
      row.withUnsafeBufferPointer { a in
        matrix.storage.withUnsafeBufferPointer { m in
          var sum = 0.0
          for i in 0..<a.count {
            var inner = 0.0
            for j in 0..<a.count { inner += m[i * a.count + j] * a[j] }
            sum += a[i] * inner
          }
          return sum
        }
      }
    }
  }
}
