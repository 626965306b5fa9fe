import Architectures
import Numerics

/// Predicts the GLUE score that an encoder would reach if it were pre-trained and fine-tuned as BERT was, with its uncertainty.
///
/// Fitted on ten published scores (``PublishedScore/fitted``): five sizes of BERT, which set the scale, and, with offsets of their
/// own, three of ELECTRA and two of MiniLM, which tell width from depth. What the curve is, and what it assumes where the rows are
/// silent, is said at `AccuracyModel`. Plainly: the rows do not identify
/// - the *kind* of head. The one comparison at hand (FNet: Fourier transforms for attention cost 6.6 points) makes a transform head
///   cost half of that, with a standard deviation that reaches from nothing to all; convolution heads cost nothing but carry that
///   deviation too; `sa_wma` counts as `sa_sdp`.
/// - the *size and number* of heads, and stacked or very wide feed-forward layers: these only widen the interval;
/// - layers of *unequal* widths: a model counts by its sums, so a narrow layer amid wide ones is predicted too well.
///
/// Models larger than BERT-Base are extrapolated, and their intervals show it. At a given depth, more weights are never predicted
/// worse; a further layer is never predicted worse.
public struct AccuracyPredictor: Sendable {
  let model: AccuracyModel
  private let degreesOfFreedom: Int

  /// Error of each row predicted by a fit without it, points.
  public let leaveOneOutErrors: [(row: PublishedScore, error: Double)]

  /// Root mean square of the errors of the reference rows (BERT's sizes), each predicted by a fit without it, in points. Print it
  /// wherever accuracy figures are.
  public let leaveOneOutError: Double

  /// What the figures are, in a line for people.
  public var caption: String {
    let error = (leaveOneOutError * 10).rounded() / 10
    return "accuracy: GLUE score (mean of 8 tasks, test-server scale) predicted from \(rowCount) published encoders; "
      + "leave-one-out error \(error) points; kinds of heads are not identified by these data"
  }

  private let rowCount: Int

  /// Fits the predictor: a few milliseconds.
  /// - Throws: `NumericsError` where the fit fails.
  public static func fitted(on rows: [PublishedScore] = PublishedScore.fitted) throws -> AccuracyPredictor {
    let result = try AccuracyFit.fit(rows, hint: .fourier)
    let errors = try AccuracyFit.leaveOneOut(rows, hint: .fourier)
    return AccuracyPredictor(result: result, errors: errors, rowCount: rows.count)
  }

  private init(result: AccuracyFit.Result, errors: [(row: PublishedScore, error: Double)], rowCount: Int) {
    model = result.model
    degreesOfFreedom = result.degreesOfFreedom
    leaveOneOutErrors = errors
    let reference = errors.filter { $0.row.group == .reference }
    let squares = reference.reduce(0) { $0 + $1.error * $1.error }
    leaveOneOutError = (squares / Double(max(reference.count, 1))).squareRoot()
    self.rowCount = rowCount
  }

  /// - Parameter level: probability of the central interval, above 0 and below 1.
  public func predict(_ architecture: Architecture, level: Double = 0.9) -> AccuracyEstimate {
    model.estimate(AccuracySummary(architecture), quantile: quantile(level: level))
  }

  /// Probability that a model of this estimate reaches a score: by Student's t on the scale of the logit, as its interval is made.
  public func probability(of estimate: AccuracyEstimate, atLeast score: Double) -> Double {
    guard score > 0 else { return 1 }
    guard score < 100 else { return 0 }
    let share = estimate.median / 100
    let spread = estimate.standardDeviation / (100 * share * (1 - share))
    guard spread > 0, spread.isFinite else { return estimate.median >= score ? 1 : 0 }
    let distance = (Elementary.logit(share) - Elementary.logit(score / 100)) / spread
    return Distributions.studentTCDF(distance, degreesOfFreedom: Double(degreesOfFreedom))
  }

  /// The upper quantile of Student's t of a central interval.
  func quantile(level: Double) -> Double {
    let bounded = min(max(level, 0), 0.999_999)
    return Distributions.studentTQuantile((1 + bounded) / 2, degreesOfFreedom: Double(degreesOfFreedom))
  }
}
