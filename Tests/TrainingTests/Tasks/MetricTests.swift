import Foundation
import Testing

@testable import Training

/// Figures of scikit-learn and SciPy, written by benchmarks/training/metric_fixture.py.
private struct KnownMetrics: Decodable, Sendable {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var predicted: [Double]
    var expected: [Double]
    /// Null where the figure is not defined.
    var values: [String: Double?]

    var testDescription: String { name }
  }

  var cases: [Case]

  static let shared: KnownMetrics? = {
    guard let url = Bundle.module.url(forResource: "metrics", withExtension: "json", subdirectory: "Fixtures"),
      let data = try? Data(contentsOf: url)
    else { return nil }
    return try? JSONDecoder().decode(KnownMetrics.self, from: data)
  }()
}

@Suite struct MetricTests {
  @Test func fixtureIsThere() { #expect((KnownMetrics.shared?.cases.count ?? 0) > 10) }

  @Test(arguments: KnownMetrics.shared?.cases ?? [])
  fileprivate func valuesAreThoseOfScikitLearn(_ known: KnownMetrics.Case) throws {
    #expect(!known.values.isEmpty)
    for (name, expected) in known.values {
      let value = try #require(Metric(rawValue: name)).value(predicted: known.predicted, expected: known.expected)
      if let expected {
        #expect(abs(value - expected) < 1e-12, "\(name)")
      } else {
        #expect(value.isNaN, "\(name)")
      }
    }
  }

  @Test func noRows() {
    for metric in Metric.allCases { #expect(metric.value(predicted: [], expected: []).isNaN) }
  }

  @Test func scoresAndTheirMean() throws {
    let sst2 = TaskScore(task: .sst2, loss: 0.5, predictions: [1, 0, 1, 1], expected: [1, 0, 0, 1])
    let stsb = TaskScore(task: .stsb, loss: 1, predictions: [1, 2, 3], expected: [2, 4, 6])
    #expect(sst2.score == 0.75 && abs(stsb.score - 1) < 1e-12)
    let mean = try #require(ScoreMean([stsb, sst2]))
    #expect(mean.name == "mean of SST-2, STS-B" && abs(mean.value - 0.875) < 1e-12)
    #expect(ScoreMean([]) == nil)
    let mrpc = TaskScore(task: .mrpc, loss: 0, predictions: [1, 1, 0, 0], expected: [1, 0, 1, 0])
    #expect(mrpc.json.contains(#""metrics":{"accuracy":0.5,"f1":0.5},"score":0.5"#))
    let constant = TaskScore(task: .stsb, loss: 1, predictions: [1, 1, 1], expected: [2, 4, 6])
    #expect(constant.score == 0 && constant.json.contains(#""pearson":null,"spearman":null"#))
    #expect(
      TaskScore(task: .rte, loss: 0, predictions: [1, 0], expected: [1, 0]).predictionsTSV
        == "index\tprediction\n0\tnot_entailment\n1\tentailment\n")
    #expect(stsb.predictionsTSV.hasSuffix("2\t3.0\n"))
  }
}
