import CKernels
import Foundation
import Testing

@testable import Kernels

/// Linear layers in 8-bit integers, on every instruction set that has them.
@Suite(.enabled(if: processorHasInt8, "needs a processor with AVX2 or AVX-512 VNNI"))
struct Int8Tests {
  private static func kernels() -> [StepTests.Kernels] { StepTests.kernels().filter(\.pointee.int8) }

  /// Each input and weight is off by at most half of its step.
  @Test func linearLayersStayWithinTheirSteps() {
    let (input, weights, bias) = (scattered(143_000, seed: 4), scattered(110_000, seed: 5), scattered(130, seed: 6))
    #expect(!Self.kernels().isEmpty)
    for kernels in Self.kernels() {
      let levels = Double(kernels.pointee.int8_weight_levels)
      for (m, n, k) in StepTests.sizes + StepTests.largeSizes {
        let result = StepTests.linear(
          kernels, rows: m, inputs: k, outputs: n, input: Array(input.prefix(m * k)),
          weights: Array(weights.prefix(n * k)), bias: Array(bias.prefix(n)), precision: EDGETWIN_INT8)
        let expected = StepTests.product(m, n, k, input) { weights[$1 * k + $0] }
        func largest(_ values: ArraySlice<Float>) -> Double { values.map { Double(abs($0)) }.max() ?? 0 }
        let inputSteps = (0..<m).map { largest(input[$0 * k..<($0 + 1) * k]) / 127 }
        let weightSteps = (0..<n).map { largest(weights[$0 * k..<($0 + 1) * k]) / levels }
        var inside = true
        for i in 0..<m {
          for j in 0..<n {
            let bound = (0..<k).reduce(0.0) { sum, p in
              sum + abs(Double(input[i * k + p])) * weightSteps[j] / 2 + abs(Double(weights[j * k + p])) * inputSteps[i]
                / 2
                + inputSteps[i] * weightSteps[j] / 4
            }
            let error = abs(Double(result.values[i * n + j]) - expected[i * n + j] - Double(bias[j]))
            if error > bound * 1.0001 + 1e-6 { inside = false }
          }
        }
        #expect(inside && !result.spilled, "\(String(cString: kernels.pointee.name)) \(m)×\(n)×\(k)")
      }
    }
  }

  /// The largest inputs and weights there are, of one sign and of both: no sum on the way saturates.
  @Test func nothingSaturates() {
    let (m, n, k) = (7, 20, 516)
    let bias = [Float](repeating: 0, count: n)
    for kernels in Self.kernels() {
      for (x, w) in [(Float(1), Float(1)), (1, -1), (-1, 1), (-1, -1)] {
        let result = StepTests.linear(
          kernels, rows: m, inputs: k, outputs: n, input: [Float](repeating: x, count: m * k),
          weights: [Float](repeating: w, count: n * k), bias: bias, precision: EDGETWIN_INT8)
        let worst = result.values.map { abs($0 - x * w * Float(k)) }.max() ?? .infinity
        #expect(worst <= 1e-3, "\(String(cString: kernels.pointee.name)), \(x) · \(w): \(worst)")
      }
    }
  }

  @Test func residualActivationAndNormAreThoseOfTheSums() {
    let (m, n, k) = (17, 37, 96)
    let (input, weights, bias) = (scattered(m * k, seed: 41), scattered(n * k, seed: 42), scattered(n, seed: 43))
    let (residual, gamma, beta) = (scattered(m * n, seed: 44), scattered(n, seed: 45), scattered(n, seed: 46))
    for kernels in Self.kernels() {
      let zero = [Float](repeating: 0, count: n)
      func run(_ precision: edgetwin_precision, plain: Bool) -> [Float] {
        StepTests.linear(
          kernels, rows: m, inputs: k, outputs: n, input: input, weights: weights, bias: plain ? zero : bias,
          residual: plain ? nil : residual, norm: plain ? nil : (gamma, beta),
          activation: plain ? EDGETWIN_ACTIVATION_NONE : EDGETWIN_ACTIVATION_GELU, precision: precision
        ).values
      }
      let sums = run(EDGETWIN_INT8, plain: true)
      var expected: [Double] = []
      for i in 0..<m {
        let row = (0..<n).map { j in
          let z = Double(sums[i * n + j]) + Double(bias[j])
          return z * 0.5 * erfc(-z / 2.0.squareRoot()) + Double(residual[i * n + j])
        }
        let mean = row.reduce(0, +) / Double(n)
        let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n)
        for j in 0..<n { expected.append((row[j] - mean) / variance.squareRoot() * Double(gamma[j]) + Double(beta[j])) }
      }
      let values = run(EDGETWIN_INT8, plain: false)
      #expect(relativeError(values, expected) <= 2e-6, "\(String(cString: kernels.pointee.name))")
      #expect(sums != run(EDGETWIN_FP32, plain: true))
    }
  }
}
