import Foundation
import Numerics

/// BOSHCODE's first network: predicts a value and its spread, from two inputs through trunks of their own (ReLU, then logistic), joined,
/// a hidden layer (ReLU), and a logistic output.
struct NaturalParameterNetwork: Sendable {
  private let modelTrunk: [NaturalParameterLayer]
  private let deviceTrunk: [NaturalParameterLayer]
  private let joined: [NaturalParameterLayer]
  private let trunkActivations: [NaturalParameterActivation] = [.relu, .logistic]
  private let joinedActivations: [NaturalParameterActivation] = [.relu, .logistic]
  var parameters: [Double]

  init(modelInputs: Int, deviceInputs: Int, trunk: Int = 32, hidden: Int = 32, seed: UInt64, stream: UInt64) {
    var end = 0
    func stack(_ inputs: Int, _ widths: [Int]) -> [NaturalParameterLayer] {
      var input = inputs
      return widths.map { width in
        let layer = NaturalParameterLayer(inputs: input, outputs: width, at: end)
        end = layer.end
        input = width
        return layer
      }
    }
    modelTrunk = stack(modelInputs, [trunk, trunk])
    deviceTrunk = stack(deviceInputs, [trunk, trunk])
    joined = stack(2 * trunk, [hidden, 1])
    parameters = [Double](repeating: 0, count: end)
    var random = CounterRandom(seed: seed, stream: stream)
    for layer in modelTrunk + deviceTrunk + joined { layer.initialise(&parameters, using: &random) }
  }

  struct Tape<Scalar: NetworkScalar> {
    var inputs: [Gaussians<Scalar>] = []
    var sums: [Gaussians<Scalar>] = []
    var mean = Scalar(0)
    var variance = Scalar(0)
  }

  /// Variances of the weights: worked out once for many passes.
  func variances() -> [Double] {
    var result = [Double](repeating: 0, count: parameters.count)
    for layer in modelTrunk + deviceTrunk + joined {
      for index in layer.spreads.weights..<layer.spreads.end { result[index] = parameters[index] * parameters[index] }
    }
    return result
  }

  /// - Parameter variances: of ``variances()``.
  func forward<Scalar: NetworkScalar>(
    _ model: [Scalar], _ device: [Scalar], variances: [Double]
  ) -> Tape<Scalar> {
    var tape = Tape<Scalar>()
    parameters.withUnsafeBufferPointer { parameters in
      variances.withUnsafeBufferPointer { variances in
        func run(
          _ layers: [NaturalParameterLayer], _ activations: [NaturalParameterActivation], _ input: Gaussians<Scalar>
        ) -> Gaussians<Scalar> {
          var activation = input
          for (layer, function) in zip(layers, activations) {
            tape.inputs.append(activation)
            let sums = layer.forward(activation, parameters, variances)
            tape.sums.append(sums)
            activation = Gaussians(means: [], variances: [])
            for unit in sums.means.indices {
              let moments = function.forward(sums.means[unit], sums.variances[unit])
              activation.means.append(moments.mean)
              activation.variances.append(moments.variance)
            }
          }
          return activation
        }
        func exact(_ values: [Scalar]) -> Gaussians<Scalar> {
          Gaussians(means: values, variances: [Scalar](repeating: Scalar(0), count: values.count))
        }
        var activation = run(modelTrunk, trunkActivations, exact(model))
        let other = run(deviceTrunk, trunkActivations, exact(device))
        activation.means += other.means
        activation.variances += other.variances
        let output = run(joined, joinedActivations, activation)
        tape.mean = output.means[0]
        tape.variance = output.variances[0]
      }
    }
    return tape
  }

  /// Gradients by both inputs; adds those by the parameters to `gradient`.
  func backward<Scalar: NetworkScalar>(
    _ tape: Tape<Scalar>, meanGradient: Scalar, varianceGradient: Scalar, variances: [Double],
    gradient: UnsafeMutableBufferPointer<Double>? = nil
  ) -> (model: [Scalar], device: [Scalar]) {
    let result = parameters.withUnsafeBufferPointer { parameters in
      variances.withUnsafeBufferPointer { variances in
        func back(
          _ layers: [NaturalParameterLayer], _ activations: [NaturalParameterActivation], _ flow: Gaussians<Scalar>,
          last: Int
        ) -> Gaussians<Scalar> {
          var flow = flow
          for step in layers.indices {
            let position = layers.count - 1 - step
            let sums = tape.sums[last - step]
            for unit in flow.means.indices {
              let slopes = activations[position].backward(
                sums.means[unit], sums.variances[unit], meanGradient: flow.means[unit],
                varianceGradient: flow.variances[unit])
              flow.means[unit] = slopes.mean
              flow.variances[unit] = slopes.variance
            }
            flow = layers[position].backward(
              flow, input: tape.inputs[last - step], parameters, variances, gradient: gradient)
          }
          return flow
        }
        let output = Gaussians(means: [meanGradient], variances: [varianceGradient])
        let flow = back(joined, joinedActivations, output, last: tape.inputs.count - 1)
        let half = flow.means.count / 2
        let trunks = modelTrunk.count
        let model = back(
          modelTrunk, trunkActivations,
          Gaussians(means: Array(flow.means[..<half]), variances: Array(flow.variances[..<half])), last: trunks - 1)
        let device = back(
          deviceTrunk, trunkActivations,
          Gaussians(means: Array(flow.means[half...]), variances: Array(flow.variances[half...])), last: 2 * trunks - 1)
        return (model.means, device.means)
      }
    }
    return result
  }

  /// Turns the gradient by the weights' variances into that by their parameters.
  func finishGradient(_ gradient: inout [Double]) {
    for layer in modelTrunk + deviceTrunk + joined {
      for index in layer.spreads.weights..<layer.spreads.end { gradient[index] *= 2 * parameters[index] }
    }
  }
}
