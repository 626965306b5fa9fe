import Architectures
import CKernels
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
  public internal(set) var stepCount = 0

  /// Instruction set of the kernels.
  public var instructionSet: String { String(cString: core.kernels.pointee.name) }

  let core: TrainingCore
  /// Of the micro-batches since the last step.
  var accumulated = TrainingLoss()

  /// - Parameter model: with all the tensors that the head needs (``ModelFiles/Model/prepared(for:labels:seed:)``). Tensors that take no part in the
  ///   head are carried along unchanged.
  /// - Throws: ``KernelError`` (kind `model`) for tensors that are missing or of another shape, `input` for options out of range, `machine`
  ///   where threads are not to be had.
  public convenience init(
    model: Model, head: TrainingHead, options: TrainingOptions = TrainingOptions()
  ) throws(KernelError) {
    guard let kernels = edgetwin_training_kernels_best(options.instructionSet) else {
      throw KernelError(.machine, "there are no kernels for this processor")
    }
    try self.init(model: model, head: head, options: options, kernels: kernels)
  }

  /// In double precision, slowly: for checks of gradients.
  package convenience init(
    doublePrecision model: Model, head: TrainingHead, options: TrainingOptions = TrainingOptions()
  ) throws(KernelError) {
    guard let kernels = edgetwin_training_kernels_double() else {
      throw KernelError(.machine, "there are no kernels for this processor")
    }
    try self.init(model: model, head: head, options: options, kernels: kernels)
  }

  private init(
    model: Model, head: TrainingHead, options: TrainingOptions, kernels: UnsafePointer<edgetwin_training_kernels>
  ) throws(KernelError) {
    try options.check()
    switch head {
    case .classification, .regression:
      guard let labels = model.labels else {
        throw KernelError(.model, "the model has no classifier; prepare it for the head first")
      }
      if case .regression = head, labels != 1 {
        throw KernelError(.model, "regression needs a classifier of one label, not \(labels)")
      }
    case .maskedLanguageModel: break
    }
    architecture = model.architecture
    self.head = head
    self.options = options
    core = try TrainingCore(model: model, head: head, options: options, kernels: kernels)
  }

  /// Forward and backward pass of a micro-batch, with dropout: adds to the gradients.
  ///
  /// - Throws: ``KernelError`` (kind `input`) for ids, types, tokens or targets that the model does not have; nothing is changed then.
  @discardableResult
  public func accumulate(_ batch: TokenBatch, _ targets: TrainingTargets) throws(KernelError) -> TrainingLoss {
    try check(batch, targets)
    guard targets.count > 0 else { return TrainingLoss() }
    core.load(batch)
    core.store.touch(batch.ids)
    let hidden = core.encode(isTraining: true)
    let loss = core.loss(targets, hidden: hidden, isTraining: true, logits: nil)
    core.encodeBackward()
    core.isFresh = false
    core.passCount &+= 1
    accumulated += loss
    return loss
  }

  /// One step of AdamW on the gradient of the mean loss over all items since the last step, clipped to the norm that the options say; then the
  /// gradients are 0 again.
  ///
  /// - Throws: ``KernelError`` (kind `input`) where nothing was accumulated, or the gradient is not finite; nothing is changed then, and
  ///   ``discardGradients()`` lets training go on without those micro-batches.
  @discardableResult
  public func step(learningRate: Double) throws(KernelError) -> TrainingStep {
    guard accumulated.items > 0 else { throw KernelError(.input, "there is no gradient to take a step by") }
    guard learningRate.isFinite, learningRate >= 0 else {
      throw KernelError(.input, "the learning rate must be a number from 0 on, not \(learningRate)")
    }
    let norm = core.gradientNorm(items: accumulated.items)
    guard norm.isFinite else {
      throw KernelError(
        .input, "the gradient of step \(stepCount + 1) is not finite; a lower learning rate may help")
    }
    var scale = 1 / Double(accumulated.items)
    // As PyTorch's clip_grad_norm_.
    if let most = options.optimiser.maximumGradientNorm { scale *= min(1, most / (norm + 1e-6)) }
    stepCount += 1
    core.update(scale: scale, learningRate: learningRate, step: stepCount)
    let step = TrainingStep(loss: accumulated, gradientNorm: norm, learningRate: learningRate)
    accumulated = TrainingLoss()
    return step
  }

  /// Forgets what was accumulated since the last step.
  public func discardGradients() {
    core.clear()
    accumulated = TrainingLoss()
  }

  /// Loss and scores without dropout; gradients and state stay as they are.
  ///
  /// - Parameter wantsLogits: false to save the memory of the scores (a row a scored token is as wide as the vocabulary).
  /// - Throws: as ``accumulate(_:_:)``.
  public func evaluate(
    _ batch: TokenBatch, _ targets: TrainingTargets, wantsLogits: Bool = true
  ) throws(KernelError) -> TrainingEvaluation {
    try check(batch, targets)
    let width = head == .maskedLanguageModel ? architecture.vocabularySize : core.labels
    guard targets.count > 0 else { return TrainingEvaluation(loss: TrainingLoss(), logits: [], width: width) }
    core.load(batch)
    let hidden = core.encode(isTraining: false)
    var logits: [Float] = []
    if wantsLogits { logits.reserveCapacity(targets.count * width) }
    let bytes = core.bytes
    let collect = { (rows: Rows, count: Int) in
      for row in 0..<count {
        if bytes == 4 {
          let numbers = rows.row(row, bytes: 4).assumingMemoryBound(to: Float.self)
          logits.append(contentsOf: UnsafeBufferPointer(start: numbers, count: width))
        } else {
          for column in 0..<width { logits.append(Float(Real.load(rows.base, row * rows.ld + column, bytes: bytes))) }
        }
      }
    }
    let loss = core.loss(targets, hidden: hidden, isTraining: false, logits: wantsLogits ? collect : nil)
    return TrainingEvaluation(loss: loss, logits: logits, width: width)
  }

  // MARK: Reading out

  /// Names of the tensors that are trained, sorted.
  public var trainedNames: [String] { core.store.layout.entries.map(\.name).sorted() }

  /// The present weights of a tensor; nil where the model has none of that name.
  public func weight(_ name: String) -> Tensor? {
    guard let entry = core.store.layout[name] else { return core.model.weights[name] }
    return core.store.tensor(entry, from: core.store.parameters)
  }

  /// Gradient of the mean loss since the last step by one tensor; nil where it is not trained.
  public func gradient(_ name: String) -> Tensor? {
    guard let entry = core.store.layout[name] else { return nil }
    let scale = accumulated.items > 0 ? 1 / Double(accumulated.items) : 0
    guard scale > 0 else {
      return Tensor(shape: entry.shape, values: [Float](repeating: 0, count: entry.count))
    }
    return core.store.tensor(entry, from: core.store.gradients, scale: scale)
  }

  /// Euclidean norm of the gradient of the mean loss since the last step, over all trained tensors.
  public func gradientNorm() -> Double { core.gradientNorm(items: accumulated.items) }

  /// A copy of the model as it is now.
  public func model() -> Model {
    var model = core.model
    for entry in core.store.layout.entries {
      model.weights[entry.name] = core.store.tensor(entry, from: core.store.parameters)
    }
    return model
  }
}
