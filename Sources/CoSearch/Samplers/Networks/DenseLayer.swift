import Numerics

/// Where a dense layer's weights (a row an output) and biases stand in a network's parameters.
struct DenseLayer: Sendable {
  let inputs: Int
  let outputs: Int
  let weights: Int
  let biases: Int

  var end: Int { biases + outputs }

  init(inputs: Int, outputs: Int, at start: Int) {
    self.inputs = inputs
    self.outputs = outputs
    weights = start
    biases = start + inputs * outputs
  }

  /// Uniform within ±1/√inputs, as PyTorch starts its linear layers.
  func initialise(_ parameters: inout [Double], using random: inout CounterRandom) {
    let bound = 1 / Double(inputs).squareRoot()
    for index in weights..<end { parameters[index] = bound * (2 * random.nextUniform() - 1) }
  }

  @inline(__always)
  func forward<Scalar: NetworkScalar>(_ input: [Scalar], _ parameters: UnsafeBufferPointer<Double>) -> [Scalar] {
    var output = [Scalar]()
    output.reserveCapacity(outputs)
    for row in 0..<outputs {
      var sum = Scalar(parameters[biases + row])
      let start = weights + row * inputs
      for column in 0..<inputs { sum += parameters[start + column] * input[column] }
      output.append(sum)
    }
    return output
  }

  /// Gradient by the input; by the parameters too, added to `gradient`, where it is given.
  @inline(__always)
  func backward<Scalar: NetworkScalar>(
    _ outputGradient: [Scalar], input: [Scalar], _ parameters: UnsafeBufferPointer<Double>,
    gradient: UnsafeMutableBufferPointer<Double>?
  ) -> [Scalar] {
    var result = [Scalar](repeating: Scalar(0), count: inputs)
    for row in 0..<outputs {
      let start = weights + row * inputs
      let slope = outputGradient[row]
      for column in 0..<inputs { result[column] += parameters[start + column] * slope }
      guard let gradient else { continue }
      gradient[biases + row] += slope.value
      for column in 0..<inputs { gradient[start + column] += slope.value * input[column].value }
    }
    return result
  }
}
