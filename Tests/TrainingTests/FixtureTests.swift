import Foundation
import Kernels
import ModelFiles
import Testing

@testable import Training

/// What PyTorch's autograd and AdamW make of two models over every operation (benchmarks/training/make_fixture.py, float64).
struct FixtureTests {
  struct Batch: Decodable {
    struct Optimiser: Decodable {
      var beta1: Double
      var beta2: Double
      var epsilon: Double
      var weightDecay: Double
      var maximumGradientNorm: Double
    }

    var sequences: [[Int32]]
    var types: [[Int32]]
    var classes: [Int32]
    var values: [Float]
    var words: [Int32]
    var tokens: [Int32]
    var optimiser: Optimiser
    var learningRates: [Double]
  }

  struct Summary: Decodable {
    var norm: Double
    var at: [Int]
    var values: [Double]
  }

  struct Expected: Decodable {
    var head: String
    var loss: Double
    var gradients: [String: Summary]
    var gradientNorms: [Double]
    var weights: [String: Summary]
  }

  struct Missing: Error {}

  let heads: [String: TrainingHead] = [
    "classification-first": .classification(.first), "classification-mean": .classification(.mean),
    "regression-mean": .regression(.mean), "mlm": .maskedLanguageModel, "mlm-all": .maskedLanguageModel,
  ]

  private func decode<T: Decodable>(_ name: String, _ file: String, _ type: T.Type) throws -> T {
    guard let root = Bundle.module.resourceURL?.appending(path: "Fixtures/\(name)/\(file)") else { throw Missing() }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(type, from: Data(contentsOf: root))
  }

  /// Tensor names hold dots and underscores, which the key strategy would rewrite.
  private func expected(_ name: String) throws -> [Expected] {
    guard let root = Bundle.module.resourceURL?.appending(path: "Fixtures/\(name)/expected.json") else {
      throw Missing()
    }
    let text = try String(contentsOf: root, encoding: .utf8)
      .replacingOccurrences(of: "\"gradient_norms\"", with: "\"gradientNorms\"")
    return try JSONDecoder().decode([Expected].self, from: Data(text.utf8))
  }

  private func model(_ name: String, head: TrainingHead) throws -> Model {
    guard let root = Bundle.module.resourceURL?.appending(path: "Fixtures/\(name)") else { throw Missing() }
    var model = try Model.open(folder: root.path)
    if case .regression = head {
      // The first row of the classifier is the one label.
      for (name, shape) in [
        ("classifier.weight", [1, model.architecture.layers.last?.hiddenSize ?? 0]), ("classifier.bias", [1]),
      ] {
        let count = shape.reduce(1, *)
        model.weights[name] = Tensor(shape: shape, values: Array(model.weights[name]?.values.prefix(count) ?? []))
      }
      model.labels = 1
    }
    return model
  }

  private func targets(_ head: String, _ batch: Batch, _ chosen: [Int]) -> TrainingTargets {
    var starts = [0]
    for sequence in batch.sequences { starts.append((starts.last ?? 0) + sequence.count) }
    let old = chosen.flatMap { Array(starts[$0]..<starts[$0 + 1]) }
    let words = old.map { batch.words[$0] }
    switch head {
    case "mlm-all": return .allWords(words)
    case "mlm":
      let tokens = old.indices.filter { batch.tokens.contains(Int32(old[$0])) }
      return .words(tokens.map { words[$0] }, tokens: tokens.map { Int32($0) })
    case "regression-mean": return .values(chosen.map { batch.values[$0] })
    default: return .classes(chosen.map { batch.classes[$0] })
    }
  }

  private func tokens(_ batch: Batch, _ chosen: [Int]) throws -> TokenBatch {
    try TokenBatch(sequences: chosen.map { batch.sequences[$0] }, types: chosen.map { batch.types[$0] })
  }

  /// Largest error of a summary's numbers and norm, over the norm. A key's bias has no gradient in plain attention but what rounding leaves.
  private func error(_ values: [Double], _ summary: Summary) -> Double {
    let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let errors = zip(summary.at, summary.values).map { abs(values[$0] - $1) } + [abs(norm - summary.norm)]
    return (errors.max() ?? .infinity) / max(summary.norm, 1e-3)
  }

  @Test(arguments: ["relative", "absolute"], [true, false]) func torchAgrees(_ name: String, isDouble: Bool) throws {
    let batch = try decode(name, "batch.json", Batch.self)
    let everything = Array(batch.sequences.indices)
    for expected in try expected(name) {
      let head = try #require(heads[expected.head])
      let optimiser = batch.optimiser
      let options = TrainingOptions(
        threads: 2, dropout: 0,
        optimiser: AdamWOptions(
          beta1: optimiser.beta1, beta2: optimiser.beta2, epsilon: optimiser.epsilon,
          weightDecay: optimiser.weightDecay, maximumGradientNorm: optimiser.maximumGradientNorm))
      let model = try model(name, head: head)
      let session =
        isDouble
        ? try TrainingSession(doublePrecision: model, head: head, options: options)
        : try TrainingSession(model: model, head: head, options: options)
      #expect(session.trainedNames == expected.gradients.keys.sorted())
      let store = session.core.store
      func numbers(_ block: UnsafeMutableRawPointer, _ name: String, scale: Double = 1) throws -> [Double] {
        let entry = try #require(store.layout[name])
        return (0..<entry.count).map { scale * Real.load(block, entry.first + $0, bytes: store.realBytes) }
      }
      let tolerance = isDouble ? 1e-9 : 1e-4

      let loss = try session.accumulate(tokens(batch, everything), targets(expected.head, batch, everything))
      #expect(abs(loss.mean - expected.loss) < tolerance * expected.loss, "\(expected.head)")
      for (tensor, summary) in expected.gradients {
        let error = try error(numbers(store.gradients, tensor, scale: 1 / Double(loss.items)), summary)
        #expect(error < tolerance, "\(expected.head): gradient of \(tensor), error \(error)")
      }
      session.discardGradients()

      for (step, rate) in batch.learningRates.enumerated() {
        for chosen in step == 1 ? [[0, 1, 2], [3, 4, 5]] : [everything] {
          try session.accumulate(tokens(batch, chosen), targets(expected.head, batch, chosen))
        }
        let norm = try session.step(learningRate: rate).gradientNorm
        #expect(abs(norm - expected.gradientNorms[step]) < 20 * tolerance * norm, "\(expected.head), step \(step)")
      }
      for (tensor, summary) in expected.weights {
        let error = try error(numbers(store.parameters, tensor), summary)
        // Adam divides a gradient by its own size, so that a float's error in a tiny one is a whole step's.
        #expect(error < (isDouble ? 1e-8 : 2e-2), "\(expected.head): weights of \(tensor), error \(error)")
      }
    }
  }
}
