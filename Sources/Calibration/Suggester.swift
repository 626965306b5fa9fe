import Architectures
import Foundation
import Measurements
import Numerics
import Twins

import struct Measurements.Measurement

/// Says what to measure next on a device: the architectures that lower the mean relative prediction variance over all candidates most.
///
/// The model behind it is the coarsest feature set, each row relative to what the model is expected to cost: by the fit where there are
/// rows enough for one, else by shares that hold for any device. A prior that counts as one and a half rows keeps the choice
/// sensible with nothing measured.
public struct Suggester: Sendable {
  public var file: DeviceFile
  public var runtime: String
  /// Decides between candidates that are worth the same.
  public var seed: UInt64
  public var prior: DatasheetPrior

  private static let priorPrecision = 1.5
  /// Terms that contribute little on any device are worth less to know.
  private static let minorTerms: Set<Feature> = [.layers, .feedForwardStacks]
  private static let minorWeight = 0.3
  /// Of the cost of an average candidate, on any device: with nothing measured they choose no worse than the datasheet's shares,
  /// replayed on the published rows.
  private static let expectedShares: [Feature: Double] = [
    .constant: 0.2, .layers: 0.05, .heads: 0.25, .productFLOPs: 0.2, .relativeScoreBytes: 0.1, .parameterBytes: 0.2,
  ]
  private static let minimumFittedRows = 6
  private static let outlierWeight = 0.3
  /// Costs are taken for no less than this share of the median: a small divisor would make its row all that counts.
  private static let smallestCost = 0.2
  /// A term that only a few of the models have (paging) must not be expected to cost those few everything: its largest row, in means of
  /// the other terms.
  private static let largestTerm = 6.0

  public init(file: DeviceFile, runtime: String, seed: UInt64 = 0, prior: DatasheetPrior = .standard) {
    self.file = file
    self.runtime = runtime
    self.seed = seed
    self.prior = prior
  }

  /// - Parameters:
  ///   - measured: what is known; rows of other devices and runtimes, and rows without an architecture, are left aside. None is fine: the
  ///     settings are then those of the device file.
  ///   - candidates: those that are measured already (by their `id`) and repeats are not suggested.
  /// - Returns: at most `count`, the most worth first.
  /// - Throws: ``CalibrationError``, or `TwinError` where the device does not have the runtime.
  public func suggest(measured: [Measurement], candidates: [Architecture], count: Int) throws -> [Suggestion] {
    guard let entry = file.runtimes[runtime] else {
      throw TwinError.unknownRuntime(runtime, device: file.device.id, known: file.runtimes.keys.sorted())
    }
    let calibrator = Calibrator(file: file, runtime: runtime, seed: seed, prior: prior)
    let known = measured.filter {
      $0.device == file.device.id && $0.runtime == runtime && $0.architecture != nil
    }
    let series = known.isEmpty ? nil : try calibrator.series(known).0
    // Features are those of the settings that are most common among the rows.
    let settings = series?.settings ?? file.defaultSettings(runtime: runtime)

    var seen = Set(known.compactMap { $0.architecture?.id })
    let free = candidates.indices.filter { seen.insert(candidates[$0].id).inserted }
    guard !free.isEmpty else { throw CalibrationError.noCandidates }
    guard count > 0 else { return [] }

    let roofs = entry.variant.usesRoofs ? RoofTable(device: file.device, settings: settings) : nil
    // Rows: the free candidates, then the measured models, together the population that predictions are wanted for.
    let features =
      free.map { index in
        let position = candidates[index].position
        return FeatureForm(settings: settings, variant: entry.variant, position: position, roofs: roofs)
          .total(of: candidates[index])
      } + (series?.features ?? [])
    let datasheet = calibrator.datasheetTwin(variant: entry.variant, settings: settings)
    let sets = calibrator.featureSets(for: features, datasheet: datasheet.latency(), variant: entry.variant)
    let table = FeatureTable(features: features, sets: Array(sets.prefix(1)))
    guard let set = table.sets.first, let costs = table.designs.first else { return [] }

    let timed = (series?.latencySeconds ?? []).enumerated().compactMap { index, seconds in
      seconds.map { (row: free.count + index, seconds: $0) }
    }
    let expected = try expectation(of: costs, set: set, timed: timed)
    let design = VarianceDesign(
      rows: Self.relativeRows(costs, set: set, expected: expected.costs), population: Array(0..<features.count),
      measured: zip(timed, expected.weights).map { ($0.row, $1) }, priorPrecision: Self.priorPrecision)
    var random = CounterRandom(seed: seed, stream: 3)
    let choices = try design.choose(count, from: Array(free.indices).shuffled(using: &random))
    let variance = try design.meanVariance()
    return choices.map { choice in
      let index = free[choice.row]
      return Suggestion(
        index: index, architecture: candidates[index], gain: choice.drop / variance,
        reason: Self.reason(choice, set: set, costs: costs))
    }
  }

  /// What each row is expected to cost, up to a common factor, and what each measured row counts for.
  private func expectation(
    of costs: Matrix, set: FeatureSet, timed: [(row: Int, seconds: Double)]
  ) throws -> (costs: [Double], weights: [Double]) {
    let ones = [Double](repeating: 1, count: timed.count)
    guard timed.count >= Self.minimumFittedRows else {
      // Roofs know the costs before anything is measured.
      if set.terms.contains(where: { $0.feature.isOfRoofs }) { return (costs * set.terms.map(\.share), ones) }
      let scales = set.terms.indices.map { column in
        let mean = Statistics.mean(costs.column(column))
        return mean > 0 ? (Self.expectedShares[set.terms[column].feature] ?? 0) / mean : 0
      }
      return (costs * scales, ones)
    }
    let fit = try FormFit(
      design: costs.selectingRows(timed.map(\.row)), set: set, values: timed.map(\.seconds), weights: ones,
      options: .init())
    let fitted = costs * fit.coefficients
    let floor = max(Self.smallestCost * Statistics.median(fitted), MeasureFloor.value)
    let residuals = timed.map { log(max(fitted[$0.row], MeasureFloor.value) / $0.seconds) }
    let limit = max(6 * max(SeriesFit.deviation(residuals), 0.03), 0.3)
    return (
      fitted.map { max($0, floor) }, residuals.map { abs($0) > limit ? Self.outlierWeight : 1 }
    )
  }

  /// Costs' terms relative to the expected cost, each column brought to mean 1, or less where few rows have all of it, times what the
  /// term counts for.
  private static func relativeRows(_ costs: Matrix, set: FeatureSet, expected: [Double]) -> Matrix {
    var result = costs
    for column in 0..<costs.columnCount {
      var (sum, largest) = (0.0, 0.0)
      for row in 0..<costs.rowCount {
        result[row, column] /= expected[row]
        sum += result[row, column]
        largest = max(largest, result[row, column])
      }
      let unit = max(sum / Double(costs.rowCount), largest / largestTerm)
      let weight = minorTerms.contains(set.terms[column].feature) ? minorWeight : 1
      for row in 0..<costs.rowCount { result[row, column] *= unit > 0 ? weight / unit : weight }
    }
    return result
  }

  // MARK: Words

  private static func reason(_ choice: VarianceDesign.Choice, set: FeatureSet, costs: Matrix) -> String {
    guard let column = choice.parts.indices.max(by: { choice.parts[$0] < choice.parts[$1] }) else { return "" }
    let term = set.terms[column]
    guard term.feature != .constant else { return "tells most about the fixed cost: a small model" }
    let value = quantity(costs[choice.row, column] * term.reference, unit: term.feature.unit)
    let median = quantity(Statistics.median(costs.column(column)) * term.reference, unit: term.feature.unit)
    return "tells most about \(Identifiability.name(term)): \(value), where the median model has \(median)"
  }

  private static func quantity(_ value: Double, unit: String) -> String {
    switch unit {
    case "B": String(format: "%.0f MB", value / 1e6)
    case "FLOP": String(format: "%.3g GFLOP", value / 1e9)
    default: String(format: "%.0f", value)
    }
  }
}
