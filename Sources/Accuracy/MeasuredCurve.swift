import Numerics

/// A straight line through a model's features on the scale of the logit, with its uncertainty: what is learnt from accuracies that were
/// measured. A flat value that the fast path copies.
///
/// `score = 100·σ(w · φ)`; φ are ``features(_:)``. The variance of η = w·φ is `φᵀ C φ + residual`.
struct MeasuredCurve: Sendable, Equatable {
  /// A symmetric matrix, row by row.
  struct Covariance: Sendable, Equatable {
    private var rows: (Features, Features, Features, Features, Features, Features, Features, Features)

    init() {
      let zero = Features(repeating: 0)
      rows = (zero, zero, zero, zero, zero, zero, zero, zero)
    }

    init(_ matrix: Matrix) {
      func row(_ i: Int) -> Features {
        var row = Features(repeating: 0)
        for j in 0..<MeasuredCurve.count { row[j] = matrix[i, j] }
        return row
      }
      rows = (row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7))
    }

    @inline(__always) func quadratic(_ x: Features) -> Double {
      let product = times(x)
      return (product * x).sum()
    }

    @inline(__always) func times(_ x: Features) -> Features {
      @inline(__always) func dot(_ row: Features) -> Double { (row * x).sum() }
      return Features(
        dot(rows.0), dot(rows.1), dot(rows.2), dot(rows.3), dot(rows.4), dot(rows.5), dot(rows.6), dot(rows.7))
    }

    static func == (a: Covariance, b: Covariance) -> Bool {
      a.rows.0 == b.rows.0 && a.rows.1 == b.rows.1 && a.rows.2 == b.rows.2 && a.rows.3 == b.rows.3
        && a.rows.4 == b.rows.4 && a.rows.5 == b.rows.5 && a.rows.6 == b.rows.6 && a.rows.7 == b.rows.7
    }
  }

  typealias Features = SIMD8<Double>
  static let count = 8
  static let referenceWidth = 128.0

  var weights = Features(repeating: 0)
  var covariance = Covariance()
  /// Variance of η of a model that is trained and judged, around the line.
  var residual = 0.0

  /// Positions of the features that the search knows about; the others are small and enter its bounds by their largest values.
  enum Lane {
    static let constant = 0
    /// ln of the effective size of ``AccuracyModel``.
    static let size = 1
    /// ln of the number of layers.
    static let depth = 2
    /// Shares of heads that transform, and that convolve.
    static let transforms = 3
    static let convolutions = 4
    /// ln(F / 2A).
    static let balance = 5
    /// Mean distance of the head size from 64.
    static let headSize = 6
    /// Mean ln of the hidden size.
    static let width = 7
  }

  @inline(__always) static func features(_ summary: AccuracySummary) -> Features {
    let x = AccuracyModel.regressors(summary)
    let transforms = summary.transformShare * x.perLayer
    let convolutions = summary.convolutionShare * x.perLayer
    let headSize = summary.headSizeDistance * x.perLayer
    let width = summary.logWidth * x.perLayer
    return Features(1, x.size, x.depth, transforms, convolutions, x.balance, headSize, width)
  }

  @inline(__always) func median(_ summary: AccuracySummary) -> Double {
    100 * Elementary.logistic((weights * Self.features(summary)).sum())
  }

  /// - Parameter quantile: of Student's t at the upper end of the interval.
  @inline(__always) func estimate(_ summary: AccuracySummary, quantile: Double) -> AccuracyEstimate {
    let x = Self.features(summary)
    let eta = (weights * x).sum()
    let deviation = (max(covariance.quadratic(x), 0) + residual).squareRoot()
    let p = Elementary.logistic(eta)
    return AccuracyEstimate(
      median: 100 * p, standardDeviation: 100 * p * (1 - p) * deviation,
      lower: 100 * Elementary.logistic(eta - quantile * deviation),
      upper: 100 * Elementary.logistic(eta + quantile * deviation))
  }
}

/// The curve that a predictor follows.
enum AccuracyCurve: Sendable {
  case published(AccuracyModel)
  case measured(MeasuredCurve)

  func median(_ summary: AccuracySummary) -> Double {
    switch self {
    case .published(let model): model.median(summary)
    case .measured(let curve): curve.median(summary)
    }
  }

  @inline(__always) func estimate(_ summary: AccuracySummary, quantile: Double) -> AccuracyEstimate {
    switch self {
    case .published(let model): model.estimate(summary, quantile: quantile)
    case .measured(let curve): curve.estimate(summary, quantile: quantile)
    }
  }
}
