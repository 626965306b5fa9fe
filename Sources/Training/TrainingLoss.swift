/// Loss over scored items.
public struct TrainingLoss: Sendable, Hashable {
  /// Of all items, in nats (cross-entropy) or squared units (regression).
  public var sum: Double
  public var items: Int
  /// Items whose highest score is the target's; 0 for regression.
  public var correct: Int

  public init(sum: Double = 0, items: Int = 0, correct: Int = 0) {
    self.sum = sum
    self.items = items
    self.correct = correct
  }

  /// Mean over the items; 0 where there is none.
  public var mean: Double { items > 0 ? sum / Double(items) : 0 }

  public static func += (left: inout TrainingLoss, right: TrainingLoss) {
    left.sum += right.sum
    left.items += right.items
    left.correct += right.correct
  }
}

/// What one optimiser step did.
public struct TrainingStep: Sendable, Hashable {
  /// Over all micro-batches of the step.
  public var loss: TrainingLoss
  /// Euclidean norm of the gradient of the mean loss, before clipping.
  public var gradientNorm: Double
  public var learningRate: Double
}

/// What a model says without dropout.
public struct TrainingEvaluation: Sendable, Hashable {
  public var loss: TrainingLoss
  /// Scores, row-major: a row an item, ``width`` wide; empty where they were not asked for.
  public var logits: [Float]
  public var width: Int
}
