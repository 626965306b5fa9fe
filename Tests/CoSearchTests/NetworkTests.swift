import Foundation
import Numerics
import Testing

@testable import CoSearch

/// Gradients against finite differences, moments against their integrals.
@Suite struct NetworkTests {
  static func vector(_ count: Int, _ stream: UInt64, scale: Double = 1) -> [Double] {
    var random = CounterRandom(seed: 9, stream: stream)
    return (0..<count).map { _ in scale * (2 * random.nextUniform() - 1) }
  }

  static func difference(_ f: (Double) -> Double) -> Double {
    let step = 1e-5
    return (f(step) - f(-step)) / (2 * step)
  }

  @Test(arguments: [TwoInputNetwork.Output.logistic, .softplus])
  func gradientsOfDenseNetworks(output: TwoInputNetwork.Output) {
    let network = TwoInputNetwork(
      .init(modelInputs: 5, deviceInputs: 3, trunk: [4, 6], hidden: [5, 3], output: output), seed: 1, stream: 0)
    let (model, device) = (Self.vector(5, 1), Self.vector(3, 2))
    let masks = [[2, 0, 1.5, 1, 0], [1, 0, 2]]
    let tape = network.forward(model, device, masks: masks)
    var gradient = [Double](repeating: 0, count: network.parameters.count)
    let inputs = gradient.withUnsafeMutableBufferPointer {
      network.backward(tape, 1.0, masks: masks, gradient: $0)
    }
    for index in network.parameters.indices {
      let expected = Self.difference { step in
        var moved = network
        moved.parameters[index] += step
        return moved.forward(model, device, masks: masks).output
      }
      #expect(abs(gradient[index] - expected) < 1e-8)
    }
    for index in model.indices {
      let expected = Self.difference { step in
        var moved = model
        moved[index] += step
        return network.forward(moved, device, masks: masks).output
      }
      #expect(abs(inputs.model[index] - expected) < 1e-8)
    }
    for index in device.indices {
      let expected = Self.difference { step in
        var moved = device
        moved[index] += step
        return network.forward(model, moved, masks: masks).output
      }
      #expect(abs(inputs.device[index] - expected) < 1e-8)
    }
  }

  /// Far from 0 values and slopes are those of the limits, not overflows of one form of the function.
  @Test(arguments: [-1e5, -1e4, -709, -40, 0, 40, 709, 1e4, 1e5]) func logisticFarOut(x: Double) {
    let dual = Dual.logistic(Dual(x, slope: 3))
    let expected = x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x))
    #expect(abs(dual.value - expected) < 1e-15 && abs(Double.logistic(x) - expected) < 1e-15)
    #expect(dual.slope.isFinite && abs(dual.slope - 3 * expected * (1 - expected)) < 1e-15)
    let softplus = Dual.softplus(Dual(x, slope: 1))
    #expect(softplus.value.isFinite && softplus.slope.isFinite)
  }

  /// Raw embeddings run to tens of thousands: the surrogate has slopes there, and descent ends somewhere else than where it was pushed to 0.
  @Test func descentOnRawEmbeddings() {
    let maxima = [5] + (0..<36).map { [3.0, 199, 21_804][$0 % 3] }
    for seed in UInt64(0)..<20 {
      let networks = BoshcodeNetworks(modelInputs: maxima.count, deviceInputs: 3, seed: seed)
      var random = CounterRandom(seed: seed, stream: 1)
      let start = maxima.map { ($0 * random.nextUniform()).rounded() }
      let variances = networks.natural.variances()
      let duals = start.map { Dual($0, slope: random.next() & 1 == 0 ? 1 : -1) }
      let result = networks.acquisition(duals, [Dual(1), Dual(0), Dual(0)], variances: variances)
      #expect(result.value.value.isFinite && result.value.slope.isFinite)
      #expect((result.model + result.device).allSatisfy { $0.value.isFinite && $0.slope.isFinite })
      let end = GOBI(configuration: .init(), maxima: maxima).descend(
        networks, model: start, device: [1, 0, 0], using: &random)
      #expect(zip(end.model, maxima).allSatisfy { $0 >= 0 && $0 <= $1 })
      #expect(end.model.reduce(0, +) > 0.1 * start.reduce(0, +))
    }
  }

  @Test func gradientsOfTheNaturalParameterNetwork() {
    var network = NaturalParameterNetwork(
      modelInputs: 4, deviceInputs: 2, trunk: 5, hidden: 4, seed: 3, stream: 0)
    // Variances that matter.
    for index in network.parameters.indices where network.parameters[index] == NaturalParameterLayer.initialSpread {
      network.parameters[index] = 0.4
    }
    let (model, device) = (Self.vector(4, 3), Self.vector(2, 4))
    func loss(_ network: NaturalParameterNetwork, _ model: [Double], _ device: [Double]) -> Double {
      let tape = network.forward(model, device, variances: network.variances())
      return 0.7 * tape.mean - 1.3 * tape.variance
    }
    let variances = network.variances()
    let tape = network.forward(model, device, variances: variances)
    #expect(tape.mean > 0 && tape.mean < 1 && tape.variance > 0)
    var gradient = [Double](repeating: 0, count: network.parameters.count)
    let inputs = gradient.withUnsafeMutableBufferPointer {
      network.backward(tape, meanGradient: 0.7, varianceGradient: -1.3, variances: variances, gradient: $0)
    }
    network.finishGradient(&gradient)
    for index in network.parameters.indices {
      let expected = Self.difference { step in
        var moved = network
        moved.parameters[index] += step
        return loss(moved, model, device)
      }
      #expect(abs(gradient[index] - expected) < 1e-8)
    }
    for index in model.indices {
      let expected = Self.difference { step in
        var moved = model
        moved[index] += step
        return loss(network, moved, device)
      }
      #expect(abs(inputs.model[index] - expected) < 1e-8)
    }
  }

  /// Mean and variance of activations of a normal variable, by quadrature.
  @Test(arguments: [(-1.5, 0.4), (0.2, 1.0), (2.0, 0.05), (0.0, 3.0)])
  func momentsOfActivations(mean: Double, variance: Double) {
    func moments(_ function: (Double) -> Double) -> (Double, Double) {
      var (first, second) = (0.0, 0.0)
      let count = 4_000
      for index in 0..<count {
        let z = -8 + 16 * (Double(index) + 0.5) / Double(count)
        let weight = Double.normalDensity(z) * 16 / Double(count)
        let value = function(mean + variance.squareRoot() * z)
        first += weight * value
        second += weight * value * value
      }
      return (first, second - first * first)
    }
    let relu = NaturalParameterActivation.relu.forward(mean, variance)
    let exact = moments { max($0, 0) }
    #expect(abs(relu.mean - exact.0) < 1e-5 && abs(relu.variance - exact.1) < 1e-4)
    // The logistic's are an approximation (Wang, Shi and Yeung 2016).
    let logistic = NaturalParameterActivation.logistic.forward(mean, variance)
    let close = moments { 1 / (1 + exp(-$0)) }
    #expect(abs(logistic.mean - close.0) < 0.02 && abs(logistic.variance - close.1) < 0.03)
  }

  @Test func dualNumbersGiveTheHessianTimesAVector() {
    let networks = BoshcodeNetworks(modelInputs: 6, deviceInputs: 3, seed: 4)
    let (model, device) = (Self.vector(6, 5), Self.vector(3, 6))
    let (along, deviceAlong) = (Self.vector(6, 7), Self.vector(3, 8))
    let variances = networks.natural.variances()
    let dual = networks.acquisition(
      zip(model, along).map { Dual($0, slope: $1) }, zip(device, deviceAlong).map { Dual($0, slope: $1) },
      variances: variances)
    func gradient(_ step: Double) -> [Double] {
      let result = networks.acquisition(
        zip(model, along).map { $0 + step * $1 }, zip(device, deviceAlong).map { $0 + step * $1 }, variances: variances)
      return result.model + result.device
    }
    let (before, after) = (gradient(-1e-5), gradient(1e-5))
    for (index, value) in (dual.model + dual.device).enumerated() {
      #expect(abs(value.slope - (after[index] - before[index]) / 2e-5) < 1e-7)
      #expect(abs(value.value - gradient(0)[index]) < 1e-12)
    }
  }

  /// AdamW's first steps, by its formula.
  @Test func adamWStepsAsPublished() {
    var optimiser = AdamW(learningRate: 0.1, count: 1)
    var parameters = [1.0]
    optimiser.step(&parameters, [0.5])
    // Decay, then a step of the rate in the gradient's direction.
    #expect(abs(parameters[0] - (1 - 0.1 * 0.01 - 0.1)) < 1e-6)
    optimiser.step(&parameters, [-0.2])
    let (m, v) = ((0.9 * 0.05 - 0.1 * 0.2) / 0.19, (0.999 * 0.00025 + 0.001 * 0.04) / 0.001999)
    #expect(abs(parameters[0] - (0.899 * 0.999 - 0.1 * m / v.squareRoot())) < 1e-6)
  }

  @Test func networksLearnAndDescend() {
    var networks = BoshcodeNetworks(modelInputs: 4, deviceInputs: 2, seed: 8)
    let rows = (0..<120).map { index -> BoshcodeNetworks.Row in
      let model = (0..<4).map { _ in 0.0 }.indices.map { abs(Self.vector(4, UInt64(100 + index))[$0]) }
      let device = index % 2 == 0 ? [1.0, 0] : [0, 1.0]
      return .init(model: model, device: device, target: 0.2 + 0.4 * model[0] + 0.2 * device[0])
    }
    for round in 0..<3 { networks.train(rows, round: round) }
    let low = networks.teacher.forward([0.05, 0.5, 0.5, 0.5], [0, 1.0]).output
    let high = networks.teacher.forward([0.95, 0.5, 0.5, 0.5], [1.0, 0]).output
    #expect(high - low > 0.25)
    let before = networks.acquisition([0.5, 0.5, 0.5, 0.5], [0.5, 0.5], variances: networks.natural.variances()).value
    var random = CounterRandom(seed: 1)
    let end = GOBI(configuration: .init(learningRate: 0.05), maxima: [1, 1, 1, 1])
      .descend(networks, model: [0.5, 0.5, 0.5, 0.5], device: [0.5, 0.5], using: &random)
    let after = networks.acquisition(end.model, end.device, variances: networks.natural.variances()).value
    #expect(after < before)
    #expect((end.model + end.device).allSatisfy { (0...1).contains($0) })
  }
}
