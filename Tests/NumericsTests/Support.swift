import Numerics

/// The linear congruential generator of Tests/Scripts/numerics_reference.py.
func uniforms(_ count: Int, seed: UInt32) -> [Double] {
  var state = seed
  return (0..<count).map { _ in
    state = 1_664_525 &* state &+ 1_013_904_223
    return Double(state) / 4_294_967_296
  }
}

func isClose(_ a: Double, _ b: Double, _ tolerance: Double = 1e-9) -> Bool {
  abs(a - b) <= tolerance * max(1, abs(b))
}

func isClose(_ a: [Double], _ b: [Double], _ tolerance: Double = 1e-9) -> Bool {
  a.count == b.count && zip(a, b).allSatisfy { isClose($0, $1, tolerance) }
}

/// The regression problem of the reference script.
struct ReferenceProblem {
  let design: Matrix
  let target: [Double]
  let negativeTarget: [Double]
  let weights = uniforms(30, seed: 3).map { 0.5 + $0 }

  init() throws {
    design = try Matrix(rows: 30, columns: 6, storage: uniforms(180, seed: 1))
    let noise = uniforms(30, seed: 2).map { 0.8 * ($0 - 0.5) }
    target = zip(design * [1, 0, 2, 0.5, 0, 0.25], noise).map { $0 + $1 }
    negativeTarget = zip(design * [1, -1, 2, -0.5, 0.3, 0], noise).map { $0 + $1 }
  }
}
