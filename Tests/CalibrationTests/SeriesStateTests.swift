import Foundation
import Numerics
import Testing

@testable import Calibration

@Suite("Regimes and stopwatches")
struct SeriesStateTests {
  static let sigma = 0.03

  static func series(_ levels: [Double], seed: UInt64) -> [Double] {
    zip(levels, normals(levels.count, seed: seed)).map { $0 + sigma * $1 }
  }

  @Test("planted change points are found where they are", arguments: 0..<8)
  func changePoints(seed: Int) {
    let levels = (0..<120).map { $0 < 40 ? 0.0 : ($0 < 70 ? -0.25 : 0.1) }
    let segments = RegimeDetection.segments(
      values: Self.series(levels, seed: UInt64(seed)), weights: [Double](repeating: 1, count: 120), sigma: Self.sigma)
    #expect(Set(segments) == [0, 1, 2])
    #expect((0..<120).allSatisfy { segments[$0] == ($0 < 40 ? 0 : ($0 < 70 ? 1 : 2)) })
  }

  @Test("a constant series is one stretch", arguments: 0..<20)
  func noChange(seed: Int) {
    let segments = RegimeDetection.segments(
      values: Self.series([Double](repeating: 1, count: 100), seed: UInt64(seed)),
      weights: [Double](repeating: 1, count: 100), sigma: Self.sigma)
    #expect(Set(segments) == [0])
  }

  @Test("short series are never split, and a stretch has at least the minimum length")
  func lengths() {
    #expect(RegimeDetection.segments(values: [0, 9, 0, 9], weights: [1, 1, 1, 1], sigma: 0.1) == [0, 0, 0, 0])
    let values = (0..<60).map { $0 == 30 || $0 == 31 ? 5.0 : 0 }
    let segments = RegimeDetection.segments(values: values, weights: values.map { _ in 1 }, sigma: 0.1)
    for regime in Set(segments) {
      #expect(segments.count { $0 == regime } >= RegimeDetection.minimumLength)
    }
  }

  @Test("rows that were measured in turns are of one state", arguments: 0..<4)
  func turns(seed: Int) {
    let levels = (0..<120).map { $0 < 43 ? 0.0 : ($0 < 70 ? -0.25 : 0.1) }
    let values = Self.series(levels, seed: UInt64(seed))
    func segments(_ orders: [Int]) -> [Int] {
      RegimeDetection.segments(
        values: values, weights: [Double](repeating: 1, count: 120), sigma: Self.sigma, orders: orders)
    }
    #expect(Set(segments([Int](repeating: 7, count: 120))) == [0])
    #expect(segments(Array(0..<120)).count { $0 == 0 } == 43)
    // In groups of ten a change shows where the next group starts.
    let grouped = segments((0..<120).map { $0 / 10 })
    #expect((1..<120).allSatisfy { grouped[$0] == grouped[$0 - 1] || $0 % 10 == 0 })
    #expect(Set(grouped).count >= 3)
  }

  @Test("a running median leaves outliers out")
  func runningMedian() {
    var values = [Double](repeating: 1, count: 30)
    values[10] = 100
    values[11] = 100
    let isOutlier = values.map { $0 > 50 }
    #expect(RegimeDetection.runningMedian(values, isOutlier: isOutlier) == [Double](repeating: 1, count: 30))
    #expect(RegimeDetection.runningMedian([3, 4], isOutlier: [true, true]) == [0, 0])
  }

  /// Median absolute deviation from `center` of a mixture of normals, by its quantiles.
  static func medianDeviation(_ center: Double, levels: [Double], sigma: Double) -> Double {
    let scatter = (0..<400).map { sigma * Distributions.normalQuantile((Double($0) + 0.5) / 400) }
    return Statistics.median(levels.flatMap { level in scatter.map { abs(level + $0 - center) } })
  }

  struct Mixture: Sendable {
    /// Rows at each level.
    var states: [(level: Double, rows: Int)]
    var sigma: Double

    var levels: [Double] { states.flatMap { [Double](repeating: $0.level, count: $0.rows) } }

    static let examples = [
      Mixture(states: [(0, 50), (0.2, 50)], sigma: 0.02), Mixture(states: [(0, 50), (0.2, 50)], sigma: 0.3),
      Mixture(states: [(0, 30), (0.2, 70)], sigma: 0.02),
      Mixture(states: [(-0.2, 28), (0, 5), (0.1, 40)], sigma: 0.04),
    ]
  }

  @Test("the typical level has the least median deviation", arguments: Mixture.examples)
  func typicalLevel(mixture: Mixture) throws {
    let (levels, sigma) = (mixture.levels, mixture.sigma)
    let found = RegimeDetection.typicalLevel(levels: levels, sigma: sigma)
    let low = try #require(levels.min())
    let high = try #require(levels.max())
    let best = (0...200).map {
      Self.medianDeviation(low + (high - low) * Double($0) / 200, levels: levels, sigma: sigma)
    }.min()
    #expect(Self.medianDeviation(found, levels: levels, sigma: sigma) < 1.05 * (try #require(best)) + 0.002)
  }

  @Test("of two states that are far apart, the typical level is that of one, never between")
  func twoStates() {
    let equal = [Double](repeating: 0, count: 50) + [Double](repeating: 0.2, count: 50)
    let level = RegimeDetection.typicalLevel(levels: equal, sigma: 0.005)
    #expect(min(abs(level), abs(level - 0.2)) < 0.011)
    let uneven = [Double](repeating: 0, count: 40) + [Double](repeating: 0.2, count: 60)
    #expect(abs(RegimeDetection.typicalLevel(levels: uneven, sigma: 0.005) - 0.2) < 0.011)
    #expect(RegimeDetection.typicalLevel(levels: [0.3, 0.3, 0.3], sigma: 0.1) == 0.3)
  }

  // MARK: Stopwatch

  @Test("a planted grid is found", arguments: [0.03, 0.06, 0.08, 0.12], 0..<4)
  func grid(share: Double, seed: Int) throws {
    let step = share * 10
    let times = normals(60, seed: UInt64(seed)).map { 10 * exp(0.35 * $0) }
    let measured = times.map { max(1, ($0 / step).rounded()) * step }
    let grid = try #require(StopwatchGrid(seconds: measured))
    #expect(abs(grid.stepSeconds / step - 1) < 0.002)
    #expect(abs(grid.shareOfMedian - grid.stepSeconds / Statistics.median(measured)) < 1e-12)
  }

  @Test("continuous times have no grid", arguments: 0..<40)
  func noGrid(seed: Int) {
    #expect(StopwatchGrid(seconds: normals(60, seed: UInt64(seed)).map { 10 * exp(0.35 * $0) }) == nil)
  }

  @Test("few times show no grid")
  func fewTimes() { #expect(StopwatchGrid(seconds: [1, 2, 3, 4, 5]) == nil) }
}
