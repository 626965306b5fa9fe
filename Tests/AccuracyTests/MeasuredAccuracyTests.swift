import Architectures
import Foundation
import Numerics
import Testing

@testable import Accuracy

@Suite struct MeasuredAccuracyTests {
  static let small: DesignSpace? = {
    try? DesignSpace(
      DesignSpace.Choices(
        layerCounts: [1, 2, 3, 4], hiddenSizes: [64, 128, 256], headCounts: [2, 4],
        operations: [.scaledDotProduct, .weightedMultiplicative, .discreteFourier, .convolution5],
        feedForwardWidths: [128, 256, 512], maximumFeedForwardStack: 1))
  }()

  static func points(_ count: Int, seed: UInt64) throws -> [DesignPoint] {
    let space = try #require(small)
    var random = CounterRandom(seed: seed)
    return (0..<count).map { _ in
      DesignPoint(
        layers: (0..<space.layerCounts[random.nextIndex(below: 4)]).map { _ in
          DesignPoint.Layer(
            hidden: random.nextIndex(below: 3), feedForward: random.nextIndex(below: space.feedForwardStackCount),
            heads: random.nextIndex(below: space.headCombinationCount))
        })
    }
  }

  static func architectures(_ count: Int, seed: UInt64) throws -> [Architecture] {
    let space = try #require(small)
    return try points(count, seed: seed).map(space.architecture(of:))
  }

  /// A made-up truth on the scale of the logit.
  static func truth(_ architecture: Architecture, size: Double = 0.2) -> Double {
    let x = MeasuredCurve.features(AccuracySummary(architecture))
    return 1.5 + size * x[1] - 0.1 * x[2] - 0.3 * x[3] + 0.15 * x[4]
  }

  static func score(_ eta: Double) -> Double { Elementary.logistic(eta) }

  static func row(_ architecture: Architecture, steps: Int = 400, loss: Double = 4, score: Double?) -> AccuracyRow {
    AccuracyRow(
      architecture: architecture, steps: steps, totalSteps: 400, batchSize: 32, sequenceLength: 64, loss: loss,
      task: score == nil ? nil : "sst2", score: score)
  }

  /// Rows at the full budget only, with noise.
  static func rows(
    _ architectures: [Architecture], noise: Double, seed: UInt64, size: Double = 0.2
  ) -> [AccuracyRow] {
    var random = CounterRandom(seed: seed)
    return architectures.map { row($0, score: score(truth($0, size: size) + noise * random.nextNormal())) }
  }

  static func loss(_ eta: Double) -> Double { -Elementary.log(Elementary.logistic(eta)) }

  @Test func agreesWithAnIndependentImplementation() throws {
    let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    let predictor = try AccuracyPredictor.fitted(
      on: AccuracyRow.read(folder.appending(path: "rows.jsonl").path), source: "rows.jsonl")
    let data = try Data(contentsOf: folder.appending(path: "expected.json"))
    let expected = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    let error = try #require(expected["leave_one_out_error"] as? Double)
    #expect(abs(predictor.leaveOneOutError - error) < 1e-4 * error, "\(predictor.leaveOneOutError) \(error)")
    #expect(predictor.basis == .measured(architectures: 20))
    let unseen = try #require(expected["unseen"] as? [[String: Any]])
    for one in unseen {
      let text = try JSONSerialization.data(withJSONObject: try #require(one["architecture"]))
      let architecture = try ArchitectureReader.architecture(
        json: String(decoding: text, as: UTF8.self), source: "unseen")
      let estimate = predictor.predict(architecture)
      let (eta, deviation) = (one["eta"] as? Double ?? .nan, one["eta_deviation"] as? Double ?? .nan)
      #expect(abs(Elementary.logit(estimate.median / 100) - eta) < 1e-5)
      let share = estimate.median / 100
      #expect(abs(estimate.standardDeviation / (100 * share * (1 - share)) / deviation - 1) < 1e-4)
    }
  }

  @Test func findsTheTruthOfUnseenModels() throws {
    let predictor = try AccuracyPredictor.fitted(
      on: Self.rows(Self.architectures(60, seed: 1), noise: 0.01, seed: 2), source: "rows")
    for architecture in try Self.architectures(50, seed: 3) {
      let expected = 100 * Self.score(Self.truth(architecture))
      #expect(abs(predictor.predict(architecture).median - expected) < 0.7)
    }
    #expect(predictor.leaveOneOutError < 0.5)
    #expect(predictor.scale == "sst2" && predictor.caption.contains("60 architectures"), "\(predictor.caption)")
  }

  @Test func intervalsCoverAsTheySay() throws {
    var inside = 0
    var count = 0
    for seed in 0..<8 as Range<UInt64> {
      let predictor = try AccuracyPredictor.fitted(
        on: Self.rows(Self.architectures(30, seed: 10 + seed), noise: 0.1, seed: seed), source: "rows")
      for row in Self.rows(try Self.architectures(50, seed: 100 + seed), noise: 0.1, seed: 50 + seed) {
        let estimate = predictor.predict(row.architecture, level: 0.9)
        let score = 100 * (row.score ?? 0)
        inside += estimate.lower <= score && score <= estimate.upper ? 1 : 0
        count += 1
      }
    }
    let coverage = Double(inside) / Double(count)
    #expect(coverage > 0.84 && coverage < 0.96, "\(coverage)")
  }

  /// Many that were judged early help to predict the few that were trained on.
  @Test func earlyJudgementsHelp() throws {
    let trained = try Self.architectures(10, seed: 1)
    let early = try Self.architectures(60, seed: 2)
    var random = CounterRandom(seed: 3)
    let last = trained.map { architecture in
      Self.row(
        architecture, loss: Self.loss(Self.truth(architecture) - 2 + 0.05 * random.nextNormal()),
        score: Self.score(Self.truth(architecture) + 0.05 * random.nextNormal()))
    }
    let first = (trained + early).map { architecture in
      Self.row(
        architecture, steps: 100, loss: Self.loss(Self.truth(architecture) - 3 + 0.02 * random.nextNormal()), score: nil
      )
    }
    let alone = try AccuracyPredictor.fitted(on: last, source: "rows")
    let together = try AccuracyPredictor.fitted(on: first + last, source: "rows")
    func error(_ predictor: AccuracyPredictor) throws -> Double {
      Statistics.mean(
        try Self.architectures(100, seed: 4).map {
          abs(predictor.predict($0).median - 100 * Self.score(Self.truth($0)))
        })
    }
    let (few, many) = (try error(alone), try error(together))
    #expect(many < 0.9 * few, "\(few) \(many)")
  }

  /// Held-out errors are those of a fit without the architecture, but for what it has to say on how sure one can be.
  @Test func leavesOneOut() throws {
    let rows = Self.rows(try Self.architectures(20, seed: 5), noise: 0.15, seed: 6)
    let fit = try MeasuredAccuracyFit(FidelityTable(rows, source: "rows"))
    let pairs = try rows.enumerated().map { index, row in
      var others = rows
      others.remove(at: index)
      let predicted = try AccuracyPredictor.fitted(on: others, source: "rows").predict(row.architecture).median
      return (fit.errors[index].error, predicted - 100 * (row.score ?? 0))
    }
    #expect(Statistics.correlation(pairs.map(\.0), pairs.map(\.1)) > 0.97)
    #expect(fit.errors.map(\.architecture) == rows.map(\.architecture.id))
  }

  /// Where larger models did worse, size is held to have next to no influence.
  @Test func moreWeightsAreNeverPredictedWorse() throws {
    let predictor = try AccuracyPredictor.fitted(
      on: Self.rows(Self.architectures(40, seed: 7), noise: 0.02, seed: 8, size: -0.3), source: "rows")
    guard case .measured(let curve) = predictor.curve else {
      Issue.record("not measured")
      return
    }
    #expect(curve.weights[MeasuredCurve.Lane.size] >= MeasuredAccuracyFit.leastSizeWeight)
    for architecture in try Self.architectures(50, seed: 9) {
      var stacked = architecture
      for index in stacked.layers.indices {
        stacked.layers[index].feedForward[0] *= 2
      }
      // The balance of the layers may count either way: a model that grows in all its parts does not.
      for index in stacked.layers.indices {
        stacked.layers[index].heads += architecture.layers[index].heads
      }
      let (before, after) = (predictor.predict(architecture).median, predictor.predict(stacked).median)
      #expect(after >= before - 1e-9, "\(before) \(after)")
    }
  }

  @Test func compiledAgreesAndKeepsTheBoundsOfSearches() throws {
    let space = try #require(Self.small)
    for (size, seed) in [(0.2, 1), (-0.3, 2)] as [(Double, UInt64)] {
      let predictor = try AccuracyPredictor.fitted(
        on: Self.rows(Self.architectures(40, seed: seed), noise: 0.1, seed: seed, size: size), source: "rows")
      let compiled = CompiledAccuracy(predictor, space: space, level: 0.8)
      let structure = AccuracyStructure(predictor, space: space)
      let points = try Self.points(300, seed: 20 + seed)
      var medians: [Double] = []
      var estimates: [AccuracyEstimate] = []
      compiled.medians(of: points, into: &medians)
      compiled.estimates(of: points, into: &estimates)
      for (index, point) in points.enumerated() {
        let architecture = space.architecture(of: point)
        let expected = predictor.predict(architecture, level: 0.8)
        #expect(abs(medians[index] - expected.median) < 1e-5)
        #expect(abs(estimates[index].lower - expected.lower) < 1e-5 && compiled.estimate(of: point) == estimates[index])
        #expect(expected.lower < expected.median && expected.median < expected.upper)
        let summary = AccuracySummary(architecture)
        #expect(expected.median <= structure.greatestScore(layers: point.layerCount) + 1e-9)
        let logSize = (Elementary.log(summary.attention) + 2 * Elementary.log(summary.feedForward)) / 3
        let reached = logSize - structure.penalty * summary.transformShare / summary.layers
        #expect(reached >= structure.need(score: expected.median, layers: point.layerCount) - 1e-6)
        #expect(abs(predictor.probability(of: expected, atLeast: expected.lower) - 0.9) < 1e-6)
      }
    }
  }

  @Test func seedsCountByTheirMean() throws {
    let rows = Self.rows(try Self.architectures(12, seed: 1), noise: 0.1, seed: 2)
    let twice = rows.flatMap { row -> [AccuracyRow] in
      let eta = Elementary.logit(row.score ?? 0)
      var (one, other) = (row, row)
      (one.score, other.score, other.seed) = (Self.score(eta - 0.1), Self.score(eta + 0.1), 2)
      return [one, other]
    }
    let unseen = try Self.architectures(1, seed: 3)[0]
    let (once, both) = (
      try AccuracyPredictor.fitted(on: rows, source: "rows"), try AccuracyPredictor.fitted(on: twice, source: "rows")
    )
    #expect(abs(once.predict(unseen).median - both.predict(unseen).median) < 1e-6)
  }

  @Test func withoutATaskHiddenWordsCount() throws {
    let rows = try Self.architectures(20, seed: 1).map {
      Self.row($0, loss: Self.loss(Self.truth($0) - 3), score: nil)
    }
    let predictor = try AccuracyPredictor.fitted(on: rows, source: "rows")
    #expect(predictor.scale == "hidden words")
    let one = rows[0]
    #expect(abs(predictor.predict(one.architecture).median - 100 * Elementary.exp(-one.loss)) < 0.1)
  }

  @Test func badRowsAreNamed() throws {
    let architecture = try Self.architectures(1, seed: 1)[0].jsonLine
    func line(_ change: String) -> String {
      "{\"schema\":\"edgetwin.accuracy/1\",\"architecture\":\(architecture),\"seed\":1,\"steps\":10,\"total_steps\":10,"
        + "\"batch_size\":8,\"sequence_length\":16,\"loss\":3.5\(change)}\n"
    }
    let good = line("")
    for (text, words) in [
      ("", ["has no rows"]), (good + good.replacing("3.5", with: "\"x\""), ["rows:2", "loss"]),
      (good.replacing("accuracy/1", with: "accuracy/2"), ["schema", "newer"]),
      (good.replacing("\"steps\":10", with: "\"steps\":11"), ["rows:1", "steps"]),
      (line(",\"task\":\"sst2\""), ["rows:1", "score"]), (line(",\"task\":\"sst2\",\"score\":88"), ["score"]),
    ] {
      do {
        _ = try AccuracyRow.read(text: text, source: "rows")
        Issue.record("accepted: \(text)")
      } catch let error as InputFileError {
        for word in words { #expect("\(error)".contains(word), "\(error)") }
      }
    }
    let few = try AccuracyRow.read(text: good, source: "rows")
    #expect(throws: InputFileError.self) { try AccuracyPredictor.fitted(on: few, source: "rows") }
    #expect(throws: InputFileError.self) { try AccuracyRow.read(text: line(",\"loss_items\":0"), source: "rows") }
    let told = try AccuracyRow.read(
      text: line(",\"recipe\":{\"corpus\":\"a1\",\"learning_rate\":\"0.001\"}"), source: "rows")
    #expect(told[0].recipe == ["corpus": "a1", "learning_rate": "0.001"])
    let rows = Self.rows(try Self.architectures(8, seed: 1), noise: 0.1, seed: 1)
    var mixed = rows
    mixed[3].task = "cola"
    #expect(throws: InputFileError.self) { try AccuracyPredictor.fitted(on: mixed, source: "rows") }
    mixed = rows
    (mixed[3].recipe, mixed[4].recipe) = (["epochs": "2"], ["epochs": "3"])
    let error = #expect(throws: InputFileError.self) { try AccuracyPredictor.fitted(on: mixed, source: "rows") }
    #expect("\(error.map { "\($0)" } ?? "")".contains("recipe.epochs"))
  }
}
