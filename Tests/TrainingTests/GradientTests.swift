import Architectures
import Kernels
import ModelFiles
import Numerics
import Testing

@testable import Training

/// Gradients in double precision, by the same source as the float kernels, against central differences of the loss: along a random direction
/// of every tensor, and by single numbers of it.
struct GradientTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var example: Example
    var head: TrainingHead
    var dropout: Double
    var ownDecoder = false
    var everyWord = false
    var testDescription: String {
      "\(example) \(head), dropout \(dropout)\(ownDecoder ? ", own decoder" : "")\(everyWord ? ", every word" : "")"
    }
  }

  static let cases: [Case] = [
    Case(example: .relative, head: .classification(.first), dropout: 0),
    Case(example: .relative, head: .classification(.mean), dropout: 0.3),
    Case(example: .relative, head: .maskedLanguageModel, dropout: 0.1, ownDecoder: true),
    Case(example: .absolute, head: .regression(.first), dropout: 0.3),
    Case(example: .absolute, head: .regression(.mean), dropout: 0),
    Case(example: .absolute, head: .maskedLanguageModel, dropout: 0.2),
    Case(example: .absolute, head: .maskedLanguageModel, dropout: 0, ownDecoder: true, everyWord: true),
    Case(example: .absolute, head: .maskedLanguageModel, dropout: 0, everyWord: true),
  ]

  @Test(arguments: cases) func centralDifferences(_ test: Case) throws {
    let labels = if case .regression = test.head { 1 } else { 3 }
    let session = try TrainingSession(
      doublePrecision: test.example.model(labels: labels, ownDecoder: test.ownDecoder), head: test.head,
      options: TrainingOptions(dropout: test.dropout, seed: 9))
    let batch = try test.example.batch()
    let targets = test.example.targets(test.head, everyWord: test.everyWord)
    let store = session.core.store
    /// The loss with the same dropout masks each time.
    func loss() throws -> Double {
      session.core.passCount = 6
      let loss = try session.accumulate(batch, targets)
      session.discardGradients()
      return loss.mean
    }
    session.core.passCount = 6
    _ = try session.accumulate(batch, targets)
    let gradients = session.trainedNames.map { name -> [Double] in
      let entry = store.layout[name]
      return (0..<(entry?.count ?? 0)).map {
        Real.load(store.gradients, (entry?.first ?? 0) + $0, bytes: 8) / Double(targets.count)
      }
    }
    session.discardGradients()

    for (name, gradient) in zip(session.trainedNames, gradients) {
      let entry = try #require(store.layout[name])
      var random = CounterRandom(seed: 1, stream: UInt64(entry.first))
      let size = gradient.map(abs).max() ?? 0
      func difference(along direction: [Double]) throws -> Double {
        let step = 1e-5
        let before = (0..<entry.count).map { Real.load(store.parameters, entry.first + $0, bytes: 8) }
        func shifted(_ sign: Double) throws -> Double {
          for index in 0..<entry.count {
            Real.store(before[index] + sign * step * direction[index], store.parameters, entry.first + index, bytes: 8)
          }
          return try loss()
        }
        let change = try (shifted(1) - shifted(-1)) / (2 * step)
        for index in 0..<entry.count { Real.store(before[index], store.parameters, entry.first + index, bytes: 8) }
        return change
      }
      let direction = gradient.map { _ in random.nextNormal() }
      let along = zip(gradient, direction).reduce(0) { $0 + $1.0 * $1.1 }
      let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
      // What central differences of a loss of about 1 can tell at all is about 1e-11.
      let tolerance = 1e-5 * norm + 1e-9
      let measured = try difference(along: direction)
      #expect(abs(measured - along) < tolerance, "\(name): \(along), differences say \(measured)")
      for _ in 0..<2 {
        let index = random.nextIndex(below: entry.count)
        let single = try difference(along: (0..<entry.count).map { $0 == index ? 1 : 0 })
        #expect(
          abs(single - gradient[index]) < 1e-5 * size + 1e-9,
          "\(name)[\(index)]: \(gradient[index]), differences say \(single)")
      }
    }
  }

  /// A key's bias moves all scores of a query alike, so that its gradient is 0 in plain attention; everything else has one.
  @Test(arguments: Example.small) func everyTensorHasAGradient(_ example: Example) throws {
    let session = try TrainingSession(
      doublePrecision: example.model(), head: .maskedLanguageModel, options: TrainingOptions(dropout: 0))
    try session.accumulate(example.batch(), example.targets(.maskedLanguageModel))
    for name in session.trainedNames where !name.hasSuffix("key.bias") {
      let size = session.gradient(name)?.values.map(abs).max() ?? 0
      #expect(size > 1e-6, "\(name)")
    }
  }

  /// The float kernels of every instruction set against double precision, with sizes that cut every loop in several parts.
  @Test(arguments: [nil, "avx512", "avx2", "baseline"] as [String?], [0, 0.1])
  func floatAgreesWithDouble(_ instructionSet: String?, dropout: Double) throws {
    let example = Example.large
    for head in [TrainingHead.maskedLanguageModel, .classification(.mean)] {
      let model = example.model(spread: 0.15)
      let batch = try example.batch()
      let targets = example.targets(head)
      let exact = try TrainingSession(
        doublePrecision: model, head: head, options: TrainingOptions(dropout: dropout, seed: 2))
      let session = try TrainingSession(
        model: model, head: head,
        options: TrainingOptions(threads: 2, dropout: dropout, seed: 2, instructionSet: instructionSet))
      let expected = try exact.accumulate(batch, targets)
      let loss = try session.accumulate(batch, targets)
      #expect(abs(loss.mean - expected.mean) < 1e-5 * expected.mean)
      for name in session.trainedNames {
        let right = try #require(exact.gradient(name)).values
        let values = try #require(session.gradient(name)).values
        let size = right.map { abs($0) }.max() ?? 0
        let error = zip(values, right).map { abs($0 - $1) }.max() ?? .infinity
        #expect(error < 2e-4 * size + 1e-7, "\(name): error \(error) of \(size)")
      }
    }
  }
}
