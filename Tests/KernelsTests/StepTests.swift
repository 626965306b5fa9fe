import CKernels
import Foundation
import Testing

@testable import Kernels

/// Single steps against plain double arithmetic, on every instruction set of the processor.
@Suite struct StepTests {
  typealias Kernels = UnsafePointer<edgetwin_kernels>

  static func kernels() -> [Kernels] {
    var seen: Set<UnsafePointer<edgetwin_kernels>> = []
    return instructionSets.compactMap { edgetwin_kernels_best($0) }.filter { seen.insert($0).inserted }
  }

  private static func rounded(_ count: Int) -> Int { PackedModel.rounded(count) }

  /// A value that no kernel computes: what must not be written to.
  private static let untouched: Float = 1234.5

  /// Floats of its own for each matrix, so that reading or writing beyond shows.
  private static func memory(_ values: [Float]) -> AlignedMemory {
    let memory = AlignedMemory(floats: values.count + 64)
    for (index, value) in values.enumerated() { memory.floats[index] = value }
    return memory
  }

  // MARK: Products

  static func product(_ m: Int, _ n: Int, _ k: Int, _ a: [Float], _ b: (Int, Int) -> Float) -> [Double] {
    var c = [Double](repeating: 0, count: m * n)
    for i in 0..<m {
      for p in 0..<k {
        let x = Double(a[i * k + p])
        for j in 0..<n { c[i * n + j] += x * Double(b(p, j)) }
      }
    }
    return c
  }

  /// Sizes 1 to 40 in each dimension, against sizes at and around those of tiles and panels in the others.
  static let sizes: [(m: Int, n: Int, k: Int)] = {
    let others = [1, 3, 14, 17, 33, 40]
    var sizes: [(Int, Int, Int)] = []
    for size in 1...40 {
      for one in others {
        for two in others { sizes += [(size, one, two), (one, size, two), (one, two, size)] }
      }
    }
    return sizes
  }()

  /// Several panels of columns, and more rows than a kernel takes at a time.
  static let largeSizes = [(m: 15, n: 130, k: 70), (m: 130, n: 100, k: 1100)]

  @Test func productsAreRight() {
    let (a, b) = (scattered(40 * 40, seed: 2), scattered(40 * 48, seed: 3))
    for kernels in Self.kernels() {
      for (m, columns, k) in Self.sizes {
        let n = Self.rounded(columns)
        let left = Self.memory(Array(a.prefix(m * k)))
        let right = Self.memory(Array(b.prefix(k * n)))
        let result = Self.memory([Float](repeating: Self.untouched, count: m * (n + 16)))
        kernels.pointee.product(m, n, k, left.floats, k, right.floats, n, result.floats, n + 16)
        let expected = Self.product(m, n, k, a) { b[$0 * n + $1] }
        var worst = 0.0
        var spilled = false
        for i in 0..<m {
          for j in 0..<n { worst = max(worst, abs(Double(result.floats[i * (n + 16) + j]) - expected[i * n + j])) }
          for j in n..<n + 16 where result.floats[i * (n + 16) + j] != Self.untouched { spilled = true }
        }
        // Sums of k products in -1…1, each rounded once.
        #expect(worst <= 1e-6 * Double(k) && !spilled, "\(String(cString: kernels.pointee.name)) \(m)×\(n)×\(k)")
      }
    }
  }

  /// Linear layers with bias; `activation`, `residual` and `norm` as asked.
  static func linear(
    _ kernels: Kernels, rows: Int, inputs: Int, outputs: Int, input: [Float], weights: [Float], bias: [Float],
    residual: [Float]? = nil, norm: (gamma: [Float], beta: [Float])? = nil,
    activation: edgetwin_activation = EDGETWIN_ACTIVATION_NONE, precision: edgetwin_precision = EDGETWIN_FP32
  ) -> (values: [Float], spilled: Bool) {
    let stride = rounded(outputs) + 16
    let a = memory(input)
    let b = memory(bias + [Float](repeating: 0, count: 64))
    let c = memory([Float](repeating: untouched, count: rows * stride))
    var spread = [Float](repeating: 0, count: rows * stride)
    for i in 0..<rows { for j in 0..<outputs { spread[i * stride + j] = residual?[i * outputs + j] ?? 0 } }
    let r = memory(spread)
    let gamma = memory(norm?.gamma ?? [])
    let beta = memory(norm?.beta ?? [])
    let isInt8 = precision == EDGETWIN_INT8
    let packed = AlignedMemory(
      byteCount: 256
        + (isInt8
          ? edgetwin_packed_int8_bytes(kernels, outputs, inputs) : 4 * edgetwin_packed_floats(kernels, outputs, inputs))
    )
    let scales = AlignedMemory(floats: outputs + 64)
    let sums = AlignedMemory(floats: outputs + 64)
    let integers = sums.base.assumingMemoryBound(to: Int32.self)
    if isInt8 {
      kernels.pointee.pack_int8(
        weights, outputs, inputs, packed.base.assumingMemoryBound(to: Int8.self), scales.floats, integers)
    } else {
      kernels.pointee.pack(weights, outputs, inputs, packed.floats)
    }
    var step = edgetwin_linear()
    step.input = UnsafePointer(a.floats)
    step.input_ld = inputs
    step.weights = UnsafeRawPointer(packed.base)
    step.scales = UnsafePointer(scales.floats)
    step.sums = UnsafePointer(integers)
    step.bias = UnsafePointer(b.floats)
    if residual != nil {
      step.residual = UnsafePointer(r.floats)
      step.residual_ld = stride
    }
    if norm != nil { step.norm = edgetwin_norm(gamma: gamma.floats, beta: beta.floats, epsilon: 1e-12) }
    step.inputs = inputs
    step.outputs = outputs
    step.output = c.floats
    step.output_ld = stride
    step.activation = Int32(activation.rawValue)
    step.precision = Int32(precision.rawValue)
    let scratch = AlignedMemory(floats: edgetwin_linear_scratch(&step) + 64)
    let panels = (outputs + kernels.pointee.panel_columns - 1) / kernels.pointee.panel_columns
    withExtendedLifetime((a, b, c, r, gamma, beta, packed, scales, sums)) {
      kernels.pointee.linear(&step, 0, rows, 0, panels, scratch.floats)
    }
    var values: [Float] = []
    var spilled = false
    for i in 0..<rows {
      for j in 0..<outputs { values.append(c.floats[i * stride + j]) }
      for j in rounded(outputs)..<stride where c.floats[i * stride + j] != untouched { spilled = true }
    }
    return (values, spilled)
  }

  @Test func linearLayersAreRight() {
    let (input, weights, bias) = (scattered(143_000, seed: 4), scattered(110_000, seed: 5), scattered(130, seed: 6))
    for kernels in Self.kernels() {
      for (m, n, k) in Self.sizes + Self.largeSizes {
        let result = Self.linear(
          kernels, rows: m, inputs: k, outputs: n, input: Array(input.prefix(m * k)),
          weights: Array(weights.prefix(n * k)), bias: Array(bias.prefix(n)))
        let expected = Self.product(m, n, k, input) { weights[$1 * k + $0] }
        let worst =
          result.values.indices.map {
            abs(Double(result.values[$0]) - expected[$0] - Double(bias[$0 % n]))
          }.max() ?? .infinity
        #expect(
          worst <= 1e-6 * Double(k + 1) && !result.spilled, "\(String(cString: kernels.pointee.name)) \(m)×\(n)×\(k)")
      }
    }
  }

  /// Few rows have their weights fetched in another way than many; a row's sums are the same.
  @Test(arguments: [EDGETWIN_FP32, EDGETWIN_INT8]) func rowsHaveTheSameBitsInAnyCompany(precision: edgetwin_precision) {
    let (n, k) = (50, 300)
    let (input, weights, bias) = (scattered(150 * k, seed: 4), scattered(n * k, seed: 5), scattered(n, seed: 6))
    for kernels in Self.kernels() where precision == EDGETWIN_FP32 || kernels.pointee.int8 {
      func run(_ rows: Int) -> [UInt32] {
        bits(
          Self.linear(
            kernels, rows: rows, inputs: k, outputs: n, input: Array(input.prefix(rows * k)), weights: weights,
            bias: bias, precision: precision
          ).values)
      }
      let all = run(150)
      for rows in [1, 5, 6, 16, 31, 90, 97] {
        #expect(run(rows) == Array(all.prefix(rows * n)), "\(String(cString: kernels.pointee.name)), \(rows) rows")
      }
    }
  }

  @Test func residualAndNormAreRight() {
    for kernels in Self.kernels() {
      for (m, n, k) in [(1, 1, 1), (3, 16, 5), (17, 20, 9), (40, 37, 40), (15, 33, 130)] {
        let (input, weights) = (scattered(m * k, seed: 7), scattered(n * k, seed: 8))
        let (bias, residual) = (scattered(n, seed: 9), scattered(m * n, seed: 10))
        let (gamma, beta) = (scattered(n, seed: 11), scattered(n, seed: 12))
        let result = Self.linear(
          kernels, rows: m, inputs: k, outputs: n, input: input, weights: weights, bias: bias, residual: residual,
          norm: (gamma, beta))
        let sums = Self.product(m, n, k, input) { weights[$1 * k + $0] }
        var worst = 0.0
        for i in 0..<m {
          let row = (0..<n).map { sums[i * n + $0] + Double(bias[$0]) + Double(residual[i * n + $0]) }
          let mean = row.reduce(0, +) / Double(n)
          let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n)
          for j in 0..<n {
            let expected = (row[j] - mean) / (variance + 1e-12).squareRoot() * Double(gamma[j]) + Double(beta[j])
            worst = max(worst, abs(expected - Double(result.values[i * n + j])))
          }
        }
        #expect(worst <= 2e-5 && !result.spilled, "\(String(cString: kernels.pointee.name)) \(m)×\(n)×\(k): \(worst)")
      }
    }
  }

  // MARK: Activations

  private static func activation(_ kernels: Kernels, _ kind: edgetwin_activation, _ grid: [Float]) -> [Float] {
    linear(
      kernels, rows: grid.count, inputs: 1, outputs: 1, input: grid, weights: [1], bias: [0], activation: kind
    ).values
  }

  @Test func geluIsThatOfTheErrorFunction() {
    let grid = (-12_000...12_000).map { Float($0) / 1000 } + [-0.0, 1e-20, -1e-20, 1e4, 1e20]
    for kernels in Self.kernels() {
      let values = Self.activation(kernels, EDGETWIN_ACTIVATION_GELU, grid)
      let worst =
        zip(grid, values).map { z, value in
          let z = Double(z)
          let expected = z * 0.5 * erfc(-z / 2.0.squareRoot())
          return abs(Double(value) - expected) / max(1, abs(z))
        }.max() ?? .infinity
      #expect(worst <= 4e-7, "\(String(cString: kernels.pointee.name)): \(worst)")
    }
  }

  @Test func tanhIsFoundations() {
    let grid = (-12_000...12_000).map { Float($0) / 1000 } + [-0.0, 1e-6, -1e-6, 100, -100, 1e30, -1e30, .infinity]
    for kernels in Self.kernels() {
      let values = Self.activation(kernels, EDGETWIN_ACTIVATION_TANH, grid)
      let worst = zip(grid, values).map { abs(Double($1) - tanh(Double($0))) }.max() ?? .infinity
      #expect(worst <= 3e-7, "\(String(cString: kernels.pointee.name)): \(worst)")
    }
  }
}
