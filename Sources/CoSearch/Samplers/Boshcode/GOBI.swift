import Foundation
import Numerics

/// Gradient-based optimisation with backpropagation to the input (GOBI): second-order descent on the surrogate's inputs.
struct GOBI: Sendable {
  struct Configuration: Sendable {
    var learningRate = 0.5
    /// Of the cosine schedule, which starts again after so many steps.
    var period = 2
    var steps = 200
    /// Stop after so many changes of the acquisition that are below ``tolerance``.
    var patience = 6
    var tolerance = 1e-5
  }

  let configuration: Configuration
  /// Largest value of each number of the model's input; the device's end at 1.
  let maxima: [Double]

  /// Descends from a start; every number stays within 0 and its maximum.
  func descend(
    _ networks: BoshcodeNetworks, model: [Double], device: [Double], using random: inout CounterRandom
  ) -> (model: [Double], device: [Double]) {
    let variances = networks.natural.variances()
    let split = model.count
    let limits = maxima + [Double](repeating: 1, count: device.count)
    var values = model + device
    var optimiser = AdaHessian(count: values.count)
    var last = Double.infinity
    var stalled = 0
    for step in 0..<configuration.steps {
      // Hutchinson's estimate: one gradient along random signs gives the gradient and the Hessian's product with them.
      let signs = values.map { _ in random.next() & 1 == 0 ? 1.0 : -1.0 }
      let duals = zip(values, signs).map { Dual($0, slope: $1) }
      let result = networks.acquisition(Array(duals[..<split]), Array(duals[split...]), variances: variances)
      let gradients = result.model + result.device
      // Where the surrogate has no slope there is nothing to follow; the last point with one stands.
      guard result.value.value.isFinite, gradients.allSatisfy({ $0.value.isFinite && $0.slope.isFinite }) else { break }
      let phase = Double(step % configuration.period) / Double(configuration.period)
      optimiser.step(
        &values, gradient: gradients.map(\.value), diagonal: zip(gradients, signs).map { $0.slope * $1 },
        learningRate: configuration.learningRate * 0.5 * (1 + cos(.pi * phase)))
      for index in values.indices { values[index] = min(max(values[index], 0), limits[index]) }
      if abs(last - result.value.value) < configuration.tolerance { stalled += 1 }
      if stalled >= configuration.patience { break }
      last = result.value.value
    }
    return (Array(values[..<split]), Array(values[split...]))
  }
}
