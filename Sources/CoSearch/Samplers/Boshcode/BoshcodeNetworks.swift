import Foundation
import Numerics

/// BOSHCODE's three networks (EdgeTran, section III; the sizes and rates are those of its code).
///
/// The natural-parameter network predicts value and aleatoric spread. The teacher predicts the value with dropout; its spread over passes
/// is the epistemic uncertainty, which the student learns to predict in one pass.
struct BoshcodeNetworks: Sendable {
  struct Configuration: Sendable {
    var dropout = 0.3
    var dropoutPasses = 10
    var teacherRate = 0.002
    var studentRate = 0.002
    var naturalRate = 5e-5
    var epochs = 200
    var trainingShare = 0.8
    /// Epochs without a lower validation loss after which training stops.
    var patience = 7
    /// Weight of the uncertainty in the acquisition.
    var uncertaintyWeight = 0.5
  }

  struct Row: Sendable {
    var model: [Double]
    var device: [Double]
    var target: Double
  }

  let configuration: Configuration
  private(set) var natural: NaturalParameterNetwork
  private(set) var teacher: TwoInputNetwork
  private(set) var student: TwoInputNetwork
  private let seed: UInt64

  init(modelInputs: Int, deviceInputs: Int, seed: UInt64, configuration: Configuration = Configuration()) {
    self.configuration = configuration
    self.seed = seed
    natural = NaturalParameterNetwork(modelInputs: modelInputs, deviceInputs: deviceInputs, seed: seed, stream: 0xB0)
    teacher = TwoInputNetwork(
      .init(modelInputs: modelInputs, deviceInputs: deviceInputs, hidden: [64, 32], output: .logistic), seed: seed,
      stream: 0xB1)
    student = TwoInputNetwork(
      .init(modelInputs: modelInputs, deviceInputs: deviceInputs, hidden: [32], output: .softplus), seed: seed,
      stream: 0xB2)
  }

  /// All weights, in single precision.
  var weights: [Float] {
    get { (natural.parameters + teacher.parameters + student.parameters).map(Float.init) }
    set {
      var rest = newValue[...].map(Double.init)[...]
      func take(_ count: Int) -> [Double] {
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
      }
      guard rest.count == natural.parameters.count + teacher.parameters.count + student.parameters.count else { return }
      natural.parameters = take(natural.parameters.count)
      teacher.parameters = take(teacher.parameters.count)
      student.parameters = take(student.parameters.count)
    }
  }

  /// Trains all three from where they are.
  /// - Parameter round: tells the random numbers of one training from another's.
  mutating func train(_ rows: [Row], round: Int) {
    guard rows.count > 1 else { return }
    trainNatural(rows, round)
    trainTeacher(rows, round)
    var random = CounterRandom(seed: seed, stream: 0xB6, UInt64(round))
    let spreads = rows.map { row in
      Row(model: row.model, device: row.device, target: teacherSpread(row.model, row.device, using: &random))
    }
    trainStudent(spreads, round)
    // What is kept is what a snapshot holds.
    weights = weights
  }

  /// Standard deviation of the teacher over passes with dropout.
  func teacherSpread(_ model: [Double], _ device: [Double], using random: inout CounterRandom) -> Double {
    let passes = (0..<configuration.dropoutPasses).map { _ in
      teacher.forward(model, device, masks: masks(using: &random)).output
    }
    return Statistics.standardDeviation(passes)
  }

  private func masks(using random: inout CounterRandom) -> [[Double]] {
    let kept = 1 / (1 - configuration.dropout)
    return teacher.droppedWidths.map { width in
      (0..<width).map { _ in random.nextUniform() < configuration.dropout ? 0 : kept }
    }
  }

  /// Loss of a value `y` of mean m and variance s: ½[10(m − y)²/s + ln s].
  static func naturalLoss(mean: Double, variance: Double, target: Double) -> Double {
    let s = max(variance, 1e-8)
    return 0.5 * (10 * (mean - target) * (mean - target) / s + log(s))
  }

  private mutating func trainNatural(_ rows: [Row], _ round: Int) {
    var network = natural
    var optimiser = AdamW(learningRate: configuration.naturalRate, count: network.parameters.count)
    var gradient = [Double](repeating: 0, count: network.parameters.count)
    loop(rows, CounterRandom(seed: seed, stream: 0xB3, UInt64(round))) { row, _ in
      let variances = network.variances()
      let tape = network.forward(row.model, row.device, variances: variances)
      let (error, s) = (tape.mean - row.target, max(tape.variance, 1e-8))
      for index in gradient.indices { gradient[index] = 0 }
      gradient.withUnsafeMutableBufferPointer { gradient in
        _ = network.backward(
          tape, meanGradient: 10 * error / s, varianceGradient: 0.5 * (1 / s - 10 * error * error / (s * s)),
          variances: variances, gradient: gradient)
      }
      network.finishGradient(&gradient)
      optimiser.step(&network.parameters, gradient)
    } validation: { rows in
      let variances = network.variances()
      return rows.reduce(0) { sum, row in
        let tape = network.forward(row.model, row.device, variances: variances)
        return sum + Self.naturalLoss(mean: tape.mean, variance: tape.variance, target: row.target)
      }
    }
    natural = network
  }

  private mutating func trainTeacher(_ rows: [Row], _ round: Int) {
    var network = teacher
    var optimiser = AdamW(learningRate: configuration.teacherRate, count: network.parameters.count)
    var gradient = [Double](repeating: 0, count: network.parameters.count)
    let this = self
    loop(rows, CounterRandom(seed: seed, stream: 0xB4, UInt64(round))) { row, random in
      let masks = this.masks(using: &random)
      let tape = network.forward(row.model, row.device, masks: masks)
      for index in gradient.indices { gradient[index] = 0 }
      gradient.withUnsafeMutableBufferPointer { gradient in
        _ = network.backward(tape, 2 * (tape.output - row.target), masks: masks, gradient: gradient)
      }
      optimiser.step(&network.parameters, gradient)
    } validation: { rows in
      rows.reduce(0) { sum, row in
        let error = network.forward(row.model, row.device).output - row.target
        return sum + error * error
      }
    }
    teacher = network
  }

  private mutating func trainStudent(_ rows: [Row], _ round: Int) {
    var network = student
    let rate = configuration.studentRate
    var gradient = [Double](repeating: 0, count: network.parameters.count)
    loop(rows, CounterRandom(seed: seed, stream: 0xB5, UInt64(round))) { row, _ in
      let tape = network.forward(row.model, row.device)
      for index in gradient.indices { gradient[index] = 0 }
      gradient.withUnsafeMutableBufferPointer { gradient in
        _ = network.backward(tape, 2 * (tape.output - row.target), gradient: gradient)
      }
      for index in gradient.indices { network.parameters[index] -= rate * gradient[index] }
    } validation: { rows in
      rows.reduce(0) { sum, row in
        let error = network.forward(row.model, row.device).output - row.target
        return sum + error * error
      }
    }
    student = network
  }

  /// Epochs of single steps over a part of the rows, drawn anew each time; the rest judges when to stop.
  private func loop(
    _ rows: [Row], _ random: CounterRandom, step: (Row, inout CounterRandom) -> Void, validation: ([Row]) -> Double
  ) {
    var random = random
    var best = Double.infinity
    var waited = 0
    let trainingCount = min(max(Int(configuration.trainingShare * Double(rows.count)), 1), rows.count - 1)
    for _ in 0..<configuration.epochs {
      let order = rows.indices.shuffled(using: &random)
      for index in order[..<trainingCount] { step(rows[index], &random) }
      let held = order[trainingCount...].map { rows[$0] }
      let loss = validation(held) / Double(held.count)
      if loss < best {
        best = loss
        waited = 0
      } else {
        waited += 1
        if waited >= configuration.patience { break }
      }
    }
  }

  /// The acquisition, to be minimised: value − ½·(student's epistemic + aleatoric spread), with its gradient by both inputs.
  func acquisition<Scalar: NetworkScalar>(
    _ model: [Scalar], _ device: [Scalar], variances: [Double]
  ) -> (value: Scalar, model: [Scalar], device: [Scalar]) {
    let weight = configuration.uncertaintyWeight
    let natural = natural.forward(model, device, variances: variances)
    let student = student.forward(model, device)
    let value = natural.mean - weight * (student.output + natural.variance)
    let first = self.natural.backward(
      natural, meanGradient: Scalar(1), varianceGradient: Scalar(-weight), variances: variances)
    let second = self.student.backward(student, Scalar(-weight))
    return (
      value, zip(first.model, second.model).map { $0 + $1 }, zip(first.device, second.device).map { $0 + $1 }
    )
  }
}
