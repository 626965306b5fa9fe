import Architectures
import Numerics

/// Predicts the GLUE score that an encoder would reach if it were pre-trained and fine-tuned as BERT was, with its uncertainty.
///
/// Or, from rows of `accuracy measure`, the score that one reaches with their budget: see `fitted(on:source:)`; the rest of this is about the
/// published scores, which are the default.
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
  /// What it was fitted on.
  public enum Basis: Sendable, Hashable {
    case published
    /// Accuracies that were measured by training, of so many architectures.
    case measured(architectures: Int)
  }

  let curve: AccuracyCurve
  private let degreesOfFreedom: Double
  public let basis: Basis

  /// Error of each published row predicted by a fit without it, points; none where accuracies were measured.
  public let leaveOneOutErrors: [(row: PublishedScore, error: Double)]

  /// Root mean square of the errors of the reference rows (BERT's sizes), or of the architectures that were measured, each predicted by a fit
  /// without it, in points. Print it wherever accuracy figures are.
  public let leaveOneOutError: Double

  /// What the figures are, in a line for people.
  public let caption: String

  /// What its points are of, such as `GLUE`.
  public let scale: String

  /// Fits the predictor to published scores: a few milliseconds.
  /// - Throws: `NumericsError` where the fit fails.
  public static func fitted(on rows: [PublishedScore] = PublishedScore.fitted) throws -> AccuracyPredictor {
    let result = try AccuracyFit.fit(rows, hint: .fourier)
    let errors = try AccuracyFit.leaveOneOut(rows, hint: .fourier)
    return AccuracyPredictor(result: result, errors: errors, rowCount: rows.count)
  }

  /// Fits the predictor to accuracies that were measured (`MeasuredAccuracyFit`): it then predicts the highest fidelity that at least six
  /// architectures have, the task's score where there is one, else the probability of a hidden word, for the budget of those rows.
  ///
  /// - Parameter source: how messages call the rows.
  /// - Throws: `InputFileError` where the rows do not go together or are too few, `NumericsError` where the fit fails.
  public static func fitted(on rows: [AccuracyRow], source: String) throws -> AccuracyPredictor {
    let table = try FidelityTable(rows, source: source)
    return AccuracyPredictor(try MeasuredAccuracyFit(table), table)
  }

  private init(result: AccuracyFit.Result, errors: [(row: PublishedScore, error: Double)], rowCount: Int) {
    curve = .published(result.model)
    degreesOfFreedom = Double(result.degreesOfFreedom)
    leaveOneOutErrors = errors
    let reference = errors.filter { $0.row.group == .reference }
    leaveOneOutError = Self.rootMeanSquare(reference.map(\.error))
    basis = .published
    scale = "GLUE"
    caption =
      "accuracy: GLUE score (mean of 8 tasks, test-server scale) predicted from \(rowCount) published encoders; "
      + "leave-one-out error \(Self.shown(leaveOneOutError)) points; kinds of heads are not identified by these data"
  }

  private init(_ fit: MeasuredAccuracyFit, _ table: FidelityTable) {
    curve = .measured(fit.curve)
    degreesOfFreedom = fit.degreesOfFreedom
    leaveOneOutErrors = []
    leaveOneOutError = Self.rootMeanSquare(fit.errors.map(\.error))
    basis = .measured(architectures: fit.errors.count)
    let top = table.levels[table.levels.count - 1]
    scale = top.isScore ? table.task ?? "the task" : "hidden words"
    let what =
      top.isScore
      ? "score of \(scale), times 100," : "probability of a hidden word, in hundredths (e^−loss),"
    let fidelities = table.levels.count == 1 ? "one fidelity" : "\(table.levels.count) fidelities"
    caption =
      "accuracy: \(what) after \(top.totalSteps) steps of \(top.batchSize) sequences, predicted from \(fit.errors.count)"
      + " architectures that were trained and judged at \(fidelities); leave-one-out error"
      + " \(Self.shown(leaveOneOutError)) points"
  }

  private static func rootMeanSquare(_ errors: [Double]) -> Double {
    (errors.reduce(0) { $0 + $1 * $1 } / Double(max(errors.count, 1))).squareRoot()
  }

  private static func shown(_ points: Double) -> String { "\((points * 10).rounded() / 10)" }

  /// - Parameter level: probability of the central interval, above 0 and below 1.
  public func predict(_ architecture: Architecture, level: Double = 0.9) -> AccuracyEstimate {
    curve.estimate(AccuracySummary(architecture), quantile: quantile(level: level))
  }

  /// Probability that a model of this estimate reaches a score: by Student's t on the scale of the logit, as its interval is made.
  public func probability(of estimate: AccuracyEstimate, atLeast score: Double) -> Double {
    guard score > 0 else { return 1 }
    guard score < 100 else { return 0 }
    let share = estimate.median / 100
    let spread = estimate.standardDeviation / (100 * share * (1 - share))
    guard spread > 0, spread.isFinite else { return estimate.median >= score ? 1 : 0 }
    let distance = (Elementary.logit(share) - Elementary.logit(score / 100)) / spread
    return Distributions.studentTCDF(distance, degreesOfFreedom: degreesOfFreedom)
  }

  /// The upper quantile of Student's t of a central interval.
  func quantile(level: Double) -> Double {
    let bounded = min(max(level, 0), 0.999_999)
    return Distributions.studentTQuantile((1 + bounded) / 2, degreesOfFreedom: degreesOfFreedom)
  }
}
