import Architectures
import Foundation

/// What a compiled twin's costs are made of, for searches that use their structure: every form is a sum of parts over the layers.
///
/// `cost = exp(level + residual + Σ weight·ln form)`, each form linear in ``Vector`` sums for models of at least so many parameters
/// (``MeasureParts/forms``). ``CompiledTwin`` gives the exact costs; this gives bounds of them.
package struct TwinParts: Sendable {
  package typealias Vector = SIMD16<Double>

  /// Lanes of the sums that hold summaries.
  package static let parameterBytesLane = CompiledLanes.parameterBytes
  package static let headsLane = CompiledLanes.heads
  package static let convolutionHeadsLane = CompiledLanes.convolutionHeads

  /// By first and last hidden size: constants, embeddings, pooler.
  package let ends: [Vector]
  /// By hidden size and number of heads.
  package let attention: [Vector]
  /// By hidden size, number of heads and kind: one head.
  package let heads: [Vector]
  /// By hidden size and feed-forward stack.
  package let feedForward: [Vector]
  /// By hidden size and the next layer's.
  package let joins: [Vector]
  package let bytesPerParameter: Double
  private let tables: CompiledTables
  private let twin: Twin
  /// A peak power that no prediction is below.
  package let leastPowerWatts: Double
  private let lanes: [Range<Int>]

  package init(_ compiled: CompiledTwin, space: DesignSpace) {
    let lanes = CompiledLanes(model: compiled.twin.model)
    let tables = CompiledTables(space: space, twin: compiled.twin, lanes: lanes)
    ends = tables.ends
    attention = tables.attention
    heads = tables.heads
    feedForward = tables.feedForward
    joins = tables.joins
    bytesPerParameter = compiled.twin.settings.precision.bytes
    self.tables = tables
    twin = compiled.twin
    leastPowerWatts = max(compiled.leastPowerWatts, 0)
    self.lanes = lanes.forms
  }

  /// Whether forms hold what is not a sum over layers: functions of the parameters' size, such as paging.
  package var hasFunctions: Bool { !tables.functions.isEmpty }

  /// A measure of models whose parameters take at least `parameterBytes`.
  ///
  /// Forms are bounded from below: what grows with the parameters beyond their sum (paging) is taken at the least.
  /// - Parameter measure: 0 is latency, 1 energy.
  package func measure(_ measure: Int, parameterBytes: Double) -> MeasureParts {
    let model = measure == 0 ? twin.model.latency : twin.model.energy
    let steady = !twin.settings.includesStartup
    let forms = lanes[measure].enumerated().map { index, lane in
      var weights = Vector(repeating: 0)
      weights[lane] = 1
      var constant = 0.0
      if steady {
        // bytes − embedding is the encoder's part.
        constant -= tables.startup.constant[lane]
        weights[CompiledLanes.parameterBytes] -= tables.startup.encoder[lane]
        weights[CompiledLanes.embeddingParameterBytes] -=
          tables.startup.embedding[lane] - tables.startup.encoder[lane]
      }
      for term in tables.functions {
        let coefficient = term.weights[lane] - (steady ? term.startupWeights[lane] : 0)
        // Of the encoder alone: its bytes are at least 0.
        constant += max(coefficient, 0) * term.function.value(of: term.function.isOfEncoder ? 0 : parameterBytes)
      }
      return MeasureParts.Form(weight: model.forms[index].weight, lanes: weights, constant: constant)
    }
    return MeasureParts(forms: forms, logLevel: model.logLevel, residual: model.residual)
  }
}

/// A measure as forms and a residual.
package struct MeasureParts: Sendable {
  /// `constant + Σ lanes·sums`.
  package struct Form: Sendable {
    package var weight: Double
    package var lanes: TwinParts.Vector
    package var constant: Double
  }

  package let forms: [Form]
  package let logLevel: Double
  private let residual: ResidualModel?

  init(forms: [Form], logLevel: Double, residual: ResidualModel?) {
    self.forms = forms
    self.logLevel = logLevel
    self.residual = residual
  }

  /// Bounds of the residual over a box of summaries.
  ///
  /// Inputs that the box does not limit take all of the range that they are clipped to.
  package func residualBounds(
    logParameterBytes: ClosedRange<Double>, logHeads: ClosedRange<Double>, convolutionShare: ClosedRange<Double>
  ) -> (lower: Double, upper: Double) {
    guard let residual else { return (0, 0) }
    let ranges = residual.inputs.indices.map { index -> (low: Double, high: Double) in
      let given: ClosedRange<Double>? =
        switch residual.inputs[index] {
        case .logParameterBytes: logParameterBytes
        case .logHeads: logHeads
        case .convolutionShare: convolutionShare
        default: nil
        }
      func z(_ value: Double) -> Double {
        (min(max(value, residual.lower[index]), residual.upper[index]) - residual.center[index])
          / residual.scale[index]
      }
      return (z(given?.lowerBound ?? -.infinity), z(given?.upperBound ?? .infinity))
    }
    let monomials = Monomials(variables: residual.inputs.count, degree: residual.degree)
    return (
      PolynomialBound(monomials: monomials, weights: residual.weights).minimum(ranges),
      -PolynomialBound(monomials: monomials, weights: residual.weights.map(-)).minimum(ranges)
    )
  }
}

/// Lower bounds of a polynomial over boxes.
package struct PolynomialBound {
  let monomials: Monomials
  let weights: [Double]
  /// An axis is cut into parts of this width, and at most so many.
  private static let partWidth = 0.5
  private static let mostParts = 6

  package init(monomials: Monomials, weights: [Double]) {
    self.monomials = monomials
    self.weights = weights
  }

  /// Of the box cut into parts along each axis, each bounded by the mean-value form: `p(c) − Σ |∂p|·half width`, the derivatives'
  /// magnitudes by their absolute sums.
  package func minimum(_ ranges: [(low: Double, high: Double)]) -> Double {
    var least = Double.infinity
    var index = [Int](repeating: 0, count: ranges.count)
    let parts = ranges.map { max(1, min(Self.mostParts, Int((($0.high - $0.low) / Self.partWidth).rounded(.up)))) }
    while true {
      var centre: [Double] = []
      var half: [Double] = []
      for axis in ranges.indices {
        let width = (ranges[axis].high - ranges[axis].low) / Double(parts[axis])
        centre.append(ranges[axis].low + (Double(index[axis]) + 0.5) * width)
        half.append(width / 2)
      }
      least = min(least, bound(centre, half))
      var axis = 0
      while axis < index.count {
        index[axis] += 1
        if index[axis] < parts[axis] { break }
        index[axis] = 0
        axis += 1
      }
      if axis == index.count { return least }
    }
  }

  /// `Σ wᵢ mᵢ(c) − Σ |wᵢ|·(mᵢ(|c| + half) − mᵢ(|c|))` bounds the polynomial around c: each monomial moves by no more than that. Linear
  /// terms are taken together, so that what cancels at first order does.
  private func bound(_ centre: [Double], _ half: [Double]) -> Double {
    let at = monomials.values(at: centre)
    let (count, axes) = (monomials.count, centre.count)
    // First order exactly, the rest by absolute sums.
    let magnitude = centre.map(abs)
    let outer = monomials.values(at: zip(magnitude, half).map { $0 + $1 })
    let inner = monomials.values(at: magnitude)
    var first = [Double](repeating: 0, count: axes)
    // Derivatives of each monomial by each axis, at the centre and at its magnitudes.
    var derivatives = [Double](repeating: 0, count: count * axes)
    var magnitudes = derivatives
    var value = weights[0]
    var rest = 0.0
    for index in 1..<max(count, 1) {
      let (parent, variable) = monomials.factors(of: index)
      var linear = 0.0
      for axis in 0..<axes {
        derivatives[index * axes + axis] =
          derivatives[parent * axes + axis] * centre[variable] + (axis == variable ? at[parent] : 0)
        magnitudes[index * axes + axis] =
          magnitudes[parent * axes + axis] * magnitude[variable] + (axis == variable ? inner[parent] : 0)
        first[axis] += weights[index] * derivatives[index * axes + axis]
        linear += magnitudes[index * axes + axis] * half[axis]
      }
      value += weights[index] * at[index]
      rest += abs(weights[index]) * max(outer[index] - inner[index] - linear, 0)
    }
    for axis in 0..<axes { value -= abs(first[axis]) * half[axis] }
    return value - rest
  }
}
