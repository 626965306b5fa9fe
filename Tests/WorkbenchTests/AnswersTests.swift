import Accuracy
import CoSearch
import Foundation
import Numerics
import Testing
import Twins

@testable import Workbench

@Suite struct AnswersTests {
  /// Ishigami and Homma's function, whose indices are known: a = 7, b = 0.1 (Saltelli et al., "Global sensitivity analysis", 2008).
  @Test func sobolIndicesOfIshigamisFunction() throws {
    let count = 16_384
    func inputs(_ sample: UInt64, _ index: Int) -> [Double] {
      (0..<3).map { dimension in
        var random = CounterRandom(seed: 1, stream: sample, UInt64(index), UInt64(dimension))
        return .pi * (2 * random.nextUniform() - 1)
      }
    }
    func value(_ x: [Double]) -> Double {
      let fourth = x[2] * x[2] * x[2] * x[2]
      return sin(x[0]) + 7 * sin(x[1]) * sin(x[1]) + 0.1 * fourth * sin(x[0])
    }
    let a = (0..<count).map { inputs(0, $0) }
    let b = (0..<count).map { inputs(1, $0) }
    let mixed = (0..<3).map { group in
      zip(a, b).map { one, two in
        var x = one
        x[group] = two[group]
        return value(x)
      }
    }
    let indices = try #require(SobolIndices(a: a.map(value), b: b.map(value), mixed: mixed))
    let pi4 = Double.pi * .pi * .pi * .pi
    let variance: Double = 49.0 / 8 + 0.1 * pi4 / 5 + 0.01 * pi4 * pi4 / 18 + 0.5
    let root: Double = 1 + 0.1 * pi4 / 5
    let first: [Double] = [0.5 * root * root / variance, 49.0 / 8 / variance, 0]
    let third: Double = 0.01 * pi4 * pi4 * (1.0 / 18 - 1.0 / 50) / variance
    let total: [Double] = [first[0] + third, first[1], third]
    #expect(abs(indices.variance / variance - 1) < 0.03)
    for group in 0..<3 {
      let index = indices.groups[group]
      let (alone, whole) = (abs(index.first - first[group]), abs(index.total - total[group]))
      #expect(alone < 0.05 && alone < 5 * index.firstError + 1e-9)
      #expect(whole < 0.05 && whole < 5 * index.totalError + 1e-9)
    }
    #expect(SobolIndices(a: [1, 2], b: [1, 2], mixed: []) == nil)
    let flat = [Double](repeating: 3, count: 32)
    #expect(SobolIndices(a: flat, b: flat, mixed: [flat])?.groups[0].total == 0)
  }

  @Test func theKneeIsWhereTheFrontBends() {
    // Steep up to 10 ms, flat behind it.
    let values = [(0.001, 60.0), (0.003, 70), (0.01, 80), (0.03, 81), (0.1, 82), (0.05, 70)].map {
      ObjectiveValues(accuracy: $0.1, latencySeconds: $0.0)
    }
    let exchange = Exchange(.latency, values)
    #expect(exchange.steps.map(\.index) == [0, 1, 2, 3, 4])
    #expect(exchange.knee?.index == 2)
    #expect(exchange.gain(at: 0.0095, factor: 1.1) == 10)
    #expect(exchange.gain(at: 0.01, factor: 1.1) == 0)
    #expect(exchange.gain(at: 0.0001, factor: 1.1) == nil)
    #expect(exchange.best(within: 0.05)?.index == 3)
    // A straight line has no knee.
    let line = [(0.001, 60.0), (0.01, 70), (0.1, 80)].map { ObjectiveValues(accuracy: $0.1, latencySeconds: $0.0) }
    #expect(Exchange(.latency, line).knee == nil)
    #expect(Exchanges(objectives: [.latency], values).all.isEmpty)
    let text = Exchanges(objectives: [.accuracy, .latency], values).text
    #expect(text.contains("10 % more latency buys") && text.contains("(the knee)"))
  }

  @Test func chancesAreThoseOfTheIntervals() {
    let level = 0.9
    let edge = Distributions.normalQuantile(0.95)
    func cost(_ median: Double, _ width: Double) -> Uncertain {
      Uncertain(
        Estimate(median: median, lower: median * exp(-width * edge), upper: median * exp(width * edge)), level: level)
    }
    let (a, b) = (cost(1, 0.3), cost(1.5, 0.4))
    #expect(abs(a.probability(atMost: 1) - 0.5) < 1e-12)
    #expect(abs(a.probability(atMost: exp(0.3 * edge)) - 0.95) < 1e-9)
    #expect(abs(a.quantile(0.05) - exp(-0.3 * edge)) < 1e-9)
    // Of two normals: Φ(distance / hypotenuse).
    let expected = Distributions.normalCDF(log(1.5) / 0.5)
    #expect(abs(a.probability(lessThan: b) - expected) < 2e-3)
    #expect(abs(a.probability(lessThan: b) + b.probability(lessThan: a) - 1) < 4e-3)
    #expect(abs(a.probability(lessThan: a) - 0.5) < 1e-6)
    // Lopsided: more room above than below.
    let lopsided = Uncertain(Estimate(median: 1, lower: 0.9, upper: 2), level: level)
    #expect(abs(lopsided.probability(atMost: 0.9) - 0.05) < 1e-9 && abs(lopsided.probability(atMost: 2) - 0.95) < 1e-9)
    let (one, two) = (Uncertain(exactly: 3), Uncertain(exactly: 4))
    #expect(one.probability(lessThan: two) == 1 && two.probability(lessThan: one) == 0)
    #expect(one.probability(lessThan: one) == 0.5)
  }

  @Test func thePublishedProblemIsTheFile() throws {
    let path = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../benchmarks/problems/published.yaml").standardizedFileURL.path
    #expect(try ProblemDocument(file: path).problem == PublishedRecords.problem)
    let scalar = try #require(PublishedRecords.problem.scalar)
    let values = ObjectiveValues(accuracy: 83.78, latencySeconds: 0.0133, energyJoules: 0.185, peakPowerWatts: 18.25)
    let own = PublishedRecords.objective(
      score: 0.8378, latencySeconds: 0.0133, energyJoules: 0.185, peakPowerWatts: 18.25)
    #expect(abs(scalar.value(values) - own) < 1e-12 && abs(own - 0.0872) < 5e-5)
  }

  @Test(.enabled(if: ProcessInfo.processInfo.environment["EDGETWIN_DATA"] != nil, "EDGETWIN_DATA names no data"))
  func theRecordsAreThoseThatAreBuiltIn() throws {
    let data = try PublishedData(folder: ProcessInfo.processInfo.environment["EDGETWIN_DATA"] ?? "")
    // What they chose is in the files only.
    let figures = data.runs.map { run in
      var run = run
      run.point = nil
      return run
    }
    #expect(figures.sorted { $0.name < $1.name } == PublishedRecords.runs.sorted { $0.name < $1.name })
    #expect(data.runs.allSatisfy { $0.point != nil })
    let best = try #require(data.pairs.min { $0.objective < $1.objective })
    #expect(best.model == PublishedRecords.bestProfiled.model && best.device == PublishedRecords.bestProfiled.device)
    #expect(abs(best.objective - PublishedRecords.bestProfiled.value) < 1e-12)
    #expect(data.pairs.count { $0.objective < PublishedRecords.plottedBest } == 5)
    #expect(!data.runs.contains { $0.best < PublishedRecords.bestProfiled.value })
  }
}
