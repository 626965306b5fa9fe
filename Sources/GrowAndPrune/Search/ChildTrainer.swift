import ModelFiles

/// How one child is trained.
package struct TrainingRecipe: Sendable, Hashable {
  package var steps: Int
  /// Peak: linear warm-up, then linear decay to 0.
  package var learningRate: Double
  package var warmUpSteps: Int
  package var batchSize: Int
  package var weightDecay: Double
  package var dropout: Double
  /// Share of the teacher's answers in the targets.
  package var distillation: Double
  /// Of the order of the data, dropout, and what is drawn of the teacher's answers.
  package var seed: UInt64
}

/// What training left.
package struct TrainedChild: Sendable {
  package var model: Model
  /// Mean of the last five logged losses; NaN without a step.
  package var trainingLoss: Double

  package init(model: Model, trainingLoss: Double) {
    self.model = model
    self.trainingLoss = trainingLoss
  }
}

/// What a model is worth on held-out data.
package struct HeldOut: Sendable, Hashable {
  package var loss: Double
  /// The task's metric, higher is better; nil where a task has none but its loss.
  package var score: Double?

  package init(loss: Double, score: Double?) {
    self.loss = loss
    self.score = score
  }
}

/// Trains and judges models for one task.
package protocol ChildTrainer: AnyObject {
  /// Adds what the task needs and a model lacks, such as a classifier.
  func prepared(_ model: Model) throws -> Model

  /// Trains a model; the same recipe gives the same bits.
  ///
  /// - Parameters:
  ///   - checkpoint: a file for what has been done so far: where it is, training goes on from there.
  ///   - progress: called with the number of steps done; what it throws ends the training.
  func train(
    _ model: Model, _ recipe: TrainingRecipe, checkpoint: String, progress: (Int) throws -> Void
  ) throws -> TrainedChild

  func evaluate(_ model: Model) throws -> HeldOut

  /// Gradients of the mean loss, without dropout, of some batches of training data.
  ///
  /// - Parameter body: called for each batch with a look-up of gradients by tensor name; nil for what is not trained.
  /// - Returns: the mean loss over the batches.
  func gradients(
    of model: Model, batches: Int, batchSize: Int, seed: UInt64, body: ((String) -> Tensor?) throws -> Void
  ) throws -> Double

  /// Names the model whose answers children are trained to give, as far as their recipes say.
  func setTeacher(_ model: Model) throws
}
