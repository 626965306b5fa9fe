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

  /// Points of the box, uncovered or not.
  private let sampleCount: Int

  /// Points that are enough for so many trials: as the front fills, what is left to gain gets smaller.
  static func sampleCount(trials: Int) -> Int { trials < 150 ? 1_024 : trials < 600 ? 4_096 : 8_192 }

  /// - Parameters:
  ///   - known: coordinates of feasible trials.
  ///   - scale: coordinates of trials that the box spans.
  ///   - reference: the worst coordinates that count; NaN lanes take the worst of `scale`.
  ///   - sampleCount: of the points that volume is counted on.
  init(
    dimension: Int, known: [SIMD8<Double>], scale: [SIMD8<Double>], reference: SIMD8<Double>, sampleCount: Int = 1_024
  ) throws(NumericsError) {
    self.dimension = dimension
    self.sampleCount = sampleCount
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
      for _ in 0..<sampleCount {
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
    return chances(coordinates, deviations).reduce(0) { $0 + Double($1) } / Double(sampleCount)
  }

  /// The probability of dominating each point that nothing dominates yet; none for one number.
  func chances(_ coordinates: SIMD8<Double>, _ deviations: SIMD8<Double>) -> [Float] {
    let vector = normalised(coordinates)
    var inverse = SIMD8<Double>(repeating: 1) / pointwiseMax(deviations * inverseRange, SIMD8(repeating: 1e-9))
    for lane in dimension..<8 { inverse[lane] = 1 }
    return uncovered.map { point in
      let z = (point - vector) * inverse
      var product = 1.0
      if any(z .< -4) { return 0 }
      for lane in 0..<dimension where z[lane] < 4 { product *= Double.normalCDF(z[lane]) }
      return Float(product)
    }
  }

  /// ``expected(_:_:)`` of several numbers, from ``chances(_:_:)``.
  func expected(_ chances: [Float]) -> Double { chances.reduce(0) { $0 + Double($1) } / Double(sampleCount) }

  /// Counts coordinates as known.
  /// - Returns: the positions of the points that nothing dominates still.
  mutating func coverKeeping(_ coordinates: SIMD8<Double>) -> [Int] {
    let vector = normalised(coordinates)
    let kept = uncovered.indices.filter { !all(vector .<= uncovered[$0]) }
    best = min(best, coordinates[0])
    uncovered = kept.map { uncovered[$0] }
    return kept
  }
}
