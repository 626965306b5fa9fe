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

  private typealias Lanes = SIMD8<Double>

  private let devices: [Int]
  private let shape: Shape
  /// Of each row, by target: no more than eight of them.
  private let weights: [Lanes]
  private let centres: [Double]
  private let scales: [Double]
  private let factor: Cholesky
  private static let sharedDevice = 1.0
  /// Most targets that share a kernel.
  static let mostTargets = Lanes.scalarCount

  /// Rows one after another, each filled up with zeros to whole lanes: the inner loop is over these.
  private let flat: [Lanes]
  private let blocks: Int

  /// - Parameters:
  ///   - rows: standardised.
  ///   - devices: of each row.
  ///   - targets: one list a target, a value a row; at most ``mostTargets``.
  ///   - shape: nil looks for the best.
  /// - Throws: `NumericsError` where no shape gives a matrix that can be factorised.
  init(rows: [[Double]], devices: [Int], targets: [[Double]], shape: Shape? = nil) throws {
    precondition(targets.count <= Self.mostTargets, "a kernel is shared by at most \(Self.mostTargets) targets")
    self.devices = devices
    let width = rows.first?.count ?? 0
    let blocks = Self.blocks(width)
    let flat = rows.flatMap { Self.lanes($0, blocks) }
    self.blocks = blocks
    self.flat = flat
    centres = targets.map(Statistics.mean)
    let spreads = targets.map { max(Statistics.standardDeviation($0), 1e-9) }
    scales = spreads
    let centred = targets.indices.map { target in
      targets[target].map { ($0 - (targets[target].reduce(0, +) / Double(targets[target].count))) / spreads[target] }
    }
    var best: (shape: Shape, factor: Cholesky, weights: [[Double]], likelihood: Double)?
    for candidate in shape.map({ [$0] }) ?? Self.grid(width, hasDevices: Set(devices).count > 1) {
      guard
        let factor = try? Cholesky(of: Self.matrix(flat, blocks, devices, candidate))
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
    weights = devices.indices.map { row in
      var lanes = Lanes(repeating: 0)
      for target in best.weights.indices { lanes[target] = best.weights[target][row] }
      return lanes
    }
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

  private static func blocks(_ width: Int) -> Int { (width + Lanes.scalarCount - 1) / Lanes.scalarCount }

  private static func lanes(_ row: [Double], _ blocks: Int) -> [Lanes] {
    var lanes = [Lanes](repeating: Lanes(repeating: 0), count: blocks)
    for (column, value) in row.enumerated() { lanes[column / Lanes.scalarCount][column % Lanes.scalarCount] = value }
    return lanes
  }

  private static func matrix(_ flat: [Lanes], _ blocks: Int, _ devices: [Int], _ shape: Shape) -> Matrix {
    let count = devices.count
    var matrix = Matrix(rows: count, columns: count)
    flat.withUnsafeBufferPointer { flat in
      for i in 0..<count {
        for j in 0...i {
          var value = kernel(flat, i * blocks, flat, j * blocks, blocks, shape)
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
    _ a: UnsafeBufferPointer<Lanes>, _ i: Int, _ b: UnsafeBufferPointer<Lanes>, _ j: Int, _ blocks: Int,
    _ shape: Shape
  ) -> Double {
    var squares = Lanes(repeating: 0)
    var product = Lanes(repeating: 0)
    for block in 0..<blocks {
      let (x, y) = (a[i + block], b[j + block])
      let difference = x - y
      squares += difference * difference
      product += x * y
    }
    let r = (5 * squares.sum()).squareRoot() / shape.length
    return shape.linear * product.sum() + (1 + r + r * r / 3) * exp(-r)
  }

  /// Calls `body` with each row's number and its covariance with `row`.
  @inline(__always)
  private func forEachCovariance(_ row: [Lanes], _ device: Int, _ body: (Int, Double) -> Void) {
    row.withUnsafeBufferPointer { row in
      flat.withUnsafeBufferPointer { flat in
        devices.withUnsafeBufferPointer { devices in
          for index in devices.indices {
            let value = Self.kernel(row, 0, flat, index * blocks, blocks, shape)
            body(index, devices[index] == device ? value * (1 + Self.sharedDevice) + shape.level : value)
          }
        }
      }
    }
  }

  private func means(_ sums: Lanes) -> [Double] {
    centres.indices.map { centres[$0] + scales[$0] * sums[$0] }
  }

  /// Posterior means of every target.
  func means(_ row: [Double], device: Int) -> [Double] {
    var sums = Lanes(repeating: 0)
    weights.withUnsafeBufferPointer { weights in
      forEachCovariance(Self.lanes(row, blocks), device) { sums += $1 * weights[$0] }
    }
    return means(sums)
  }

  /// Posterior means and standard deviations of every target.
  func predict(_ row: [Double], device: Int) -> (means: [Double], deviations: [Double]) {
    let lanes = Self.lanes(row, blocks)
    var sums = Lanes(repeating: 0)
    var covariances = [Double](repeating: 0, count: devices.count)
    forEachCovariance(lanes, device) { index, covariance in
      covariances[index] = covariance
      sums += covariance * weights[index]
    }
    let half = factor.solveLower(covariances)
    let own =
      lanes.withUnsafeBufferPointer { Self.kernel($0, 0, $0, 0, blocks, shape) } * (1 + Self.sharedDevice) + shape.level
    let left = max(own - half.reduce(0) { $0 + $1 * $1 }, 1e-12)
    return (means(sums), scales.indices.map { scales[$0] * (left * amplitudes[$0]).squareRoot() })
  }
}
