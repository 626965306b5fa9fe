import Architectures
import Foundation
import Kernels
import ModelFiles
import Testing
import Text
import Training

@testable import GrowAndPrune

/// What an animal says, to be learnt from text: fast, and far from trivial for a model that has not learnt it.
struct Farm {
  let folder: URL
  let tokenizer: any Tokenizer
  let corpus: String

  static let lines = (0..<400).map { index in
    let (animal, sound) = [("cat", "meow"), ("dog", "woof"), ("cow", "moo"), ("duck", "quack")][index * 7 % 4]
    return "\(["the", "a", "this"][index % 3]) \(animal) \(["says", "said"][index / 3 % 2]) \(sound)"
  }

  init(_ folder: URL) throws {
    self.folder = folder
    var trainer = try WordPieceTrainer(vocabularySize: 80)
    for line in Self.lines { trainer.add(line) }
    try trainer.train(progress: { _ in }).write(folder: folder.appending(path: "t").path)
    tokenizer = try TokenizerFolder.open(folder.appending(path: "t").path)
    corpus = folder.appending(path: "c.txt").path
    try Data(Self.lines.joined(separator: "\n").utf8).write(to: URL(filePath: corpus))
  }

  static let architecture = Architecture(
    vocabularySize: 80, maximumPositions: 16, typeVocabularySize: 2, position: .absolute,
    layers: [
      Architecture.Layer(hiddenSize: 32, headSize: 16, heads: [.scaledDotProduct, .convolution5], feedForward: [48]),
      Architecture.Layer(
        hiddenSize: 32, headSize: 16, heads: [.scaledDotProduct, .weightedMultiplicative], feedForward: [48]),
    ])

  func masked() throws -> MaskedTrainer {
    try MaskedTrainer(
      corpus: [corpus], tokenizer: tokenizer, cache: folder.appending(path: "tokens").path, maximumLength: 16,
      heldOutEvery: 10, threads: 1)
  }

  /// Tells cats and dogs from others, or what `target` says.
  func task(
    _ target: (Int, String) -> Bool = { $1.contains("cat") || $1.contains("dog") }
  ) throws -> TaskTrainer {
    let rows = Self.lines.enumerated().map { "\($1)\t\(target($0, $1) ? 1 : 0)\n" }
    func data(_ name: String, _ rows: some Sequence<String>) throws -> TaskData {
      let path = folder.appending(path: name)
      try Data(("sentence\tlabel\n" + rows.joined()).utf8).write(to: path)
      return try TaskData.read(path.path, task: .sst2)
    }
    return TaskTrainer(
      train: try data("train.tsv", rows.prefix(320)), dev: try data("dev.tsv", rows.suffix(80)), tokenizer: tokenizer,
      pooling: .mean, maximumLength: 16, threads: 1)
  }

  static func recipe(_ steps: Int, seed: UInt64 = 1, distillation: Double = 0) -> TrainingRecipe {
    TrainingRecipe(
      steps: steps, learningRate: 3e-3, warmUpSteps: steps / 10, batchSize: 8, weightDecay: 0.01, dropout: 0,
      distillation: distillation, seed: seed)
  }
}

@Suite struct TrainerTests {
  struct Stop: Error {}

  /// A child that inherits starts below a fresh one's loss, and stays below it after the same training.
  @Test func aTransferredChildStartsBelowAFreshOne() throws {
    let folder = try Folder()
    let farm = try Farm(folder.url)
    let trainer = try farm.masked()
    let fresh = Model.initialised(Farm.architecture, labels: nil, maskedLanguageModel: true, seed: 1)
    let root = try trainer.train(fresh, Farm.recipe(150), checkpoint: folder.path("k"), progress: { _ in }).model
    let rootLoss = try trainer.evaluate(root).loss
    #expect(try rootLoss < trainer.evaluate(fresh).loss * 0.6)
    let from = Pedigree(root: Farm.architecture)
    let importance = try Importance.magnitude(of: root, pedigree: from)
    let neurons = importance.neurons[0][0].largest(40)
    var other = Farm.architecture
    other.layers.append(other.layers[0])
    other.layers[2].heads = [.convolution5, .discreteCosine, .scaledDotProduct]
    other.layers[1].feedForward = [64]
    let children: [(name: String, pedigree: Pedigree, isMatched: Bool)] = [
      ("grown head", from.growingHead(layer: 0, operation: .discreteFourier), false),
      ("grown layer", from.insertingLayer(after: 0), false),
      ("grown stack", from.appendingHidden(layer: 1, width: 64), false),
      ("pruned head", try #require(from.pruningHeads(layer: 1, [0])), false),
      ("pruned neurons", try #require(from.keepingNeurons(layer: 0, hidden: 0, neurons)), false),
      ("pruned width", try #require(from.keepingChannels(layers: 0..<2, Set(0..<28))), false),
      ("another architecture", Pedigree(matching: other, to: from), true),
    ]
    for (name, pedigree, isMatched) in children {
      let options = TransferOptions(unequalSizes: isMatched ? .orderedCopy : nil, seed: 2)
      let child = try Transfer.child(of: root, from: from, to: pedigree, options: options).model
      let untrained = Model.initialised(child.architecture, labels: nil, maskedLanguageModel: true, seed: 2)
      let (own, others) = (try trainer.evaluate(child).loss, try trainer.evaluate(untrained).loss)
      #expect(own < others, "\(name): \(own), fresh \(others)")
      let after = try [child, untrained].map {
        try trainer.evaluate(
          trainer.train($0, Farm.recipe(30), checkpoint: folder.path("k"), progress: { _ in }).model
        ).loss
      }
      #expect(after[0] < after[1], "\(name): \(after)")
    }
  }

  /// A classifier whose outputs are in another order learns what the labels say, not what their places say.
  @Test func labelsGoByTheirNames() throws {
    let folder = try Folder()
    let farm = try Farm(folder.url)
    let trainer = try farm.task()
    var model = Model.initialised(Farm.architecture, labels: 2, maskedLanguageModel: false, seed: 4)
    model.pooling = .mean
    model.weights["classifier.bias"] = Tensor(shape: [2], values: [0.5, -0.25])
    let weights = try #require(model.weights["classifier.weight"]?.values)
    var turned = model
    turned.weights["classifier.weight"] = Tensor(shape: [2, 32], values: weights.suffix(32) + weights.prefix(32))
    turned.weights["classifier.bias"] = Tensor(shape: [2], values: [-0.25, 0.5])
    let wrong = try trainer.evaluate(turned)
    var hinted = turned
    turned.labelNames = ["1", "0"]
    hinted.hintedLabelNames = ["1", "0"]
    let expected = try trainer.evaluate(model)
    #expect(wrong != expected)
    for other in [turned, hinted] {
      #expect(try trainer.evaluate(other) == expected)
      let prepared = try trainer.prepared(other)
      #expect(prepared.labelNames == ["0", "1"])
      #expect(prepared.weights.dictionary.mapValues(\.values) == model.weights.dictionary.mapValues(\.values))
    }
    // Names of somebody's own say nothing.
    hinted.hintedLabelNames = ["NEGATIVE", "POSITIVE"]
    #expect(try trainer.evaluate(hinted) == wrong)
  }

  @Test func aDivergedModelHasNoScore() throws {
    let folder = try Folder()
    let trainer = try Farm(folder.url).task()
    var model = Model.initialised(Farm.architecture, labels: 2, maskedLanguageModel: false, seed: 4)
    model.weights["classifier.weight"] = Tensor(shape: [2, 32], values: (0..<64).map { $0 % 2 == 0 ? 3e38 : -3e38 })
    let heldOut = try trainer.evaluate(model)
    #expect(heldOut.loss.isNaN && heldOut.score == nil)
  }

  /// Taylor importance is the derivative of the loss by a gate: held against central differences.
  @Test func taylorIsTheDerivativeByAGate() throws {
    let folder = try Folder()
    let trainer = try Farm(folder.url).task()
    let start = try trainer.prepared(
      Model.initialised(Farm.architecture, labels: nil, maskedLanguageModel: false, seed: 4))
    let model = try trainer.train(start, Farm.recipe(20), checkpoint: folder.path("k"), progress: { _ in }).model
    func loss(_ model: Model) throws -> Double {
      try trainer.gradients(of: model, batches: 1, batchSize: 16, seed: 9, body: { _ in })
    }
    var taylor = TaylorImportance(pedigree: Pedigree(root: model.architecture))
    _ = try trainer.gradients(of: model, batches: 1, batchSize: 16, seed: 9) { gradient in
      try taylor.add(weights: model.weights, gradient: gradient)
    }
    let found = taylor.importance
    func gated(_ names: [(name: String, column: (Int) -> Bool)], _ gate: Float) -> Model {
      var copy = model
      for (name, isGated) in names {
        guard let tensor = model.weights[name] else { continue }
        let width = tensor.shape.count > 1 ? tensor.shape[1] : tensor.count
        copy.weights[name] = Tensor(
          shape: tensor.shape,
          values: tensor.values.enumerated().map { isGated($0.offset % width) ? $0.element * gate : $0.element })
      }
      return copy
    }
    func slope(_ names: [(name: String, column: (Int) -> Bool)]) throws -> Double {
      let step: Float = 0.05
      return abs(try loss(gated(names, 1 + step)) - loss(gated(names, 1 - step))) / Double(2 * step)
    }
    for layer in 0..<2 {
      for head in 0..<2 {
        let expected = try slope([("encoder.layer.\(layer).attention.output.dense.weight", { $0 / 16 == head })])
        #expect(abs(found.heads[layer][head] - expected) < 0.02 * expected + 2e-5, "head \(layer).\(head)")
      }
      for neuron in [0, 17, 40] {
        let expected = try slope([("encoder.layer.\(layer).output.dense.weight", { $0 == neuron })])
        #expect(abs(found.neurons[layer][0][neuron] - expected) < 0.02 * expected + 2e-5, "neuron \(layer).\(neuron)")
      }
    }
    let norm = "encoder.layer.1.output.LayerNorm"
    let inner = "encoder.layer.1.attention.output.LayerNorm"
    let expected = try slope([("\(norm).weight", { $0 == 5 }), ("\(norm).bias", { $0 == 5 })])
    let other = try slope([("\(inner).weight", { $0 == 5 }), ("\(inner).bias", { $0 == 5 })])
    #expect(abs(found.channels[1][5] - expected - other) < 0.02 * (expected + other) + 4e-5)
  }

  /// The same bits after being stopped at a checkpoint.
  @Test func aStoppedTrainingGoesOn() throws {
    let folder = try Folder()
    let farm = try Farm(folder.url)
    for trainer in [try farm.masked(), try farm.task()] as [any ChildTrainer] {
      var recipe = Farm.recipe(12)
      recipe.dropout = 0.1
      let start = try trainer.prepared(
        Model.initialised(Farm.architecture, labels: nil, maskedLanguageModel: false, seed: 1))
      let whole = try trainer.train(start, recipe, checkpoint: folder.path("whole"), progress: { _ in })
      #expect(throws: Stop.self) {
        try TrainingLoop.$secondsBetweenCheckpoints.withValue(0) {
          try trainer.train(start, recipe, checkpoint: folder.path("part")) { if $0 == 7 { throw Stop() } }
        }
      }
      var steps: [Int] = []
      let rest = try trainer.train(start, recipe, checkpoint: folder.path("part")) { steps.append($0) }
      #expect(steps == Array(8...12) && rest.trainingLoss == whole.trainingLoss)
      #expect(
        whole.model.weights.names.allSatisfy { whole.model.weights[$0]?.values == rest.model.weights[$0]?.values })
      // That of another training is not gone on with.
      recipe.seed = 2
      steps = []
      _ = try trainer.train(start, recipe, checkpoint: folder.path("part")) { steps.append($0) }
      #expect(steps == Array(1...12))
    }
  }

  /// A pupil that is taught by the teacher alone comes to answer as it does, where labels are noise.
  @Test func distillation() throws {
    let folder = try Folder()
    let farm = try Farm(folder.url)
    let trainer = try farm.task()
    let start = try trainer.prepared(
      Model.initialised(Farm.architecture, labels: nil, maskedLanguageModel: false, seed: 1))
    let teacher = try trainer.train(start, Farm.recipe(80), checkpoint: folder.path("k"), progress: { _ in }).model
    #expect(try trainer.evaluate(teacher).score ?? 0 > 0.95)
    let noisy = try farm.task { index, _ in index / 3 % 2 == 1 }
    try noisy.setTeacher(teacher)
    let other = try trainer.prepared(
      Model.initialised(Farm.architecture, labels: nil, maskedLanguageModel: false, seed: 7))
    let pupil = try noisy.train(
      other, Farm.recipe(80, distillation: 1), checkpoint: folder.path("k"), progress: { _ in }
    ).model
    #expect(try trainer.evaluate(pupil).score ?? 0 > 0.95)
    let untaught = try noisy.train(other, Farm.recipe(80), checkpoint: folder.path("k"), progress: { _ in }).model
    #expect(try trainer.evaluate(untaught).score ?? 1 < 0.9)
  }
}
