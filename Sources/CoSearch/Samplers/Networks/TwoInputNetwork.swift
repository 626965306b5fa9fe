import Numerics

/// A small dense network of two inputs, each through a trunk of its own, then joined: BOSHCODE's teacher and student.
///
/// Hidden layers are softplus; so are the trunks.
struct TwoInputNetwork: Sendable {
  enum Output: Sendable { case logistic, softplus }

  struct Shape: Sendable {
    var modelInputs: Int
    var deviceInputs: Int
    var trunk: [Int] = [32, 32]
    var hidden: [Int]
    var output: Output
  }

  let shape: Shape
  private let modelTrunk: [DenseLayer]
  private let deviceTrunk: [DenseLayer]
  private let joined: [DenseLayer]
  var parameters: [Double]

  init(_ shape: Shape, seed: UInt64, stream: UInt64) {
    self.shape = shape
    var end = 0
    func stack(_ inputs: Int, _ widths: [Int]) -> [DenseLayer] {
      var input = inputs
      return widths.map { width in
        let layer = DenseLayer(inputs: input, outputs: width, at: end)
        end = layer.end
        input = width
        return layer
      }
    }
    modelTrunk = stack(shape.modelInputs, shape.trunk)
    deviceTrunk = stack(shape.deviceInputs, shape.trunk)
    joined = stack(2 * (shape.trunk.last ?? 0), shape.hidden + [1])
    parameters = [Double](repeating: 0, count: end)
    var random = CounterRandom(seed: seed, stream: stream)
    for layer in modelTrunk + deviceTrunk + joined { layer.initialise(&parameters, using: &random) }
  }

  /// What a pass keeps for going back: inputs of each layer, and sums before the activation.
  struct Tape<Scalar: NetworkScalar> {
    var inputs: [[Scalar]] = []
    var sums: [[Scalar]] = []
    var output = Scalar(0)
  }

  /// Hidden layers of the joined part whose outputs dropout thins.
  var droppedWidths: [Int] { shape.hidden }

  /// - Parameter masks: factors of the joined part's hidden layers: 0 where dropped, 1/(1 − rate) elsewhere; nil drops nothing.
  func forward<Scalar: NetworkScalar>(
    _ model: [Scalar], _ device: [Scalar], masks: [[Double]]? = nil
  ) -> Tape<Scalar> {
    var tape = Tape<Scalar>()
    parameters.withUnsafeBufferPointer { parameters in
      func trunk(_ layers: [DenseLayer], _ input: [Scalar]) -> [Scalar] {
        var activation = input
        for layer in layers {
          tape.inputs.append(activation)
          let sums = layer.forward(activation, parameters)
          tape.sums.append(sums)
          activation = sums.map(Scalar.softplus)
        }
        return activation
      }
      var activation = trunk(modelTrunk, model)
      activation += trunk(deviceTrunk, device)
      for (position, layer) in joined.enumerated() {
        tape.inputs.append(activation)
        let sums = layer.forward(activation, parameters)
        tape.sums.append(sums)
        if position + 1 < joined.count {
          activation = sums.map(Scalar.softplus)
          if let masks {
            for index in activation.indices { activation[index] = masks[position][index] * activation[index] }
          }
        } else {
          tape.output = shape.output == .logistic ? Scalar.logistic(sums[0]) : Scalar.softplus(sums[0])
        }
      }
    }
    return tape
  }

  /// Gradients by both inputs, given that by the output; adds those by the parameters to `gradient`.
  func backward<Scalar: NetworkScalar>(
    _ tape: Tape<Scalar>, _ outputGradient: Scalar, masks: [[Double]]? = nil,
    gradient: UnsafeMutableBufferPointer<Double>? = nil
  ) -> (model: [Scalar], device: [Scalar]) {
    parameters.withUnsafeBufferPointer { parameters in
      let trunkCount = modelTrunk.count
      var index = tape.inputs.count - 1
      let slope =
        shape.output == .logistic ? tape.output * (Scalar(1) - tape.output) : Scalar.logistic(tape.sums[index][0])
      var flow = [outputGradient * slope]
      for position in joined.indices.reversed() {
        flow = joined[position].backward(flow, input: tape.inputs[index], parameters, gradient: gradient)
        index -= 1
        guard position > 0 else { break }
        for unit in flow.indices {
          var factor = Scalar.logistic(tape.sums[index][unit])
          if let masks { factor = masks[position - 1][unit] * factor }
          flow[unit] = flow[unit] * factor
        }
      }
      func trunk(_ layers: [DenseLayer], _ flow: [Scalar], last: Int) -> [Scalar] {
        var flow = flow
        for (step, layer) in layers.reversed().enumerated() {
          let index = last - step
          for unit in flow.indices { flow[unit] = flow[unit] * Scalar.logistic(tape.sums[index][unit]) }
          flow = layer.backward(flow, input: tape.inputs[index], parameters, gradient: gradient)
        }
        return flow
      }
      let half = flow.count / 2
      return (
        trunk(modelTrunk, Array(flow[..<half]), last: trunkCount - 1),
        trunk(deviceTrunk, Array(flow[half...]), last: 2 * trunkCount - 1)
      )
    }
  }
}
