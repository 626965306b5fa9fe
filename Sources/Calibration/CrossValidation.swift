import Foundation
import Numerics
import Twins

/// What rows that were held out say about a fit: the residuals that intervals are made of, and the errors that a report shows.
struct CrossValidation: Sendable {
  /// Of one measure.
  struct Scores: Sendable {
    /// Row indices in the series.
    var rows: [Int] = []
    var fold: [Int] = []
    /// ln(measured/predicted) with the regime of the held-out row known, by its place in the series.
    var known: [Double] = []
    /// The same with the regime unknown.
    var unknown: [Double] = []

    var medianAbsolutePercentageError: Double {
      Statistics.median(unknown.map { abs(exp(-$0) - 1) })
    }
  }

  var latency = Scores()
  var energy = Scores()
  var peakPower = Scores()
  let folds: Int

  static let maximumFolds = 8

  /// - Parameter seed: of the assignment of rows to folds.
  init(_ data: TwinFit.Data, seed: UInt64) throws {
    let n = data.count
    // All rows of a model are held out together, where there are models enough: at another setting it is no unseen model.
    let known = Set(data.models).sorted()
    let numbers = known.count < Self.maximumFolds ? Array(0..<n) : data.models
    let models = Set(numbers).sorted()
    folds = min(models.count, Self.maximumFolds)
    var random = CounterRandom(seed: seed, stream: 1)
    let shuffled = models.shuffled(using: &random)
    let foldOf = Dictionary(
      shuffled.enumerated().map { ($1, $0 % folds) }, uniquingKeysWith: { first, _ in first })
    let fold = numbers.map { foldOf[$0] ?? 0 }
    for held in 0..<folds {
      let test = (0..<n).filter { fold[$0] == held }
      let fit = try TwinFit(data.selecting((0..<n).filter { fold[$0] != held }))
      let heldOut = data.selecting(test)
      let predicted = fit.logPredictions(heldOut)
      for (index, row) in test.enumerated() {
        let order = data.orders[row]
        if let seconds = heldOut.latencySeconds[index] {
          latency.add(
            row: row, fold: held, residual: log(seconds) - predicted.latency[index],
            level: fit.latency.level(at: order), typical: fit.latency.typicalLevel)
        }
        if let joules = heldOut.energyJoules[index], let energy = fit.energy, let values = predicted.energy {
          self.energy.add(
            row: row, fold: held, residual: log(joules) - values[index], level: energy.level(at: order),
            typical: energy.typicalLevel)
        }
        if let watts = heldOut.peakPowerWatts[index], let values = predicted.peakPower {
          peakPower.add(row: row, fold: held, residual: log(watts) - values[index], level: 0, typical: 0)
        }
      }
    }
  }
}

extension CrossValidation.Scores {
  fileprivate mutating func add(row: Int, fold: Int, residual: Double, level: Double, typical: Double) {
    rows.append(row)
    self.fold.append(fold)
    known.append(residual - level)
    unknown.append(residual - typical)
  }

  /// Conformal spread around the median for a device in an unknown state: every regime's level, by how many rows it has, with the
  /// scatter inside regimes around it, taken as symmetric.
  /// - Parameter levels: of the full fit's rows, less the typical level.
  func spread(levels: [Double], excluding held: Int? = nil) -> Spread {
    let scatter = known.indices.filter { fold[$0] != held }.map { known[$0] }
    let states = Dictionary(grouping: levels, by: \.self).sorted { $0.key < $1.key }
    var offsets: [Double] = []
    var weights: [Double] = []
    for state in states {
      for value in scatter {
        offsets.append(state.key + value)
        offsets.append(state.key - value)
        weights.append(Double(state.value.count))
        weights.append(Double(state.value.count))
      }
    }
    return Spread(conformal: offsets, weights: weights, rows: scatter.count)
  }

  /// Share of rows inside the interval at `level` that the rows of the other folds give.
  func coverage(levels: [Double], level: Double) -> Double {
    guard !rows.isEmpty else { return .nan }
    var inside = 0
    for held in Set(fold) {
      let bounds = spread(levels: levels, excluding: held).offsets(level: level)
      inside += unknown.indices.count { fold[$0] == held && (bounds.lower...bounds.upper).contains(unknown[$0]) }
    }
    return Double(inside) / Double(rows.count)
  }
}
