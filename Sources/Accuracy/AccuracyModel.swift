import Numerics

/// The fitted curve and its uncertainty: a flat value that the fast path copies.
///
/// `score = floor + (100 − floor)·σ(η)`, `η = offset + β_size·ln(S / S_Base) + β_depth·ln(layers / 12) − penalty·(share of transform
/// heads)`. S is the *effective size* `(3A)^⅓·(3F/2)^⅔` of A attention and F feed-forward weights. At BERT's proportion F = 2A, which
/// every row has, it is A + F; elsewhere it is less, since one cannot stand in for the other without limit, as Kaplan et al. 2020
/// found (their figure 5: a flat optimum over the shapes of models of one size). It grows with A and with F.
struct AccuracyModel: Sendable {
  /// Weights of BERT-Base's encoder: 12·12·768².
  static let referenceSize = 144.0 * 768 * 768
  static let referenceDepth = 12.0

  var floor: Double
  var offset: Double
  var sizeExponent: Double
  var depthExponent: Double
  /// Mean loss in η of a model of transform heads only, and the standard deviation of that.
  var transformPenalty: Double
  var transformSpread: Double
  /// Covariance of (offset, ln β_size, ln β_depth, floor), row-major.
  var covariance: [Double]
  /// Standard deviation of a model's score around the curve, points.
  var residual: Double

  /// Prior standard deviations in η of what the rows cannot tell, since all have F = 2A and d = 64 (BERT) or close to it.
  static let imbalanceSpread = 0.10  // per unit of |ln(F / 2A)|
  static let headSizeSpread = 0.05  // per halving or doubling of the head size

  /// Logarithms that the curve and its derivatives need.
  struct Regressors {
    var size: Double
    var depth: Double
    /// `ln(F / 2A)`.
    var balance: Double
    var perLayer: Double
  }

  @inline(__always) static func regressors(_ summary: AccuracySummary) -> Regressors {
    let attention = Elementary.log(max(summary.attention, 1))
    let feedForward = Elementary.log(max(summary.feedForward, 1))
    let layers = max(summary.layers, 1)
    return Regressors(
      size: (attention + 2 * feedForward) / 3 + sizeConstant, depth: Elementary.log(layers / referenceDepth),
      balance: feedForward - attention - ln2, perLayer: 1 / layers)
  }

  private static let ln2 = Elementary.log(2)
  private static let sizeConstant = (Elementary.log(3) + 2 * Elementary.log(1.5)) / 3 - Elementary.log(referenceSize)

  /// What `size` of ``Regressors`` adds to `(ln A + 2 ln F)/3`.
  static var sizeShift: Double { sizeConstant }

  @inline(__always) func median(_ summary: AccuracySummary) -> Double {
    let x = Self.regressors(summary)
    return score(eta(x, transformShare: summary.transformShare * x.perLayer))
  }

  @inline(__always) func eta(_ x: Regressors, transformShare: Double) -> Double {
    offset + sizeExponent * x.size + depthExponent * x.depth - transformPenalty * transformShare
  }

  @inline(__always) func score(_ eta: Double) -> Double { floor + (100 - floor) * Elementary.logistic(eta) }

  /// - Parameter quantile: of Student's t at the upper end of the interval.
  @inline(__always) func estimate(_ summary: AccuracySummary, quantile: Double) -> AccuracyEstimate {
    let x = Self.regressors(summary)
    let transformShare = summary.transformShare * x.perLayer
    let p = Elementary.logistic(eta(x, transformShare: transformShare))
    let median = floor + (100 - floor) * p
    let slope = (100 - floor) * p * (1 - p)

    // Derivatives of the score, points, by (offset, ln β_size, ln β_depth, floor).
    let g0 = slope
    let g1 = slope * sizeExponent * x.size
    let g2 = slope * depthExponent * x.depth
    let g3 = 1 - p
    let spread = covariance.withUnsafeBufferPointer { c -> Double in
      let r0 = g0 * c[0] + 2 * (g1 * c[1] + g2 * c[2] + g3 * c[3])
      let r1 = g1 * c[5] + 2 * (g2 * c[6] + g3 * c[7])
      return g0 * r0 + g1 * r1 + g2 * (g2 * c[10] + 2 * g3 * c[11]) + g3 * g3 * c[15]
    }

    let share = transformSpread * (transformShare + summary.convolutionShare * x.perLayer)
    let imbalance = Self.imbalanceSpread * abs(x.balance)
    let headSize = Self.headSizeSpread * summary.headSizeDistance * x.perLayer
    let prior = slope * slope * (share * share + imbalance * imbalance + headSize * headSize)
    let deviation = (max(spread, 0) + prior + residual * residual).squareRoot()

    // The interval is symmetric on the scale of the logit, which keeps it within 0 to 100.
    let centre = Elementary.logit(median / 100)
    let half = quantile * deviation / (median * (1 - median / 100))
    return AccuracyEstimate(
      median: median, standardDeviation: deviation, lower: 100 * Elementary.logistic(centre - half),
      upper: 100 * Elementary.logistic(centre + half))
  }
}
