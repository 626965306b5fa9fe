import Numerics

/// A vector of independent normal variables.
struct Gaussians<Scalar: NetworkScalar>: Sendable {
  var means: [Scalar]
  var variances: [Scalar]
}

/// Natural-parameter network layers: Wang, Shi and Yeung, "Natural-parameter networks: a class of probabilistic neural networks",
/// NIPS 2016. Weights and activations are normal variables; each layer passes on mean and variance.
///
/// A weight's variance is the square of its parameter, which keeps it from being negative.
struct NaturalParameterLayer: Sendable {
  /// Means of weights and biases.
  let means: DenseLayer
  /// Parameters of their variances.
  let spreads: DenseLayer

  var end: Int { spreads.end }

  /// Standard deviation of weights at the start.
  static let initialSpread = 0.03

  init(inputs: Int, outputs: Int, at start: Int) {
    means = DenseLayer(inputs: inputs, outputs: outputs, at: start)
    spreads = DenseLayer(inputs: inputs, outputs: outputs, at: means.end)
  }

  func initialise(_ parameters: inout [Double], using random: inout CounterRandom) {
    means.initialise(&parameters, using: &random)
    for index in spreads.weights..<spreads.end { parameters[index] = Self.initialSpread }
  }

  /// Ibid., equations (1) and (2): `o_m = a_m W_m + b_m`, `o_s = a_s W_s + a_s W_m² + a_m² W_s + b_s`.
  func forward<Scalar: NetworkScalar>(
    _ input: Gaussians<Scalar>, _ parameters: UnsafeBufferPointer<Double>, _ variances: UnsafeBufferPointer<Double>
  ) -> Gaussians<Scalar> {
    var output = Gaussians<Scalar>(means: [], variances: [])
    output.means = means.forward(input.means, parameters)
    output.variances.reserveCapacity(means.outputs)
    for row in 0..<means.outputs {
      var sum = Scalar(variances[spreads.biases + row])
      for column in 0..<means.inputs {
        let mean = parameters[means.weights + row * means.inputs + column]
        let variance = variances[spreads.weights + row * means.inputs + column]
        let m = input.means[column]
        sum += (variance + mean * mean) * input.variances[column]
        sum += variance * (m * m)
      }
      output.variances.append(sum)
    }
    return output
  }

  /// Gradients by the input's means and variances. `gradient` gets those by means and *variances* of the weights.
  func backward<Scalar: NetworkScalar>(
    _ flow: Gaussians<Scalar>, input: Gaussians<Scalar>, _ parameters: UnsafeBufferPointer<Double>,
    _ variances: UnsafeBufferPointer<Double>, gradient: UnsafeMutableBufferPointer<Double>?
  ) -> Gaussians<Scalar> {
    var result = Gaussians(
      means: means.backward(flow.means, input: input.means, parameters, gradient: gradient),
      variances: [Scalar](repeating: Scalar(0), count: means.inputs))
    for row in 0..<means.outputs {
      let slope = flow.variances[row]
      if let gradient { gradient[spreads.biases + row] += slope.value }
      for column in 0..<means.inputs {
        let position = row * means.inputs + column
        let mean = parameters[means.weights + position]
        let variance = variances[spreads.weights + position]
        let m = input.means[column]
        result.variances[column] += (variance + mean * mean) * slope
        result.means[column] += (2 * variance) * (m * slope)
        guard let gradient else { continue }
        let (inputMean, inputVariance) = (m.value, input.variances[column].value)
        gradient[means.weights + position] += slope.value * 2 * mean * inputVariance
        gradient[spreads.weights + position] += slope.value * (inputVariance + inputMean * inputMean)
      }
    }
    return result
  }
}

/// Activations of normal variables: moments of the function of the variable.
enum NaturalParameterActivation: Sendable {
  /// Exact (ibid., section 3.2; Clark 1961).
  case relu
  /// By the probit approximation (ibid., equations 6 and 7): ζ² = π/8, α = 4 − 2√2, β = −ln(√2 + 1).
  case logistic

  /// Variances below this count as this: the formulas divide by the standard deviation.
  static let leastVariance = 1e-12
  private static let zetaSquared = Double.pi / 8
  private static let alpha = 4 - 2 * 2.0.squareRoot()
  private static let beta = -0.881_373_587_019_543_0  // −ln(√2 + 1)

  func forward<Scalar: NetworkScalar>(_ m: Scalar, _ s: Scalar) -> (mean: Scalar, variance: Scalar) {
    switch self {
    case .relu:
      if s.value <= Self.leastVariance { return m.value > 0 ? (m, s) : (Scalar(0), Scalar(0)) }
      let root = Scalar.squareRoot(s)
      let z = m / root
      let (density, mass) = (Scalar.normalDensity(z), Scalar.normalCDF(z))
      let mean = root * density + m * mass
      let square = (m * m + s) * mass + m * root * density
      let variance = square - mean * mean
      return variance.value > 0 ? (mean, variance) : (mean, Scalar(0))
    case .logistic:
      let one = Scalar(1)
      let mean = Scalar.logistic(m / Scalar.squareRoot(one + Self.zetaSquared * s))
      let shifted = Self.alpha * (m + Scalar(Self.beta))
      let square = Scalar.logistic(
        shifted / Scalar.squareRoot(one + (Self.zetaSquared * Self.alpha * Self.alpha) * s))
      let variance = square - mean * mean
      return variance.value > 0 ? (mean, variance) : (mean, Scalar(0))
    }
  }

  /// Gradients by mean and variance of the input, given those by the output's.
  func backward<Scalar: NetworkScalar>(
    _ m: Scalar, _ s: Scalar, meanGradient: Scalar, varianceGradient: Scalar
  ) -> (mean: Scalar, variance: Scalar) {
    switch self {
    case .relu:
      if s.value <= Self.leastVariance {
        return m.value > 0 ? (meanGradient, varianceGradient) : (Scalar(0), Scalar(0))
      }
      let root = Scalar.squareRoot(s)
      let z = m / root
      let (density, mass) = (Scalar.normalDensity(z), Scalar.normalCDF(z))
      let mean = root * density + m * mass
      let square = (m * m + s) * mass + m * root * density
      // d mean/dm = Φ, d mean/ds = φ/(2√s); d square/dm = 2·mean, d square/ds = Φ.
      let meanBySpread = 0.5 * (density / root)
      guard (square - mean * mean).value > 0 else {
        return (meanGradient * mass, meanGradient * meanBySpread)
      }
      let toMean = meanGradient - 2 * (mean * varianceGradient)
      return (
        toMean * mass + 2 * (varianceGradient * mean), toMean * meanBySpread + varianceGradient * mass
      )
    case .logistic:
      let one = Scalar(1)
      let (zeta, alpha) = (Self.zetaSquared, Self.alpha)
      func moment(_ x: Scalar, _ factor: Double) -> (value: Scalar, byX: Scalar, bySpread: Scalar) {
        let inner = one + factor * s
        let root = Scalar.squareRoot(inner)
        let value = Scalar.logistic(x / root)
        let slope = value * (one - value)
        return (value, slope / root, (-0.5 * factor) * (slope * x / (inner * root)))
      }
      let first = moment(m, zeta)
      let second = moment(alpha * (m + Scalar(Self.beta)), zeta * alpha * alpha)
      guard (second.value - first.value * first.value).value > 0 else {
        return (meanGradient * first.byX, meanGradient * first.bySpread)
      }
      let toMean = meanGradient - 2 * (first.value * varianceGradient)
      return (
        toMean * first.byX + alpha * (varianceGradient * second.byX),
        toMean * first.bySpread + varianceGradient * second.bySpread
      )
    }
  }
}
