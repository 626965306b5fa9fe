/// AdamW: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019; defaults as in PyTorch.
struct AdamW: Sendable {
  var learningRate: Double
  var weightDecay = 0.01
  private let beta1 = 0.9
  private let beta2 = 0.999
  private let epsilon = 1e-8
  private var means: [Double]
  private var squares: [Double]
  private var power1 = 1.0
  private var power2 = 1.0

  init(learningRate: Double, count: Int) {
    self.learningRate = learningRate
    means = [Double](repeating: 0, count: count)
    squares = means
  }

  mutating func step(_ parameters: inout [Double], _ gradient: [Double]) {
    power1 *= beta1
    power2 *= beta2
    let rate = learningRate / (1 - power1)
    let correction = 1 / (1 - power2)
    let decay = 1 - learningRate * weightDecay
    let (beta1, beta2, epsilon) = (beta1, beta2, epsilon)
    parameters.withUnsafeMutableBufferPointer { parameters in
      gradient.withUnsafeBufferPointer { gradient in
        means.withUnsafeMutableBufferPointer { means in
          squares.withUnsafeMutableBufferPointer { squares in
            for index in parameters.indices {
              let g = gradient[index]
              means[index] = beta1 * means[index] + (1 - beta1) * g
              squares[index] = beta2 * squares[index] + (1 - beta2) * g * g
              parameters[index] =
                parameters[index] * decay - rate * means[index] / ((squares[index] * correction).squareRoot() + epsilon)
            }
          }
        }
      }
    }
  }
}

/// AdaHessian: Yao, Gholami, Shen, Mustafa, Keutzer and Mahoney, "ADAHESSIAN: an adaptive second order optimizer for machine
/// learning", AAAI 2021. The diagonal of the Hessian takes the place of Adam's squared gradient; it is estimated by Hutchinson's
/// method, z ⊙ Hz with z of random signs.
struct AdaHessian: Sendable {
  private let beta1 = 0.9
  private let beta2 = 0.999
  private let epsilon = 1e-4
  private var means: [Double]
  private var squares: [Double]
  private var power1 = 1.0
  private var power2 = 1.0

  init(count: Int) {
    means = [Double](repeating: 0, count: count)
    squares = means
  }

  /// - Parameter diagonal: the estimate of the Hessian's diagonal.
  mutating func step(_ values: inout [Double], gradient: [Double], diagonal: [Double], learningRate: Double) {
    power1 *= beta1
    power2 *= beta2
    for index in values.indices {
      means[index] = beta1 * means[index] + (1 - beta1) * gradient[index]
      squares[index] = beta2 * squares[index] + (1 - beta2) * diagonal[index] * diagonal[index]
      let size = (squares[index] / (1 - power2)).squareRoot() + epsilon
      values[index] -= learningRate * means[index] / (1 - power1) / size
    }
  }
}
