import Numerics

/// Fits the curve of ``AccuracyModel`` by nonlinear least squares (GSL's Levenberg-Marquardt), in points.
enum AccuracyFit {
  /// Degrees of freedom below which no spread is trusted.
  private static let fewestDegrees = 1

  struct Result {
    var model: AccuracyModel
    var degreesOfFreedom: Int
    /// Offsets by group.
    var offsets: [Double]
  }

  /// Weak priors, without which two groups of three and two rows would leave the floor open. (mean, standard deviation)
  ///
  /// The floor lies between what majority guesses score on the eight tasks (41) and the weakest pre-trained model (66); exponents are
  /// known to a factor of e.
  private static let floorPrior = (mean: 54.0, deviation: 6.0)
  private static let logSizePrior = (mean: Elementary.log(0.25), deviation: 1.0)
  private static let logDepthPrior = (mean: Elementary.log(0.15), deviation: 1.0)
  /// Residual spread, points, that sets the weight of the rows against the priors.
  private static let assumedSpread = 1.5

  static func fit(_ rows: [PublishedScore], hint: HeadKindHint) throws -> Result {
    let groups = PublishedScore.Group.allCases.filter { group in rows.contains { $0.group == group } }
    let regressors = rows.map { AccuracyModel.regressors(AccuracySummary($0)) }
    let offsetIndices = rows.map { row in groups.firstIndex(of: row.group) ?? 0 }
    let count = groups.count
    let reference = groups.firstIndex(of: .reference) ?? 0

    func prediction(_ p: [Double], _ row: Int) -> Double {
      let eta =
        p[offsetIndices[row]] + Elementary.exp(p[count]) * regressors[row].size
        + Elementary.exp(p[count + 1]) * regressors[row].depth
      return p[count + 2] + (100 - p[count + 2]) * Elementary.logistic(eta)
    }

    let fit = try levenbergMarquardt(
      residualCount: rows.count + 3,
      initial: [Double](repeating: 0.2, count: count) + [logSizePrior.mean, logDepthPrior.mean, floorPrior.mean],
      residuals: { p in
        rows.indices.map { (prediction(p, $0) - rows[$0].score) / assumedSpread } + [
          (p[count] - logSizePrior.mean) / logSizePrior.deviation,
          (p[count + 1] - logDepthPrior.mean) / logDepthPrior.deviation,
          (p[count + 2] - floorPrior.mean) / floorPrior.deviation,
        ]
      })
    guard fit.isConverged else {
      throw NumericsError.didNotConverge(what: "accuracy predictor", iterations: fit.iterations)
    }

    let p = fit.parameters
    let degrees = max(rows.count - p.count, fewestDegrees)
    let squares = rows.indices.reduce(0.0) { sum, row in
      let error = prediction(p, row) - rows[row].score
      return sum + error * error
    }
    let residual = (squares / Double(degrees)).squareRoot()

    // GSL scales the covariance by the cost; scale it by the rows' own spread instead.
    let costScale = fit.cost / Double(rows.count + 3 - p.count)
    let factor = costScale > 0 ? (residual / assumedSpread) * (residual / assumedSpread) / costScale : 0
    let kept = [reference, count, count + 1, count + 2]
    let covariance = kept.flatMap { i in kept.map { j in factor * fit.covariance[i, j] } }

    let floor = p[count + 2]
    func eta(_ score: Double) -> Double { Elementary.log((score - floor) / (100 - score)) }
    let lost = eta(hint.attention) - eta(hint.replaced)

    // FNet drops attention; a transform head of FlexiBERT 2.0 still attends by relative position, so its loss lies between nothing
    // and FNet's: the mean and the standard deviation of the uniform distribution between.
    let model = AccuracyModel(
      floor: floor, offset: p[reference], sizeExponent: Elementary.exp(p[count]),
      depthExponent: Elementary.exp(p[count + 1]), transformPenalty: lost / 2,
      transformSpread: lost / 12.0.squareRoot(), covariance: covariance, residual: residual)
    return Result(model: model, degreesOfFreedom: degrees, offsets: Array(p[0..<count]))
  }

  /// Errors of rows predicted by a fit without them; rows that alone hold their group's offset are left out.
  static func leaveOneOut(
    _ rows: [PublishedScore], hint: HeadKindHint
  ) throws -> [(row: PublishedScore, error: Double)] {
    try rows.indices.compactMap { index in
      let row = rows[index]
      guard rows.count(where: { $0.group == row.group }) > 2 else { return nil }
      var others = rows
      others.remove(at: index)
      let result = try fit(others, hint: hint)
      let groups = PublishedScore.Group.allCases.filter { group in others.contains { $0.group == group } }
      guard let group = groups.firstIndex(of: row.group) else { return nil }
      var model = result.model
      model.offset = result.offsets[group]
      return (row, model.median(AccuracySummary(row)) - row.score)
    }
  }
}
