import Foundation
import Numerics

/// How much better than all that is known a normal prediction is expected to be.
///
/// For one number in closed form (Jones, Schonlau and Welch 1998). For several, expected hypervolume improvement (Emmerich, Giannakoglou
/// and Naujoks 2006): the integral over what is not yet dominated of the probability of dominating it,
/// `∫ Π_j Φ((u_j − μ_j)/σ_j) du`, by quasi-random points.
struct Improvement: Sendable {
  let dimension: Int
  /// Best value of one number.
  private var best: Double
  private let low: SIMD8<Double>
  private let inverseRange: SIMD8<Double>
  /// Points of the unit box that nothing dominates.
  private var uncovered: [SIMD8<Double>]

  static let sampleCount = 1_024

  /// - Parameters:
  ///   - known: coordinates of feasible trials.
  ///   - scale: coordinates of trials that the box spans.
  ///   - reference: the worst coordinates that count; NaN lanes take the worst of `scale`.
  init(
    dimension: Int, known: [SIMD8<Double>], scale: [SIMD8<Double>], reference: SIMD8<Double>
  ) throws(NumericsError) {
    self.dimension = dimension
    best = known.map { $0[0] }.min() ?? .infinity
    var low = SIMD8<Double>(repeating: .infinity)
    var high = SIMD8<Double>(repeating: -.infinity)
    for row in scale {
      low = pointwiseMin(low, row)
      high = pointwiseMax(high, row)
    }
    var inverse = SIMD8<Double>(repeating: 0)
    for lane in 0..<8 {
      guard lane < dimension, low[lane].isFinite else {
        low[lane] = 0
        continue
      }
      if !reference[lane].isNaN { high[lane] = reference[lane] }
      if !(high[lane] > low[lane]) { high[lane] = low[lane] + max(abs(low[lane]), 1) * 0.1 }
      // The ideal lies beyond what was seen: that is where improvement is.
      low[lane] -= 0.1 * (high[lane] - low[lane])
      inverse[lane] = 1 / (high[lane] - low[lane])
    }
    self.low = low
    inverseRange = inverse
    uncovered = []
    if dimension > 1 {
      var sequence = try QuasiRandomSequence(.sobol, dimensions: dimension)
      for _ in 0..<Self.sampleCount {
        var point = SIMD8<Double>(repeating: 1)
        for (lane, value) in try sequence.next().enumerated() { point[lane] = value }
        uncovered.append(point)
      }
    }
    for row in known { cover(row) }
  }

  private func normalised(_ coordinates: SIMD8<Double>) -> SIMD8<Double> { (coordinates - low) * inverseRange }

  /// Counts coordinates as known.
  mutating func cover(_ coordinates: SIMD8<Double>) {
    best = min(best, coordinates[0])
    guard dimension > 1 else { return }
    let vector = normalised(coordinates)
    uncovered.removeAll { all(vector .<= $0) }
  }

  /// Improvement where the prediction is exact: cheap.
  func certain(_ coordinates: SIMD8<Double>) -> Double {
    if dimension == 1 { return best - coordinates[0] }
    let vector = normalised(coordinates)
    var count = 0
    for point in uncovered where all(vector .<= point) { count += 1 }
    // Where several add nothing, the nearer to the front is the better.
    return count > 0 ? Double(count) : -shortfall(vector)
  }

  /// How far a vector must move, the same in all lanes, to dominate some point that is not yet dominated.
  private func shortfall(_ vector: SIMD8<Double>) -> Double {
    var least = Double.infinity
    var mask = SIMD8<Double>(repeating: 0)
    for lane in 0..<dimension { mask[lane] = 1 }
    for point in uncovered { least = min(least, ((vector - point) * mask).max()) }
    return least
  }

  /// The expected improvement; for one number its closed form.
  func expected(_ coordinates: SIMD8<Double>, _ deviations: SIMD8<Double>) -> Double {
    if dimension == 1 {
      let deviation = max(deviations[0], 1e-12)
      let gain = best.isFinite ? best - coordinates[0] : -coordinates[0]
      let z = gain / deviation
      return gain * Double.normalCDF(z) + deviation * Double.normalDensity(z)
    }
    let vector = normalised(coordinates)
    let spread = pointwiseMax(deviations * inverseRange, SIMD8(repeating: 1e-9))
    var sum = 0.0
    for point in uncovered {
      let z = (point - vector) / spread
      var product = 1.0
      for lane in 0..<dimension {
        if z[lane] < -4 {
          product = 0
          break
        }
        if z[lane] < 4 { product *= Double.normalCDF(z[lane]) }
      }
      sum += product
    }
    return sum / Double(Self.sampleCount)
  }
}
