import Architectures
import Foundation
import Measurements
import Numerics
import Testing
import Twins

@testable import Workbench

@Suite struct CurseTests {
  /// Tabulated expected values of the largest of n standard normals (Harter, Biometrika 48, 1961).
  @Test(arguments: [(1, 0), (2, 0.56419), (3, 0.84628), (5, 1.16296), (10, 1.53875), (100, 2.50759)])
  func largestOfNormals(_ count: Int, _ expected: Double) {
    #expect(abs(OptimisersCurse.expectedMaximum(of: count) - expected) < 1e-5)
  }

  @Test func equalsFollowOrderStatistics() {
    for count in [2, 10] {
      let candidates = Array(repeating: OptimisersCurse.Candidate(logMedian: 0, deviation: 0.1), count: count)
      let expected = OptimisersCurse.expectedRegressionOfFront(candidates, draws: 4_000, seed: 3)
      #expect(abs(expected - 0.1 * OptimisersCurse.expectedMaximum(of: count)) < 0.006)
    }
  }

  @Test func noChoiceNoCurse() {
    let one = [OptimisersCurse.Candidate(logMedian: 0, deviation: 0.2)]
    #expect(abs(OptimisersCurse.expectedRegressionOfFront(one, draws: 4_000)) < 0.012)
    // Those that are far apart are never mistaken for each other.
    let far = (0..<5).map { OptimisersCurse.Candidate(logMedian: 3 * Double($0), deviation: 0.1) }
    #expect(abs(OptimisersCurse.expectedRegressionOfFront(far, draws: 4_000)) < 0.006)
    #expect(OptimisersCurse.expectedRegressionOfFront([]) == 0)
    let exact = (0..<5).map { _ in OptimisersCurse.Candidate(logMedian: 0, deviation: 0) }
    #expect(OptimisersCurse.expectedRegressionOfFront(exact) == 0)
  }

  @Test func closeRivalsMakeItWorse() {
    func crowd(_ count: Int) -> Double {
      OptimisersCurse.expectedRegressionOfFront(
        (0..<count).map { .init(logMedian: 0.01 * Double($0), deviation: 0.1, merit: Double($0 % 3)) }, draws: 1_000)
    }
    #expect(crowd(4) < crowd(40) && crowd(40) < 0.3)
    #expect(crowd(20) == crowd(20))
  }

  /// The choice itself, made many times on predictions whose errors are known: the simulation foretells what is seen.
  @Test func foretellsWhatASearchSees() {
    var seen: [Double] = []
    var foretold: [Double] = []
    for world in 0..<60 {
      var random = CounterRandom(seed: 5, stream: UInt64(world))
      let truths = (0..<30).map { _ in 0.3 * random.nextNormal() }
      let predictions = truths.map { $0 + 0.08 * random.nextNormal() }
      let chosen = OptimisersCurse.front(merits: truths.map { _ in 0 }, logTimes: predictions)
      seen.append(truths[chosen[0]] - predictions[chosen[0]])
      foretold.append(
        OptimisersCurse.expectedRegressionOfFront(
          predictions.map { .init(logMedian: $0, deviation: 0.08) }, draws: 100, seed: UInt64(world)))
    }
    let (a, b) = (Statistics.mean(seen), Statistics.mean(foretold))
    #expect(a > 0.005 && b > 0.005 && abs(a - b) < 0.03)
  }

  @Test func frontTakesTheBestOfEachMerit() {
    #expect(OptimisersCurse.front(merits: [1, 2, 2, 3, 1], logTimes: [0, 1, 0.5, 2, -1]) == [4, 2, 3])
    let deviation = OptimisersCurse.Candidate(
      Estimate(median: 1, lower: exp(-1.6448536), upper: exp(1.6448536)), level: 0.9
    ).deviation
    #expect(abs(deviation - 1) < 1e-6)
  }
}

@Suite struct AgreementTests {
  private func pair(_ predicted: Double, _ measured: Double, half: Double = 0.1) -> PredictedAgainstMeasured {
    PredictedAgainstMeasured(
      id: "x", predicted: Estimate(median: predicted, lower: predicted * (1 - half), upper: predicted * (1 + half)),
      measuredSeconds: measured)
  }

  @Test func knownValues() throws {
    let agreement = try #require(Agreement([pair(1, 1.05), pair(2, 2), pair(4, 5), pair(3, 2.9), pair(5, 5.1)]))
    #expect(agreement.count == 5 && agreement.coverage == 0.8)
    // |errors| / measured: 0.0476, 0, 0.2, 0.0345, 0.0196.
    #expect(abs(agreement.medianAbsolutePercentageError - 0.1 / 2.9) < 1e-12)
    #expect(
      abs(agreement.bias - 0.02) < 1e-12 && abs(agreement.spearman - 1) < 1e-9 && abs(agreement.kendall - 1) < 1e-9)
    // The extremes of five miss the median with probability 2/32.
    #expect(abs((agreement.biasInterval?.lowerBound ?? 0) - (2.9 / 3 - 1)) < 1e-12)
    #expect(abs((agreement.biasInterval?.upperBound ?? 0) - 0.25) < 1e-12)
    #expect(Agreement([]) == nil && Agreement([pair(1, 1)])?.biasInterval == nil)
    // One swap among three: Spearman 0.5, Kendall 1/3.
    let swapped = try #require(Agreement([pair(1, 1), pair(2, 3), pair(3, 2)]))
    #expect(abs(swapped.spearman - 0.5) < 1e-12 && abs(swapped.kendall - 1.0 / 3) < 1e-12)
  }

  @Test func wilsonAndMedianIntervals() {
    // 8 of 10 at 95 %: 0.490 to 0.943.
    let wilson = Agreement.wilson(successes: 8, of: 10, level: 0.95)
    #expect(abs(wilson.lowerBound - 0.4902) < 1e-4 && abs(wilson.upperBound - 0.9433) < 1e-4)
    // Order statistics 2 and 9 of ten hold the median with 97.9 %, 3 and 8 with 89.1 %.
    #expect(Agreement.medianInterval((1...10).map(Double.init), level: 0.9) == 2...9)
    #expect(Agreement.medianInterval((1...10).map(Double.init), level: 0.89) == 3...8)
  }

  @Test func classesAreRankedByDifference() {
    func row(_ name: String, _ predicted: Double, _ measured: Double) -> KernelClassComparison.Row {
      .init(name, predictedSeconds: predicted, measuredSeconds: measured)
    }
    let one = KernelClassComparison(rows: [row("softmax", 1, 2), row("feed_forward", 5, 2)])
    #expect(one.rows.map(\.name) == ["feed_forward", "softmax"])
    let sum = KernelClassComparison.sum([one, KernelClassComparison(rows: [row("softmax", 1, 9)])])
    #expect(sum.rows == [row("softmax", 2, 11), row("feed_forward", 5, 2)])
  }

  @Test func fusedStepsAreComparedWithTheirParts() {
    let predicted: [(kernelClass: KernelClass, seconds: Double)] = [
      (.projection, 8), (.scores, 1), (.softmax, 2), (.fourier, 3), (.feedForward, 16), (.activation, 4),
      (.normalisation, 2), (.pooler, 1),
    ]
    let steps: [(kernelClass: String, seconds: Double)] = [
      ("projection", 10), ("attention", 2), ("attention", 2), ("feed_forward", 20), ("projection", 10), ("head", 4),
    ]
    let comparison = KernelClassComparison(predicted: predicted, steps: steps, batchSize: 2)
    let rows = Dictionary(uniqueKeysWithValues: comparison.rows.map { ($0.name, $0) })
    #expect(rows["projection"]?.predictedSeconds == 9 && rows["projection"]?.measuredSeconds == 10)
    #expect(rows["attention"]?.predictedSeconds == 6 && rows["attention"]?.measuredSeconds == 2)
    #expect(rows["feed_forward"]?.predictedSeconds == 21 && rows["feed_forward"]?.measuredSeconds == 10)
    #expect(rows["head"]?.predictedSeconds == 0 && rows["pooler"]?.measuredSeconds == 0 && rows.count == 5)
    #expect(comparison.rows.reduce(0) { $0 + $1.predictedSeconds } == 37)
  }
}
