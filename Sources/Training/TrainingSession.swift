import Architectures
import Foundation
import Kernels
import ModelFiles

/// Trains one model: its weights, their gradients and the optimiser's state, all in fp32.
///
/// A step is any number of micro-batches (``accumulate(_:_:)``), then ``step(learningRate:)`` on the gradient of the mean loss over all their
/// scored items. Sequences of a micro-batch may differ in length: tokens lie one after another, without padding. The bits of all results
/// depend on model, options but for `threads`, and calls only. Not for use by several threads at once.
public final class TrainingSession {
  public let architecture: Architecture
  public let head: TrainingHead
  public let options: TrainingOptions
  /// Optimiser steps done.
  public private(set) var stepCount = 0

  /// - Parameter model: with all the tensors that the head needs (``Model/prepared(for:labels:seed:)``). Tensors that take no part in the head are
  ///   carried along unchanged.
  /// - Throws: ``KernelError`` (kind `model`) for tensors that are missing or of another shape, `input` for options out of range, `machine`
  ///   where threads are not to be had.
  public init(model: Model, head: TrainingHead, options: TrainingOptions = TrainingOptions()) throws(KernelError) {
    architecture = model.architecture
    self.head = head
    self.options = options
    throw KernelError(.machine, "training is not there yet")
  }

  /// Forward and backward pass of a micro-batch, with dropout: adds to the gradients.
  ///
  /// - Throws: ``KernelError`` (kind `input`) for ids, types, tokens or targets that the model does not have; nothing is changed then.
  @discardableResult
  public func accumulate(_ batch: TokenBatch, _ targets: TrainingTargets) throws(KernelError) -> TrainingLoss {
    throw KernelError(.machine, "training is not there yet")
  }

  /// One step of AdamW on the gradient of the mean loss over all items since the last step, clipped to the norm that the options say; then the
  /// gradients are 0 again.
  ///
  /// - Throws: ``KernelError`` (kind `input`) where nothing was accumulated, or the gradient is not finite; nothing is changed then, and
  ///   ``discardGradients()`` lets training go on without those micro-batches.
  @discardableResult
  public func step(learningRate: Double) throws(KernelError) -> TrainingStep {
    throw KernelError(.machine, "training is not there yet")
  }

  /// Forgets what was accumulated since the last step.
  public func discardGradients() {}

  /// Loss and scores without dropout; gradients and state stay as they are.
  ///
  /// - Parameter wantsLogits: false to save the memory of the scores (a row a scored token is as wide as the vocabulary).
  /// - Throws: as ``accumulate(_:_:)``.
  public func evaluate(
    _ batch: TokenBatch, _ targets: TrainingTargets, wantsLogits: Bool = true
  ) throws(KernelError) -> TrainingEvaluation {
    throw KernelError(.machine, "training is not there yet")
  }

  // MARK: Reading out

  /// Names of the tensors that are trained, sorted.
  public var trainedNames: [String] { [] }

  /// The present weights of a tensor; nil where the model has none of that name.
  public func weight(_ name: String) -> Tensor? { nil }

  /// Gradient of the mean loss since the last step by one tensor; nil where it is not trained.
  public func gradient(_ name: String) -> Tensor? { nil }

  /// Euclidean norm of the gradient of the mean loss since the last step, over all trained tensors.
  public func gradientNorm() -> Double { 0 }

  /// A copy of the model as it is now.
  public func model() -> Model { Model(architecture: architecture, weights: ModelWeights([:])) }

  // MARK: State

  /// Everything that training depends on from here: weights, the optimiser's moments, counters, gradients that wait for a step. A
  /// session of the same architecture, head and options that restores it goes on to the same bits.
  public func state() -> Data { Data() }

  /// - Throws: ``KernelError`` (kind `input`) for bytes that are damaged or of another architecture, head or options (but for `threads`);
  ///   nothing is changed then.
  public func restore(_ state: Data) throws(KernelError) {
    throw KernelError(.machine, "training is not there yet")
  }
}
