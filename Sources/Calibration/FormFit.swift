import Foundation
import Numerics
import Twins

/// Fits one linear form: non-negative least squares on relative errors, robust (Huber), with a prior on the terms' shares.
///
/// Minimises `Σ wᵢ (xᵢ·b/yᵢ − 1)² + Σ (bⱼ − s·πⱼ)² / (τ s ρⱼ)²·σ²`, where π are the set's shares, s the level that makes the prior fit the
/// rows' median, σ the residual scale, ρⱼ a term's own width: proportional to (m·πⱼ)^0.35, ten for the paging terms, whose size is
/// unknown, and narrow for a term that was timed by itself: of the wait for weights few rows say anything, and what-ifs of short texts rest on
/// it.
struct FormFit: Sendable {
  var coefficients: [Double]
  var standardErrors: [Double]
  /// Columns without support: held at 0 by the constraint.
  var active: [Int]

  struct Options: Sendable {
    /// Width of the prior, relative to a term's expected contribution.
    var tau = 0.2
    var iterations = 15
    static let ridgePerRow = 5e-4
    static let widthExponent = 0.7
    static let pagingWidth = 10.0
    /// With ``tau``, a deviation of half of what was timed.
    static let timedWidth = 2.5
    static let priorRows = 4.0
    static let priorScale = 0.1
    static let huber = 1.345
    static let outlierWeight = 0.05
  }

  /// - Parameters:
  ///   - weights: from outside, 0 to 1 a row.
  init(design: Matrix, set: FeatureSet, values: [Double], weights: [Double], options: Options) throws {
    let n = values.count
    let shares = set.terms.map(\.share)
    let terms = Double(shares.count)
    let atPrior = design * shares
    let level = exp(
      Statistics.weightedMedian(
        zip(values, atPrior).map { log($0) - log(max($1, MeasureFloor.value)) }, weights: weights))
    var relative = design
    for row in 0..<n {
      for column in 0..<shares.count { relative[row, column] /= values[row] }
    }
    let widths = zip(set.terms, shares).map { term, share in
      term.isTimed
        ? Options.timedWidth * share
        : term.feature.isPaging ? Options.pagingWidth : pow(share * terms, Options.widthExponent / 2)
    }
    let prior = shares.map { level * $0 }
    let ones = [Double](repeating: 1, count: n)
    var b = prior
    var fit: NonNegativeFit?
    var variance = 0.15 * 0.15
    for iteration in 0..<options.iterations {
      let fitted = relative * b
      let magnitudes = fitted.map { abs($0 - 1) }
      let scale = 1.4826 * Statistics.median(magnitudes)
      if iteration > 0 {
        variance =
          (Double(n) * scale * scale + Options.priorRows * Options.priorScale * Options.priorScale)
          / (Double(n) + Options.priorRows)
      }
      let floorScale = max(scale, 0.01)
      let limit = max(6 * floorScale, 0.3)
      var rowWeights = weights
      for row in 0..<n {
        rowWeights[row] *= min(1, Options.huber * floorScale / max(magnitudes[row], 1e-12))
        if abs(log(max(fitted[row], 1e-9))) > limit {
          rowWeights[row] = min(rowWeights[row], Options.outlierWeight * weights[row])
        }
      }
      let strength = variance / (options.tau * options.tau) + Options.ridgePerRow * Double(n)
      let ridge = widths.map { strength / (level * level * $0 * $0) }
      let next = try nonNegativeLeastSquares(
        design: relative, target: ones, weights: rowWeights, ridge: ridge, prior: prior)
      let change = zip(next.coefficients, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
      b = next.coefficients
      fit = next
      if change < 1e-6 * level { break }
    }
    coefficients = b
    standardErrors = fit?.standardErrors ?? [Double](repeating: 0, count: b.count)
    active = fit?.active ?? []
  }
}

extension FormFit {
  /// The weighted mean of fits of one feature set; weights sum to 1.
  ///
  /// Standard errors add in the same proportions, as if the fits erred together, and hold the spread between the fits.
  init(averaging fits: [(fit: FormFit, weight: Double)]) {
    let count = fits.first?.fit.coefficients.count ?? 0
    var mean = [Double](repeating: 0, count: count)
    var error = mean
    for (fit, weight) in fits {
      for index in 0..<count {
        mean[index] += weight * fit.coefficients[index]
        error[index] += weight * fit.standardErrors[index] * fit.standardErrors[index]
      }
    }
    for (fit, weight) in fits {
      for index in 0..<count {
        let deviation = fit.coefficients[index] - mean[index]
        error[index] += weight * deviation * deviation
      }
    }
    coefficients = mean
    standardErrors = error.map { $0.squareRoot() }
    active = mean.indices.filter { mean[$0] == 0 }
  }
}

/// Keeps logarithms finite where every term vanishes.
enum MeasureFloor {
  static let value = 1e-12
}
