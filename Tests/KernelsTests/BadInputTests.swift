import ModelFiles
import Testing

@testable import Kernels

/// Everything that a caller can get wrong is said, with what to do; nothing traps.
@Suite struct BadInputTests {
  private let fixture: Fixture

  init() throws { fixture = try Fixture.named("relative") }

  private func message(sequences: [[Int32]], types: [[Int32]]? = nil) -> String? {
    kernelMessage(.input) {
      try fixture.session(.hidden, batchSize: 2, length: 10).run(TokenBatch(sequences: sequences, types: types))
    }
  }

  @Test func tokens() {
    #expect(message(sequences: [[1], [3, 23]]) == "sequence 1: token 1 is 23; ids run from 0 to 22")
    #expect(message(sequences: [[-1]]) == "sequence 0: token 0 is -1; ids run from 0 to 22")
    #expect(message(sequences: [[.max, 1]])?.hasPrefix("sequence 0: token 0 is 2147483647") == true)
    #expect(message(sequences: [[1, 2]], types: [[0, 2]]) == "sequence 0: token type 2; types run from 0 to 1")
    #expect(message(sequences: [[1, 2]], types: [[-1, 0]]) == "sequence 0: token type -1; types run from 0 to 1")
  }

  /// 8-bit weights would hide a NaN, so it is looked for where weights are read, and its tensor is named.
  @Test(arguments: precisions, [Float.nan, .infinity])
  func weightsThatAreNotFinite(precision: KernelPrecision, value: Float) throws {
    let names = fixture.model.weights.names.filter { $0.hasPrefix("encoder.") || $0.hasPrefix("embeddings.") }
    #expect(names.contains { $0.hasSuffix("distance_embedding.weight") })
    for name in names {
      var model = fixture.model
      let tensor = try #require(model.weights[name])
      var values = tensor.withUnsafeFloats { Array($0) }
      values[values.count / 2] = value
      model.weights[name] = Tensor(shape: tensor.shape, values: values)
      let message = kernelMessage(.model) {
        try InferenceSession(
          model: model, batchSize: 1, sequenceLength: 4, head: .hidden, options: SessionOptions(precision: precision))
      }
      let owner = name.split(separator: ".").dropLast().joined(separator: ".")
      #expect(message?.contains("is not finite") == true && message?.contains(owner) == true)
    }
  }

  @Test func sizes() {
    #expect(message(sequences: []) == "there is no sequence to run")
    #expect(message(sequences: [[1], []]) == "sequence 1 has no tokens")
    #expect(message(sequences: [[1], [1], [1]]) == "the batch has 3 sequences; the session was planned for 2")
    #expect(
      message(sequences: [[Int32](repeating: 1, count: 11)])
        == "sequence 0 has 11 tokens; the session was planned for 10")
    #expect(message(sequences: [[1]], types: []) == "there are 0 lists of token types for 1 sequences")
    #expect(
      message(sequences: [[1, 2]], types: [[0]]) == "sequence 0 has 2 tokens and 1 token types; give one a token")
  }

  @Test func masks() throws {
    func message(_ mask: [[Int32]]) -> String? {
      kernelMessage(.input) { try TokenBatch(ids: [[1, 2, 3]], mask: mask) }
    }
    let wrong = "the mask of sequence 0 is not as many numbers as tokens, ones then zeros (right padding)"
    #expect(message([[1, 0, 1]]) == wrong)
    #expect(message([[0, 1, 1]]) == wrong)
    #expect(message([[1, 2, 0]]) == wrong)
    #expect(message([[1, 1]]) == wrong)
    #expect(message([[0, 0, 0]]) == "sequence 0 has no tokens")
    #expect(message([]) == "there are 0 masks for 1 sequences")
    let batch = try TokenBatch(
      ids: [[1, 2, 3], [4, 5, 6]], mask: [[1, 1, 0], [1, 1, 1]], types: [[0, 1, 1], [1, 1, 0]])
    #expect(batch.ids == [1, 2, 4, 5, 6] && batch.types == [0, 1, 1, 1, 0] && batch.offsets == [0, 2, 5])
  }

  @Test func sessions() {
    func message(
      _ kind: KernelError.Kind = .input, batchSize: Int = 1, length: Int = 4,
      _ options: SessionOptions = SessionOptions()
    ) -> String? {
      kernelMessage(kind) { try fixture.session(.mean, batchSize: batchSize, length: length, options) }
    }
    #expect(
      message(.input, SessionOptions(instructionSet: "avx3"))
        == "instruction set avx3 is not known; take one of avx512, avx2, baseline")
    #expect(message(batchSize: 0) == "batch size and sequence length must be at least 1")
    #expect(message(length: 0) == "batch size and sequence length must be at least 1")
    #expect(message(length: 20) == "sequence length 20 is above the model's maximum_positions, 19")
    #expect(message(.input, SessionOptions(threads: 0)) == "threads must be 1 to 256, not 0")
    #expect(message(.input, SessionOptions(threads: 257)) == "threads must be 1 to 256, not 257")
    #expect(
      message(.machine, SessionOptions(precision: .int8, instructionSet: "baseline"))
        == "int8 needs a processor with AVX2 or AVX-512 VNNI; elsewhere it would be slower than fp32: "
        + "use --precision fp32")
  }

  @Test func everyMissingTensorIsNamed() throws {
    var needed = 0
    for name in fixture.model.weights.names {
      var model = fixture.model
      model.weights[name] = nil
      let messages = OutputHead.allCases.compactMap { head in
        kernelMessage(.model) {
          try InferenceSession(model: model, batchSize: 1, sequenceLength: 4, head: head)
        }
      }
      let expected = "\(name): the tensor is missing; it must have shape ["
      #expect(messages.allSatisfy { $0.contains(expected) }, "\(messages)")
      needed += messages.isEmpty ? 0 : 1
    }
    #expect(needed == fixture.model.weights.names.count)
  }

  @Test func everyWrongShapeIsNamed() throws {
    for name in fixture.model.weights.names {
      var model = fixture.model
      let right = try #require(model.weights[name])
      let wrong = right.shape.dropLast() + [(right.shape.last ?? 0) + 1]
      model.weights[name] = Tensor(shape: Array(wrong), values: [Float](repeating: 0, count: wrong.reduce(1, *)))
      let messages = OutputHead.allCases.compactMap { head in
        kernelMessage(.model) {
          try InferenceSession(model: model, batchSize: 1, sequenceLength: 4, head: head)
        }
      }
      let expected = "\(name): has shape \(Array(wrong)); the architecture needs \(right.shape)"
      #expect(!messages.isEmpty && messages.allSatisfy { $0.contains(expected) }, "\(messages)")
    }
  }

  @Test func noClassifier() {
    var model = fixture.model
    model.labels = nil
    #expect(
      kernelMessage(.model) { try InferenceSession(model: model, batchSize: 1, sequenceLength: 4) }
        == "the model has no classifier (classifier.weight); ask for --head hidden or mean, or fine-tune it first")
  }
}
