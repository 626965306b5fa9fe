/// Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2), as PyTorch's `AdamW` computes it.
public struct AdamWOptions: Sendable, Hashable {
  public var beta1: Double
  public var beta2: Double
  public var epsilon: Double
  /// Times the learning rate, taken off every weight but biases and layer norms.
  public var weightDecay: Double
  /// The gradient of the mean loss is scaled down to this Euclidean norm where it is longer; nil for never.
  public var maximumGradientNorm: Double?

  public init(
    beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0.01,
    maximumGradientNorm: Double? = 1
  ) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.maximumGradientNorm = maximumGradientNorm
  }
}

/// How a ``TrainingSession`` trains.
public struct TrainingOptions: Sendable, Hashable {
  /// Threads that share the work, the caller among them; the result does not depend on their number.
  public var threads: Int
  /// Share of the numbers that dropout zeroes, in 0..<1: after the embedding norm, on attention weights, before each residual, before the
  /// classifier; 0 for none.
  public var dropout: Double
  /// Of the dropout masks.
  public var seed: UInt64
  public var optimiser: AdamWOptions
  /// Highest instruction set to use, one of `SessionOptions.instructionSets`; nil for the best that the processor has.
  public var instructionSet: String?

  public init(
    threads: Int = 1, dropout: Double = 0.1, seed: UInt64 = 0, optimiser: AdamWOptions = AdamWOptions(),
    instructionSet: String? = nil
  ) {
    self.threads = threads
    self.dropout = dropout
    self.seed = seed
    self.optimiser = optimiser
    self.instructionSet = instructionSet
  }
}
