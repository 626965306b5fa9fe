import Foundation
import Numerics

/// Gaussian processes over the same rows, one a target, sharing one kernel: a linear part, a smooth part over the model, as much again
/// for each device apart, and a level of each device.
///
/// `k = (σ_l²·z·z′ + σ_m²·M(|z − z′|/ℓ))·(1 + ρ·[same device]) + σ_d²·[same device]`, with M Matérn's of smoothness 5/2 (Rasmussen and
/// Williams 2006, section 4.2). Length, share of the linear part, devices' levels and noise are those of the largest marginal likelihood,
/// summed over the targets, of a grid.
struct GaussianProcess: Sendable {
  struct Shape: Sendable, Hashable {
    var length: Double
    var linear: Double
    /// Variance of the devices' levels.
    var level: Double
    var noise: Double

    init(length: Double, linear: Double, level: Double, noise: Double) {
      self.length = length
      self.linear = linear
      self.level = level
      self.noise = noise
    }

    /// Nil where these are not the numbers of a shape.
    init?(_ numbers: [Double]) {
      guard numbers.count == 4 else { return nil }
      self.init(length: numbers[0], linear: numbers[1], level: numbers[2], noise: numbers[3])
    }

    var numbers: [Double] { [length, linear, level, noise] }
  }

  private let rows: [[Double]]
  private let devices: [Int]
  private let shape: Shape
  private let weights: [[Double]]
  private let centres: [Double]
  private let scales: [Double]
  private let factor: Cholesky
  private static let sharedDevice = 1.0

  /// Rows flattened, for the inner loop.
  private let flat: [Double]
  private let width: Int

  /// - Parameters:
  ///   - rows: standardised.
  ///   - devices: of each row.
  ///   - targets: one list a target, a value a row.
  ///   - shape: nil looks for the best.
  /// - Throws: `NumericsError` where no shape gives a matrix that can be factorised.
  init(rows: [[Double]], devices: [Int], targets: [[Double]], shape: Shape? = nil) throws {
    self.rows = rows
    self.devices = devices
    width = rows.first?.count ?? 0
    flat = rows.flatMap(\.self)
    centres = targets.map(Statistics.mean)
    let spreads = targets.map { max(Statistics.standardDeviation($0), 1e-9) }
    scales = spreads
    let centred = targets.indices.map { target in
      targets[target].map { ($0 - (targets[target].reduce(0, +) / Double(targets[target].count))) / spreads[target] }
    }
    var best: (shape: Shape, factor: Cholesky, weights: [[Double]], likelihood: Double)?
    for candidate in shape.map({ [$0] }) ?? Self.grid(width, hasDevices: Set(devices).count > 1) {
      guard
        let factor = try? Cholesky(of: Self.matrix(flat, width, devices, candidate))
      else { continue }
      let weights = centred.map(factor.solve)
      var likelihood = 0.0
      for (values, weights) in zip(centred, weights) {
        // The scale of each target's process is the one of the largest likelihood.
        let quadratic = zip(values, weights).reduce(0) { $0 + $1.0 * $1.1 }
        likelihood -= 0.5 * Double(rows.count) * log(max(quadratic, 1e-300)) + 0.5 * factor.logDeterminant
      }
      if likelihood > best?.likelihood ?? -.infinity { best = (candidate, factor, weights, likelihood) }
    }
    guard let best else { throw NumericsError.notPositiveDefinite(what: "kernel matrix of \(rows.count) trials") }
    self.shape = best.shape
    factor = best.factor
    weights = best.weights
    amplitudes = zip(centred, best.weights).map { values, weights in
      max(zip(values, weights).reduce(0) { $0 + $1.0 * $1.1 } / Double(max(values.count, 1)), 1e-12)
    }
  }

  /// Variance of each target's process.
  private let amplitudes: [Double]

  var chosenShape: Shape { shape }

  private static func grid(_ width: Int, hasDevices: Bool) -> [Shape] {
    let typical = Double(max(width, 1)).squareRoot()
    var result: [Shape] = []
    for length in [0.5, 1, 2, 4] {
      for linear in [0, 1.0] {
        for level in hasDevices ? [0, 4.0] : [0] {
          for noise in [1e-5, 1e-2] {
            result.append(Shape(length: length * typical, linear: linear / typical, level: level, noise: noise))
          }
        }
      }
    }
    return result
  }

  private static func matrix(_ flat: [Double], _ width: Int, _ devices: [Int], _ shape: Shape) -> Matrix {
    let count = devices.count
    var matrix = Matrix(rows: count, columns: count)
    flat.withUnsafeBufferPointer { flat in
      for i in 0..<count {
        for j in 0...i {
          var value = kernel(flat, i * width, flat, j * width, width, shape)
          if devices[i] == devices[j] { value = value * (1 + sharedDevice) + shape.level }
          if i == j { value += shape.noise * (1 + sharedDevice) }
          matrix[i, j] = value
          matrix[j, i] = value
        }
      }
    }
    return matrix
  }

  @inline(__always)
  private static func kernel(
    _ a: UnsafeBufferPointer<Double>, _ i: Int, _ b: UnsafeBufferPointer<Double>, _ j: Int, _ width: Int,
    _ shape: Shape
  ) -> Double {
    var squares = 0.0
    var product = 0.0
    for column in 0..<width {
      let (x, y) = (a[i + column], b[j + column])
      squares += (x - y) * (x - y)
      product += x * y
    }
    let r = (5 * squares).squareRoot() / shape.length
    return shape.linear * product + (1 + r + r * r / 3) * exp(-r)
  }

  private func covariances(_ row: [Double], _ device: Int) -> [Double] {
    var result = [Double](repeating: 0, count: devices.count)
    row.withUnsafeBufferPointer { row in
      flat.withUnsafeBufferPointer { flat in
        for index in devices.indices {
          let value = Self.kernel(row, 0, flat, index * width, width, shape)
          result[index] = devices[index] == device ? value * (1 + Self.sharedDevice) + shape.level : value
        }
      }
    }
    return result
  }

  /// Posterior means of every target.
  func means(_ row: [Double], device: Int) -> [Double] {
    let covariances = covariances(row, device)
    return weights.indices.map { target in
      var sum = 0.0
      for index in covariances.indices { sum += covariances[index] * weights[target][index] }
      return centres[target] + scales[target] * sum
    }
  }

  /// Posterior means and standard deviations of every target.
  func predict(_ row: [Double], device: Int) -> (means: [Double], deviations: [Double]) {
    let covariances = covariances(row, device)
    let half = factor.solveLower(covariances)
    let own =
      row.withUnsafeBufferPointer { Self.kernel($0, 0, $0, 0, width, shape) } * (1 + Self.sharedDevice) + shape.level
    let left = max(own - half.reduce(0) { $0 + $1 * $1 }, 1e-12)
    let means = weights.indices.map { target in
      var sum = 0.0
      for index in covariances.indices { sum += covariances[index] * weights[target][index] }
      return centres[target] + scales[target] * sum
    }
    return (means, weights.indices.map { scales[$0] * (left * amplitudes[$0]).squareRoot() })
  }
}
