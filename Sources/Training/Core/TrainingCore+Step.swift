import CKernels
import Foundation

/// What goes over all parameters.
extension TrainingCore {
  private func squareSum() -> Double {
    var workspace = workspace
    return store.segments.withUnsafeBufferPointer { segments in
      let count = edgetwin_training_square_partials(segments.baseAddress, segments.count)
      let partials = partialSums(2 * count + 64).bindMemory(to: Double.self, capacity: count)
      return kernels.pointee.square_sum(&workspace, store.gradients, segments.baseAddress, segments.count, partials)
    }
  }

  /// Euclidean norm of the gradient of the mean loss over so many items.
  func gradientNorm(items: Int) -> Double { items > 0 && !isFresh ? squareSum().squareRoot() / Double(items) : 0 }

  /// AdamW on the gradients times `scale`; then they are 0.
  func update(scale: Double, learningRate: Double, step: Int) {
    let optimiser = options.optimiser
    var workspace = workspace
    store.segments.withUnsafeBufferPointer { segments in
      var call = edgetwin_training_adamw()
      call.segments = segments.baseAddress
      call.segment_count = segments.count
      call.parameters = store.parameters
      call.gradients = store.gradients
      call.first_moments = store.firstMoments
      call.second_moments = store.secondMoments
      call.gradient_scale = scale
      call.learning_rate = learningRate
      call.beta1 = optimiser.beta1
      call.beta2 = optimiser.beta2
      call.epsilon = optimiser.epsilon
      call.weight_decay = optimiser.weightDecay
      call.correction1 = 1 - pow(optimiser.beta1, Double(step))
      call.correction2 = 1 - pow(optimiser.beta2, Double(step))
      kernels.pointee.adamw(&workspace, &call)
    }
    clear()
  }

  func clear() {
    var workspace = workspace
    store.clearedSegments.withUnsafeBufferPointer { segments in
      kernels.pointee.clear(&workspace, store.gradients, segments.baseAddress, segments.count)
    }
    store.forgetTouched()
    isFresh = true
  }
}
