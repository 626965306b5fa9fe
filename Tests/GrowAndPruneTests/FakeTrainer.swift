import Architectures
import Foundation
import ModelFiles
import Numerics

@testable import GrowAndPrune

/// A trainer whose results are made up: what the search makes of them is what is tested. Training shifts one weight by a number of the
/// recipe, so that models depend on all that was done to them.
final class FakeTrainer: ChildTrainer {
  let heldOut: (Architecture) -> HeldOut
  private(set) var recipes: [TrainingRecipe] = []
  private(set) var trained: [Architecture] = []
  private(set) var teacher: Model?

  init(_ heldOut: @escaping (Architecture) -> HeldOut) {
    self.heldOut = heldOut
  }

  func prepared(_ model: Model) throws -> Model {
    var model = model
    guard !model.weights.contains("classifier.weight") else { return model }
    model.labels = 2
    for specification in model.architecture.tensorSpecifications(labels: 2, maskedLanguageModel: false)
    where !model.weights.contains(specification.name) {
      model.weights[specification.name] = specification.initialTensor(seed: 1)
    }
    return model
  }

  func train(
    _ model: Model, _ recipe: TrainingRecipe, checkpoint: String, progress: (Int) throws -> Void
  ) throws -> TrainedChild {
    recipes.append(recipe)
    trained.append(model.architecture)
    for step in 1...max(recipe.steps, 1) { try progress(step) }
    var model = model
    let name = "encoder.layer.0.output.dense.bias"
    if var values = model.weights[name]?.values {
      var random = CounterRandom(seed: recipe.seed)
      values[0] += Float(random.nextUniform() + Double(recipe.steps) * recipe.learningRate)
      model.weights[name] = Tensor(shape: [values.count], values: values)
    }
    return TrainedChild(model: model, trainingLoss: heldOut(model.architecture).loss)
  }

  func evaluate(_ model: Model) throws -> HeldOut { heldOut(model.architecture) }

  func gradients(
    of model: Model, batches: Int, batchSize: Int, seed: UInt64, body: ((String) -> Tensor?) throws -> Void
  ) throws -> Double {
    for batch in 0..<batches {
      try body { name in
        guard let tensor = model.weights[name] else { return nil }
        var random = CounterRandom(seed: seed, stream: UInt64(batch), UInt64(name.utf8.count))
        return Tensor(shape: tensor.shape, values: (0..<tensor.count).map { _ in Float(random.nextNormal()) })
      }
    }
    return heldOut(model.architecture).loss
  }

  func setTeacher(_ model: Model) throws { teacher = model }
}
