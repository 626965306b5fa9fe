import Foundation
import Twins

/// Words and numbers for the states of a device that a fit told apart.
public struct RegimeReport: Sendable, Hashable, Codable {
  public var measure: String
  public var regimes: [Regime]
  /// Positions in the series of rows that are no part of any regime, with their factor to the prediction.
  public var outliers: [Outlier]

  public struct Outlier: Sendable, Hashable, Codable {
    public var order: Int
    public var factor: Double
  }

  init(measure: String, fit: SeriesFit, typicalLevel: Double) {
    self.measure = measure
    regimes = Self.regimes(of: fit, typicalLevel: typicalLevel)
    outliers = fit.orders.indices.filter { fit.isOutlier[$0] }
      .map { Outlier(order: fit.orders[$0], factor: exp(fit.residuals[$0])) }
      .sorted { $0.order < $1.order }
  }

  static func regimes(of fit: SeriesFit, typicalLevel: Double) -> [Regime] {
    fit.levels.indices.compactMap { index in
      let orders = fit.orders.indices.filter { fit.segments[$0] == index }.map { fit.orders[$0] }
      guard let first = orders.min(), let last = orders.max() else { return nil }
      return Regime(first: first, last: last, rows: orders.count, factor: exp(fit.levels[index] - typicalLevel))
    }
  }

  /// A sentence for each regime that differs by more than its likely error, and for the outliers.
  public var sentences: [String] {
    var result: [String] = []
    if regimes.count > 1 {
      for regime in regimes {
        let percent = Int(((regime.factor - 1) * 100).rounded())
        guard percent != 0 else { continue }
        result.append(
          "\(measure): rows \(regime.first)..\(regime.last) were taken in another state of the device:"
            + " \(abs(percent)) % \(percent > 0 ? "above" : "below") the typical one")
      }
    }
    if !outliers.isEmpty {
      let list = outliers.prefix(12).map { String(format: "%d (%.2f×)", $0.order, $0.factor) }
      result.append(
        "\(measure): \(outliers.count == 1 ? "row" : "rows") \(list.joined(separator: ", ")) left out as outliers")
    }
    return result
  }
}
