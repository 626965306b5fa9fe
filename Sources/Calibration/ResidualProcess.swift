import Foundation
import Numerics

/// A Gaussian process over a few summaries, together with one level a regime, for what the linear forms leave on the log scale.
///
/// The squared-exponential kernel is taken through its pivoted Cholesky factor of low rank (Fine and Scheinberg 2001), so that a fit costs
/// an eigendecomposition of a few dozen rows. Signal and noise are averaged over a grid by their marginal likelihood; the length scale is
/// the best one.
struct ResidualProcess: Sendable {
  /// Inducing points, in scaled summaries.
  let inducing: [[Double]]
  let lengthScale: Double
  /// `f(z) = Σ weight · exp(−|z − inducing|²/2ℓ²)`.
  let weights: [Double]
  /// The smooth part at the training rows.
  let fitted: [Double]

  private static let lengthScales = [1.5, 2.5, 4.0]
  private static let signals = [0, 0.01, 0.017, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5]
  private static let noises = [0.005, 0.01, 0.015, 0.022, 0.03, 0.045, 0.065, 0.1, 0.15, 0.25]
  private static let regimeScale = 0.2
  private static let levelScale = 0.03
  private static let maximumRank = 30

  /// - Parameters:
  ///   - z: scaled summaries, a row a measurement.
  ///   - target: log residuals about their center, outliers clipped.
  ///   - segments: the regime of each row.
  init(z: [[Double]], target: [Double], segments: [Int]) throws {
    let n = target.count
    let regimes = (segments.max() ?? 0) + 1
    let squared = target.reduce(0) { $0 + $1 * $1 }
    var best: (evidence: Double, ell: Double, factor: LowRank, weights: [Double])?
    for ell in Self.lengthScales {
      let factor = LowRank(z: z, lengthScale: ell, maximumRank: Self.maximumRank)
      let rank = factor.rank
      let p = rank + regimes
      // Columns: the factor, then an indicator a regime (one constant column where there is one regime).
      var columns = Matrix(rows: n, columns: p)
      for row in 0..<n {
        for k in 0..<rank { columns[row, k] = factor.rows[row * rank + k] }
        columns[row, rank + segments[row]] = regimes > 1 ? Self.regimeScale : Self.levelScale
      }
      let gram = columns.gram()
      let right = columns.transposedTimes(target)
      var candidates: [(logPosterior: Double, weights: [Double])] = []
      for signal in Self.signals {
        var scaled = gram
        var scaledRight = right
        for i in 0..<p {
          let a = i < rank ? signal : 1
          scaledRight[i] *= a
          for j in 0..<p { scaled[i, j] *= a * (j < rank ? signal : 1) }
        }
        let eigen = try SymmetricEigen(of: scaled)
        let projected = eigen.vectors.transposedTimes(scaledRight)
        for noise in Self.noises {
          let variance = noise * noise
          var quadratic = squared
          var logDeterminant = Double(n - p) * log(variance)
          var solution = [Double](repeating: 0, count: p)
          for k in 0..<p {
            let value = max(eigen.values[k], 0)
            quadratic -= projected[k] * projected[k] / (value + variance)
            logDeterminant += log(value + variance)
            solution[k] = projected[k] / (value + variance)
          }
          let signalPrior = log(max(signal, 0.01) / 0.08) / 0.7
          let noisePrior = log(noise / 0.06) / 1.2
          let logPosterior =
            -0.5 * quadratic / variance - 0.5 * logDeterminant - 0.5 * signalPrior * signalPrior
            - 0.5 * noisePrior * noisePrior
          let mean = eigen.vectors * solution
          candidates.append((logPosterior, (0..<rank).map { signal * mean[$0] }))
        }
      }
      let peak = candidates.map(\.logPosterior).max() ?? 0
      let total = candidates.reduce(0) { $0 + exp($1.logPosterior - peak) }
      var averaged = [Double](repeating: 0, count: rank)
      for candidate in candidates {
        let probability = exp(candidate.logPosterior - peak) / total
        if probability > 1e-4 {
          for k in 0..<rank { averaged[k] += probability * candidate.weights[k] }
        }
      }
      let evidence = peak + log(total)
      if evidence > best?.evidence ?? -.infinity { best = (evidence, ell, factor, averaged) }
    }
    guard let best else { throw NumericsError.underdetermined(rows: n, columns: 1) }
    lengthScale = best.ell
    inducing = best.factor.pivots.map { z[$0] }
    weights = best.factor.kernelWeights(best.weights)
    let rank = best.factor.rank
    fitted = (0..<n).map { row in
      var sum = 0.0
      for k in 0..<rank { sum += best.factor.rows[row * rank + k] * best.weights[k] }
      return sum
    }
  }

  func value(at z: [Double]) -> Double {
    var sum = 0.0
    for (point, weight) in zip(inducing, weights) {
      var distance = 0.0
      for (a, b) in zip(point, z) { distance += (a - b) * (a - b) }
      sum += weight * exp(-distance / (2 * lengthScale * lengthScale))
    }
    return sum
  }
}

/// A pivoted Cholesky factor of a squared-exponential kernel matrix: `K ≈ L Lᵀ` with a few dozen columns.
private struct LowRank {
  let rank: Int
  /// Row-major, `count × rank`.
  let rows: [Double]
  let pivots: [Int]

  init(z: [[Double]], lengthScale: Double, maximumRank: Int) {
    let n = z.count
    var diagonal = [Double](repeating: 1, count: n)
    var columns: [[Double]] = []
    var pivots: [Int] = []
    while columns.count < min(maximumRank, n) {
      guard let pivot = diagonal.indices.max(by: { diagonal[$0] < diagonal[$1] }), diagonal[pivot] > 1e-5 else { break }
      let root = diagonal[pivot].squareRoot()
      var column = [Double](repeating: 0, count: n)
      for row in 0..<n {
        var distance = 0.0
        for (a, b) in zip(z[row], z[pivot]) { distance += (a - b) * (a - b) }
        var value = exp(-distance / (2 * lengthScale * lengthScale))
        for earlier in columns { value -= earlier[row] * earlier[pivot] }
        column[row] = value / root
      }
      for row in 0..<n { diagonal[row] = max(0, diagonal[row] - column[row] * column[row]) }
      diagonal[pivot] = 0
      columns.append(column)
      pivots.append(pivot)
    }
    rank = columns.count
    self.pivots = pivots
    var rows = [Double](repeating: 0, count: n * columns.count)
    for (k, column) in columns.enumerated() {
      for row in 0..<n { rows[row * columns.count + k] = column[row] }
    }
    self.rows = rows
  }

  /// Weights over kernel functions at the pivots that give the same function as `weights` over the factor's columns.
  func kernelWeights(_ weights: [Double]) -> [Double] {
    // The factor's rows at the pivots are lower triangular: R w' = … is solved backwards through its transpose.
    var result = weights
    for k in stride(from: rank - 1, through: 0, by: -1) {
      result[k] /= rows[pivots[k] * rank + k]
      for j in 0..<k { result[j] -= rows[pivots[k] * rank + j] * result[k] }
    }
    return result
  }
}
