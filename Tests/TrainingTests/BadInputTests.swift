import Kernels
import ModelFiles
import Testing

@testable import Training

struct BadInputTests {
  private let example = Example.relative

  @Test func targetsOfAnotherKindOrNumber() throws {
    let classifier = try TrainingSession(model: example.model(), head: .classification(.first))
    let batch = try example.batch()
    func message(_ targets: TrainingTargets) -> String? {
      kernelMessage(.input) { try classifier.accumulate(batch, targets) }
    }
    #expect(message(.classes([0])) == "there are 1 targets for 5 sequences")
    #expect(message(.classes([0, 1, 3, 0, 0])) == "sequence 2: class 3; classes run from 0 to 2")
    #expect(message(.classes([0, 1, -1, 0, 0])) == "sequence 2: class -1; classes run from 0 to 2")
    #expect(message(.values([0])) == "the targets are not those of the head that is trained")

    let words = try TrainingSession(model: example.model(ownDecoder: true), head: .maskedLanguageModel)
    func wordMessage(_ targets: TrainingTargets) -> String? {
      kernelMessage(.input) { try words.evaluate(batch, targets) }
    }
    #expect(wordMessage(.words([1], tokens: [1, 2])) == "there are 1 words for 2 tokens")
    #expect(
      wordMessage(.words([1, 2], tokens: [2, 2]))
        == "scored token 2: tokens must rise, from 0 to 24 in this batch")
    #expect(
      wordMessage(.words([1], tokens: [25])) == "scored token 25: tokens must rise, from 0 to 24 in this batch")
    #expect(wordMessage(.words([17], tokens: [0])) == "target 0: word 17; words run from 0 to 16")
    #expect(wordMessage(.allWords([1])) == "there are 1 targets for 25 tokens")

    let regression = try TrainingSession(model: example.model(labels: 1), head: .regression(.mean))
    #expect(
      kernelMessage(.input) { try regression.accumulate(batch, .values([0, 0, .nan, 0, 0])) }
        == "sequence 2: the target nan is not finite")
    #expect(
      kernelMessage(.input) { try regression.accumulate(TokenBatch(sequences: [[99]]), .values([0])) }
        == "sequence 0: token 0 is 99; ids run from 0 to 16")
    // Nothing was accumulated on the way.
    #expect(kernelMessage(.input) { try regression.step(learningRate: 1) } == "there is no gradient to take a step by")
  }

  @Test func optionsOutOfRange() {
    func message(_ options: TrainingOptions) -> String? {
      kernelMessage(.input) {
        try TrainingSession(model: example.model(), head: .classification(.mean), options: options)
      }
    }
    #expect(message(TrainingOptions(threads: 0)) == "threads must be 1 to 256, not 0")
    #expect(message(TrainingOptions(dropout: 1)) == "dropout must be from 0 to below 1, not 1.0")
    #expect(message(TrainingOptions(dropout: .nan)) == "dropout must be from 0 to below 1, not nan")
    #expect(
      message(TrainingOptions(optimiser: AdamWOptions(beta2: 1))) == "beta2 must be from 0 to below 1, not 1.0")
    #expect(message(TrainingOptions(optimiser: AdamWOptions(epsilon: 0))) == "epsilon must be above 0, not 0.0")
    #expect(
      message(TrainingOptions(optimiser: AdamWOptions(weightDecay: -1))) == "weight decay must be from 0 on, not -1.0")
    #expect(
      message(TrainingOptions(optimiser: AdamWOptions(maximumGradientNorm: 0)))
        == "the largest gradient norm must be above 0, not 0.0")
    #expect(message(TrainingOptions(instructionSet: "mmx"))?.hasPrefix("instruction set mmx is not known") ?? false)
  }

  @Test func modelsWithoutTheHead() {
    var model = example.model()
    #expect(
      kernelMessage(.model) { try TrainingSession(model: model, head: .regression(.mean)) }
        == "regression needs a classifier of one label, not 3")
    model.weights["classifier.bias"] = nil
    #expect(
      kernelMessage(.model) { try TrainingSession(model: model, head: .classification(.mean)) }
        == "model: classifier.bias: the tensor is missing; it must have shape [3]")
    model.labels = nil
    #expect(
      kernelMessage(.model) { try TrainingSession(model: model, head: .classification(.mean)) }
        == "the model has no classifier; prepare it for the head first")
  }

  @Test func preparingAddsWhatIsMissing() throws {
    var model = example.model(labels: 3)
    let embeddings = model.weights[ParameterLayout.wordEmbeddings]
    model.weights["pooler.dense.bias"] = nil
    for name in model.weights.names where name.hasPrefix("cls.") { model.weights[name] = nil }
    let classifier = model.prepared(for: .classification(.first), labels: 4, seed: 1)
    #expect(classifier.weights["classifier.weight"]?.shape == [4, 10])
    #expect(classifier.weights["pooler.dense.bias"]?.values.allSatisfy { $0 == 0 } ?? false)
    #expect(bits(classifier.weights[ParameterLayout.wordEmbeddings]) == bits(embeddings))
    _ = try TrainingSession(model: classifier, head: .classification(.first))
    let same = model.prepared(for: .classification(.mean), labels: 3, seed: 1)
    #expect(bits(same.weights["classifier.weight"]) == bits(model.weights["classifier.weight"]))
    let words = model.prepared(for: .maskedLanguageModel, seed: 1)
    #expect(words.hasMaskedLanguageModel && words.labels == 3)
    _ = try TrainingSession(model: words, head: .maskedLanguageModel)
  }

  /// A gradient that is not finite is refused, and forgotten on request.
  @Test func gradientsThatAreNotFinite() throws {
    var model = example.model(labels: 1)
    model.weights["classifier.bias"] = Tensor(shape: [1], values: [.infinity])
    let session = try TrainingSession(model: model, head: .regression(.mean), options: TrainingOptions(dropout: 0))
    try session.accumulate(example.batch(), example.targets(.regression(.mean)))
    let message = kernelMessage(.input) { try session.step(learningRate: 0.1) }
    #expect(message == "the gradient of step 1 is not finite; a lower learning rate may help")
    #expect(session.stepCount == 0)
    session.discardGradients()
    #expect(kernelMessage(.input) { try session.step(learningRate: 1) } == "there is no gradient to take a step by")
  }
}
