import Foundation
import Numerics
import Twins

/// How much slower than predicted the models that a search picked must be expected to turn out, because they were picked for their
/// predictions.
///
/// A search that takes the best of many noisy predictions takes, among equals, those whose errors flatter them: even where no prediction
/// is biased, those of the chosen are (Smith and Winkler, "The Optimizer's Curse: Skepticism and Postdecision Surprise in Decision
/// Analysis", Management Science 52, 2006). With errors of standard deviation σ on the log scale, the best of n alike candidates is
/// predicted E[max of n standard normals] · σ too fast. Candidates are not alike, and a front is not one choice; so the choice is
/// simulated: predictions are taken for the truth, noise as wide as their intervals is put on them, the choice is made anew on the noisy
/// values, and the mean noise of the chosen is the regression to expect (a parametric bootstrap of the choice). Noise that all candidates
/// share, such as a slow day of the machine, changes no choice and adds nothing.
///
/// Since the predictions already hold the noise once, their spread, and with it this figure, is somewhat uncertain: the more candidates
/// come close to the chosen, the larger it is. A twin whose medians are shrunk toward the mean of all candidates, as a Bayesian posterior
/// is, has less of it.
public enum OptimisersCurse {
  /// A model that could have been chosen.
  public struct Candidate: Sendable, Hashable {
    /// Log of the predicted median.
    public var logMedian: Double
    /// Standard deviation of the prediction's error on the log scale.
    public var deviation: Double
    /// What is wanted besides a short time, such as accuracy; larger is better.
    public var merit: Double

    public init(logMedian: Double, deviation: Double, merit: Double = 0) {
      self.logMedian = logMedian
      self.deviation = deviation
      self.merit = merit
    }

    /// - Parameter level: of the estimate's interval, which is taken for that of a log-normal.
    public init(_ estimate: Estimate, level: Double, merit: Double = 0) {
      let width = log(estimate.upper / estimate.lower)
      let z = Distributions.normalQuantile(0.5 + level / 2)
      self.init(
        logMedian: log(estimate.median), deviation: width.isFinite && width > 0 ? width / (2 * z) : 0, merit: merit)
    }
  }

  /// Expected largest of `count` standard normal numbers; 0 for fewer than two.
  ///
  /// ∫ x n φ(x) Φ(x)ⁿ⁻¹ dx by Simpson's rule; exact to 1e-9.
  public static func expectedMaximum(of count: Int) -> Double {
    guard count > 1 else { return 0 }
    let (low, high, steps) = (-9.0, 9.0, 2_000)
    let h = (high - low) / Double(steps)
    var sum = 0.0
    for step in 0...steps {
      let x = low + Double(step) * h
      let density = exp(-x * x / 2) / (2 * Double.pi).squareRoot()
      let value = x * Double(count) * density * pow(Distributions.normalCDF(x), Double(count - 1))
      sum += value * (step == 0 || step == steps ? 1 : step.isMultiple(of: 2) ? 2 : 4)
    }
    return sum * h / 3
  }

  /// Mean log ratio of truth to prediction that is to be expected of the candidates that a choice takes: 0.02 is 2 % slower.
  ///
  /// - Parameters:
  ///   - choose: positions of the chosen, given noisy log times; the same rule that the search went by.
  ///   - draws: more are more exact; the error falls with their root.
  ///   - seed: the same seed gives the same figure.
  public static func expectedRegression(
    _ candidates: [Candidate], draws: Int = 400, seed: UInt64 = 1, choose: (_ logTimes: [Double]) -> [Int]
  ) -> Double {
    guard !candidates.isEmpty, draws > 0 else { return 0 }
    var total = 0.0
    var used = 0
    for draw in 0..<draws {
      var random = CounterRandom(seed: seed, stream: UInt64(truncatingIfNeeded: draw))
      let noise = candidates.map { $0.deviation * random.nextNormal() }
      let chosen = choose(zip(candidates, noise).map { $0.logMedian + $1 })
      guard !chosen.isEmpty else { continue }
      total -= chosen.reduce(0) { $0 + noise[$1] } / Double(chosen.count)
      used += 1
    }
    return used > 0 ? total / Double(used) : 0
  }

  /// Positions that no other beats in both merit and time; of equals the first.
  public static func front(merits: [Double], logTimes: [Double]) -> [Int] {
    let order = merits.indices.sorted {
      (logTimes[$0], -merits[$0], $0) < (logTimes[$1], -merits[$1], $1)
    }
    var best = -Double.infinity
    return order.filter { index in
      guard merits[index] > best else { return false }
      best = merits[index]
      return true
    }
  }

  /// ``expectedRegression(_:draws:seed:choose:)`` of a choice by merit and time: the front of the candidates.
  public static func expectedRegressionOfFront(_ candidates: [Candidate], draws: Int = 400, seed: UInt64 = 1) -> Double
  {
    let merits = candidates.map(\.merit)
    return expectedRegression(candidates, draws: draws, seed: seed) { front(merits: merits, logTimes: $0) }
  }
}
