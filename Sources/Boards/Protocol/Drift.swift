import Foundation
import Numerics

/// Whether the machine became slower or faster while a series was measured.
///
/// Each repeat is compared with the median of its own model; the slope over time is Theil and Sen's (the median of the slopes of all
/// pairs; Sen, JASA 63, 1968), which a quarter of disturbed repeats does not move, and Spearman's rank correlation says how sure it is.
public struct Drift: Sendable, Hashable {
  /// Relative change from the first repeat to the last: 0.02 is 2 % slower at the end.
  public var change: Double
  public var spearman: Double
  /// Probability of so strong a correlation, or a stronger one, without a drift.
  public var probability: Double
  public var repeats: Int
  public var seconds: Double

  /// A drift worth a warning: unlikely to be chance, and larger than half a per cent.
  public var isPresent: Bool { probability < 0.01 && abs(change) > 0.005 }

  /// Pairs are quadratic: of more repeats than this, every n-th is taken.
  private static let most = 1_500

  /// - Parameter series: the repeats of each model.
  /// - Returns: nil with fewer than four repeats, or where all were at one moment.
  public init?(_ series: [[Repeat]]) {
    var points: [(at: Double, log: Double)] = []
    for repeats in series where repeats.count > 1 {
      let logs = repeats.map { log($0.seconds) }
      let centre = Statistics.median(logs)
      for (one, value) in zip(repeats, logs) where value.isFinite { points.append((one.atSeconds, value - centre)) }
    }
    points.sort { $0.at < $1.at }
    guard points.count >= 4, let first = points.first, let last = points.last, last.at > first.at else { return nil }
    let stride = (points.count + Self.most - 1) / Self.most
    let kept = points.indices.filter { $0 % stride == 0 }.map { points[$0] }
    var slopes: [Double] = []
    slopes.reserveCapacity(kept.count * (kept.count - 1) / 2)
    for i in kept.indices.dropFirst() {
      for j in 0..<i where kept[i].at > kept[j].at {
        slopes.append((kept[i].log - kept[j].log) / (kept[i].at - kept[j].at))
      }
    }
    seconds = last.at - first.at
    change = exp(Statistics.median(slopes) * seconds) - 1
    let rho = Statistics.spearman(points.map(\.at), points.map(\.log))
    spearman = rho.isNaN ? 0 : rho
    repeats = points.count
    let freedom = Double(points.count - 2)
    let t = abs(spearman) * (freedom / max(1 - spearman * spearman, 1e-15)).squareRoot()
    probability = 2 * (1 - Distributions.studentTCDF(t, degreesOfFreedom: freedom))
  }
}

/// How far two measurements of one model differ on this machine when they are made at different times: no twin can be better.
public struct NoiseFloor: Sendable, Hashable {
  /// Median over the models of the relative difference between early and late rounds.
  public var median: Double
  /// The largest of them.
  public var largest: Double
  public var models: Int
  /// What all models together became slower by from early to late rounds, on the log scale: the median of their signed differences.
  public var shift: Double
  /// Standard error of ``shift``, by the scatter of the differences.
  public var shiftError: Double
  /// Median over the models of the robust standard deviation of single repeats, as a share.
  public var repeatSpread: Double

  /// Compares the median of the first third of each model's rounds with that of the last third, or the fastest calls of either, each at the
  /// pace that the gauge had beside them: that of the cores is no part of what is not known.
  /// - Returns: nil where no model has two rounds.
  public init?(_ series: [[Repeat]], statistic: MeasuringProtocol.Statistic = .median) {
    func typical(_ repeats: ArraySlice<Repeat>) -> Double {
      switch statistic {
      case .median: Statistics.median(repeats.map(\.seconds))
      case .fastest:
        (repeats.flatMap(\.callSeconds).min() ?? .nan) / (repeats.compactMap(\.paceSeconds?.lowerBound).min() ?? 1)
      }
    }
    var differences: [Double] = []
    var signed: [Double] = []
    var spreads: [Double] = []
    for repeats in series where repeats.count > 1 {
      let values = repeats.map(\.seconds)
      let inOrder = repeats.sorted { $0.atSeconds < $1.atSeconds }
      let part = max(values.count / 3, 1)
      let early = typical(inOrder.prefix(part))
      let late = typical(inOrder.suffix(part))
      differences.append(abs(log(late / early)))
      signed.append(log(late / early))
      spreads.append(1.4826 * Statistics.medianAbsoluteDeviation(values) / Statistics.median(values))
    }
    guard let most = differences.max() else { return nil }
    median = Statistics.median(differences)
    largest = most
    models = differences.count
    shift = Statistics.median(signed)
    shiftError =
      1.2533 * 1.4826 * Statistics.medianAbsoluteDeviation(signed) / Double(signed.count).squareRoot()
    repeatSpread = Statistics.median(spreads)
  }
}
