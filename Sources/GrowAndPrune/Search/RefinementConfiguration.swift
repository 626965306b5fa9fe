import Architectures

/// How a refinement goes: modes, their training, what is pruned by, when it ends.
package struct RefinementConfiguration: Sendable, Hashable {
  /// Steps of the optimiser and the peak of the learning rate, which rises linearly over the warm-up and falls linearly to 0.
  package struct Training: Sendable, Hashable, Codable {
    package var steps: Int
    package var learningRate: Double

    package init(steps: Int, learningRate: Double) {
      self.steps = steps
      self.learningRate = learningRate
    }

    enum CodingKeys: String, CodingKey {
      case steps
      case learningRate = "learning_rate"
    }
  }

  /// What nodes are compared by.
  package enum Criterion: String, Sendable, Hashable, CaseIterable, Codable {
    /// Mean of the last losses that training logged, as published.
    case trainingLoss = "training_loss"
    /// Held-out loss.
    case loss
    /// The task's held-out score, the highest first; equals by held-out loss. By loss where there is no score.
    case score
  }

  package enum FeedForwardForm: String, Sendable, Hashable, CaseIterable, Codable {
    /// A hidden layer appended to the stack, where the last is no wider than the new one.
    case stack
    /// More neurons in the last hidden layer.
    case widen
  }

  package enum NeuronChoice: String, Sendable, Hashable, CaseIterable, Codable {
    /// The leading ones stay, as published.
    case leading
    /// The most important ones stay.
    case importance
  }

  /// Parts that pruning towards a budget may take.
  package enum Part: String, Sendable, Hashable, CaseIterable, Codable {
    case heads, neurons, channels, layers
  }

  package struct GrowFeedForward: Sendable, Hashable {
    package var training: Training
    package var form: FeedForwardForm
    /// Of the appended hidden layer; or neurons added.
    package var width: Int
  }

  package struct PruneHeads: Sendable, Hashable {
    package var training: Training
    package var count: Int
  }

  package struct PruneFeedForward: Sendable, Hashable {
    package var training: Training
    /// Hidden layers that lose neurons.
    package var hiddenLayers: Int
    /// Neurons that each loses.
    package var neurons: Int
    package var choice: NeuronChoice
  }

  package struct PruneWidth: Sendable, Hashable {
    package var training: Training
    package var channels: Int
  }

  /// How a root above the budget gets within it.
  package struct Approach: Sendable, Hashable {
    /// Cuts, each by the same factor.
    package var rounds: Int
    /// Of the models that are still above the budget.
    package var recovery: Training
    /// Of the first within it.
    package var training: Training
    package var parts: [Part]
    /// Neurons and channels that go at a time.
    package var neurons: Int
    package var channels: Int
  }

  /// Modes in turn.
  package var cycle: [Mode]
  /// Children of a growth.
  package var children: Int
  /// Most rounds of the cycle.
  package var rounds: Int
  /// Rounds without a better best after which it ends.
  package var patience: Int
  package var backTracks: Bool
  package var criterion: Criterion
  package var growth: TransferOptions.Growth
  package var importance: Importance.Measure
  /// Batches that the gradients of ``Importance/Measure/taylor`` are taken from.
  package var importanceBatches: Int
  /// Operations that heads are grown of.
  package var operations: [HeadOperation]
  package var batchSize: Int
  package var warmUpSteps: Int
  package var weightDecay: Double
  package var dropout: Double
  /// Share of the root's own answers in what a child is trained to say: 0 are the labels alone.
  package var distillation: Double
  /// Of a root that has no head for the task.
  package var root: Training
  package var growHeads: Training
  package var growFeedForward: GrowFeedForward
  package var growLayer: Training
  package var pruneHeads: PruneHeads
  package var pruneFeedForward: PruneFeedForward
  package var pruneWidth: PruneWidth
  package var pruneLayer: Training
  package var approach: Approach
  /// Of the best at the end; nil for none.
  package var finish: Training?

  /// How a node of a mode is trained; nil where it is not.
  package func training(_ mode: Mode) -> Training? {
    switch mode {
    case .root: root
    case .growHeads: growHeads
    case .growFeedForward: growFeedForward.training
    case .growLayer: growLayer
    case .pruneHeads: pruneHeads.training
    case .pruneFeedForward: pruneFeedForward.training
    case .pruneWidth: pruneWidth.training
    case .pruneLayer: pruneLayer
    case .prune: approach.training
    case .train: finish
    }
  }

  /// Warm-up within a training: never more than a tenth of it.
  package func warmUp(for training: Training) -> Int { min(warmUpSteps, training.steps / 10) }
}

extension RefinementConfiguration {
  /// The published schedule (EdgeTran, section on GPTran, and the authors' code): hundreds of thousands of steps.
  ///
  /// Two readings where the paper and the code part: back-tracking is on, as the paper has it, and budgets are kept, as its text has it.
  package static let published = RefinementConfiguration(
    cycle: [.growHeads, .growFeedForward, .pruneHeads, .pruneFeedForward], children: 5, rounds: 100, patience: 5,
    backTracks: true, criterion: .trainingLoss, growth: .fresh, importance: .magnitude, importanceBatches: 16,
    operations: HeadOperation.allCases, batchSize: 32, warmUpSteps: 1_000, weightDecay: 0.01, dropout: 0.1,
    distillation: 0, root: Training(steps: 20_000, learningRate: 2e-5),
    growHeads: Training(steps: 20_000, learningRate: 1e-5),
    growFeedForward: GrowFeedForward(
      training: Training(steps: 50_000, learningRate: 1e-5), form: .stack, width: 1_024),
    growLayer: Training(steps: 50_000, learningRate: 1e-5),
    pruneHeads: PruneHeads(training: Training(steps: 30_000, learningRate: 5e-5), count: 2),
    pruneFeedForward: PruneFeedForward(
      training: Training(steps: 20_000, learningRate: 1e-5), hiddenLayers: 2, neurons: 128, choice: .leading),
    pruneWidth: PruneWidth(training: Training(steps: 15_000, learningRate: 5e-5), channels: 48),
    pruneLayer: Training(steps: 30_000, learningRate: 5e-5),
    approach: Approach(
      rounds: 8, recovery: Training(steps: 5_000, learningRate: 5e-5),
      training: Training(steps: 30_000, learningRate: 5e-5), parts: Part.allCases, neurons: 128, channels: 48),
    finish: nil)

  /// Minutes on two cores for a small model: growth that preserves the function, Taylor scores, few steps.
  package static let short = RefinementConfiguration(
    cycle: [.growHeads, .growFeedForward, .pruneHeads, .pruneFeedForward], children: 2, rounds: 4, patience: 4,
    backTracks: true, criterion: .score, growth: .preserving, importance: .taylor, importanceBatches: 16,
    operations: HeadOperation.allCases, batchSize: 32, warmUpSteps: 100, weightDecay: 0.01, dropout: 0.1,
    distillation: 0.5, root: Training(steps: 200, learningRate: 1e-4),
    growHeads: Training(steps: 60, learningRate: 5e-5),
    growFeedForward: GrowFeedForward(training: Training(steps: 60, learningRate: 5e-5), form: .widen, width: 128),
    growLayer: Training(steps: 60, learningRate: 5e-5),
    pruneHeads: PruneHeads(training: Training(steps: 60, learningRate: 5e-5), count: 2),
    pruneFeedForward: PruneFeedForward(
      training: Training(steps: 60, learningRate: 5e-5), hiddenLayers: 2, neurons: 128, choice: .importance),
    pruneWidth: PruneWidth(training: Training(steps: 60, learningRate: 5e-5), channels: 16),
    pruneLayer: Training(steps: 60, learningRate: 5e-5),
    approach: Approach(
      rounds: 4, recovery: Training(steps: 60, learningRate: 1e-4),
      training: Training(steps: 300, learningRate: 1e-4), parts: [.heads, .neurons, .layers], neurons: 32,
      channels: 16),
    finish: nil)
}
