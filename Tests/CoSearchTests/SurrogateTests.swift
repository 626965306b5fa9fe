import Architectures
import Foundation
import Numerics
import Testing

@testable import CoSearch

@Suite struct SurrogateTests {
  static func rows(_ count: Int, width: Int) -> [[Double]] {
    (0..<count).map { index in
      var random = CounterRandom(seed: 3, stream: UInt64(index))
      return (0..<width).map { _ in 2 * random.nextUniform() - 1 }
    }
  }

  @Test func gaussianProcessInterpolatesAndSharesDevices() throws {
    let rows = Self.rows(60, width: 3)
    let devices = rows.indices.map { $0 % 2 }
    let targets = rows.indices.map { sin(2 * rows[$0][0]) + rows[$0][1] + Double(devices[$0]) }
    let process = try GaussianProcess(rows: rows, devices: devices, targets: [targets, targets.map { -3 * $0 + 1 }])
    var error = 0.0
    for (index, row) in Self.rows(100, width: 3).suffix(40).enumerated() {
      let device = index % 2
      let (means, deviations) = process.predict(row, device: device)
      let truth = sin(2 * row[0]) + row[1] + Double(device)
      error += (means[0] - truth) * (means[0] - truth) / 40
      #expect(abs(means[1] - (-3 * means[0] + 1)) < 1e-6)
      #expect(deviations[0] > 0 && abs(deviations[1] - 3 * deviations[0]) < 1e-6)
      #expect(abs(process.means(row, device: device)[0] - means[0]) < 1e-12)
    }
    #expect(error.squareRoot() < 0.1)
    let (means, deviations) = process.predict(rows[7], device: devices[7])
    #expect(abs(means[0] - targets[7]) < 0.05 && deviations[0] < 0.1)
    let far = process.predict([9, 9, 9], device: 0)
    #expect(far.deviations[0] > 5 * deviations[0])
  }

  @Test func treesFitSteps() {
    let rows = Self.rows(200, width: 4)
    let targets = rows.map { ($0[0] > 0 ? 2.0 : -1) + ($0[1] > 0.3 ? 1 : 0) }
    let forest = RegressionForest(rows, targets, seed: 1, stream: 2)
    let boosted = BoostedTrees(rows, targets, seed: 1, stream: 2)
    for (row, expected) in [([0.6, 0.8, 0, 0], 3.0), ([-0.6, -0.5, 0, 0], -1), ([0.5, -0.5, 0, 0], 2)] {
      #expect(abs(forest.predict(row).mean - expected) < 0.4)
      #expect(abs(boosted.predict(row).mean - expected) < 0.4)
    }
    #expect(forest.predict([0.01, 0.29, 0, 0]).deviation > forest.predict([0.6, 0.8, 0, 0]).deviation)
  }

  @Test func closeTreesMeetATableAndHeldOutErrorsAreOfOtherRows() {
    var random = CounterRandom(seed: 4)
    let rows = (0..<300).map { _ in (0..<4).map { _ in Double(random.nextIndex(below: 10)) } }
    let targets = rows.map { ($0[0] > 4 ? 1.0 : 0) + ($0[1] > 6 && $0[2] > 3 ? 2.0 : 0) }
    let trees = BoostedTrees(rows, targets, seed: 1, stream: 2, configuration: .close)
    for (row, target) in zip(rows, targets) { #expect(abs(trees.predict(row).mean - target) < 1e-4) }
    #expect(BoostedTrees.heldOutError(rows, targets, seed: 1, configuration: .close) < 0.3)
    let noise = rows.map { _ in random.nextNormal() }
    #expect(BoostedTrees.heldOutError(rows, noise, seed: 1, configuration: .close) > 0.9)
    let constant = BoostedTrees([[1], [2]], [5, 5], seed: 1, stream: 2, configuration: .close)
    #expect(constant.predict([9]).mean == 5)
  }

  /// One tree, grown from rows sorted once and anew at each node.
  @Test func sortedRowsGiveTheSameTree() {
    let rows = Self.rows(120, width: 3)
    let targets = rows.map { sin(3 * $0[0]) + $0[1] * $0[2] }
    let growth = RegressionTree.Growth(maximumDepth: 5, leastLeaf: 3)
    var random = CounterRandom(seed: 1)
    let one = RegressionTree(SortedRows(rows), targets, growth: growth)
    let other = RegressionTree(rows, targets, subset: Array(rows.indices), growth: growth, using: &random)
    for row in rows { #expect(abs(one.predict(row).mean - other.predict(row).mean) < 1e-12) }
  }

  /// Against a plain Monte-Carlo estimate.
  @Test func expectedHypervolumeImprovement() throws {
    func lanes(_ values: [Double]) -> SIMD8<Double> {
      var result = SIMD8<Double>(repeating: 0)
      for (lane, value) in values.enumerated() { result[lane] = value }
      return result
    }
    let known = [lanes([0.2, 0.7]), lanes([0.5, 0.4]), lanes([0.8, 0.1])]
    let improvement = try Improvement(dimension: 2, known: known, scale: known, reference: lanes([1, 1, .nan]))
    // The box is from a tenth beyond the best to the reference.
    let low = (0.2 - 0.08, 0.1 - 0.09)
    let area = (1 - low.0) * (1 - low.1)
    let (mean, deviation) = (lanes([0.35, 0.4]), lanes([0.1, 0.15]))
    var random = CounterRandom(seed: 1)
    var sum = 0.0
    let draws = 20_000
    for _ in 0..<draws {
      let sample = [0.35 + 0.1 * random.nextNormal(), 0.4 + 0.15 * random.nextNormal()]
      let clamped = [max(sample[0], low.0), max(sample[1], low.1)]
      let all = known.map { [$0[0], $0[1]] }
      sum += Hypervolume.exact(all + [clamped], reference: [1, 1]) - Hypervolume.exact(all, reference: [1, 1])
    }
    let expected = sum / Double(draws) / area
    #expect(abs(improvement.expected(mean, deviation) - expected) < 0.05 * expected)
    #expect(improvement.certain(lanes([0.6, 0.5])) < 0)
    #expect(improvement.certain(lanes([0.3, 0.3])) > 0)

    let single = try Improvement(
      dimension: 1, known: [lanes([2])], scale: [lanes([2]), lanes([5])], reference: lanes([]))
    // Standard normal table: φ(0.5) − 0.5·(1 − Φ(0.5)) = 0.1978.
    #expect(abs(single.expected(lanes([2.5]), lanes([1])) - 0.1978) < 1e-4)
  }

  @Test func nonDominatedSortingAndNiches() {
    func trial(_ a: Double, _ b: Double, violation: Double = 0) -> Trial {
      Trial(
        proposal: Proposal(point: DesignPoint(layers: []), device: 0), coordinates: SIMD8(a, b, 0, 0, 0, 0, 0, 0),
        scalar: .nan, violation: violation, quantities: SIMD8(repeating: .nan))
    }
    let trials = [
      trial(1, 4), trial(2, 2), trial(4, 1), trial(3, 3), trial(5, 5), trial(0, 0, violation: 2),
      trial(9, 9, violation: 1),
    ]
    #expect(NonDominatedSorting.fronts(trials) == [[0, 1, 2], [3], [4], [6], [5]])
    let crowding = NonDominatedSorting.crowding([0, 1, 2], trials, dimension: 2)
    #expect(crowding[0] == .infinity && crowding[2] == .infinity)
    #expect(abs((crowding[1] ?? 0) - 2) < 1e-12)

    let directions = ReferenceDirections(dimension: 3, count: 28)
    #expect(directions.directions.count == 28)  // Das and Dennis: C(6 + 2, 2)
    #expect(directions.directions.allSatisfy { abs($0.sum() - 1) < 1e-12 })
    let spread = (0...10).map { trial(Double($0) / 10, 1 - Double($0) / 10) }
    let two = ReferenceDirections(dimension: 2, count: 3)
    let chosen = two.select(3, from: Array(spread.indices), chosen: [], spread)
    #expect(Set(chosen) == [0, 5, 10])
  }
}
