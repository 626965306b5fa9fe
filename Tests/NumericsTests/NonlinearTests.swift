import Foundation
import Numerics
import Testing

/// NIST Statistical Reference Datasets, nonlinear regression: Misra1a (lower difficulty) and the certified
/// values.
private enum Misra1a {
  static let x = [
    77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0,
  ]
  static let y = [
    10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78,
  ]
  static let certified = [2.3894212918e+02, 5.5015643181e-04]
  static let standardErrors = [2.7070075241e+00, 7.2668688436e-06]
  static let cost = 1.2455138894e-01

  @Sendable static func residuals(_ b: [Double]) -> [Double] {
    zip(x, y).map { $1 - b[0] * (1 - exp(-b[1] * $0)) }
  }

  @Sendable static func jacobian(_ b: [Double]) throws -> Matrix {
    try Matrix(rows: x.map { [-(1 - exp(-b[1] * $0)), -b[0] * $0 * exp(-b[1] * $0)] })
  }
}

@Suite struct NonlinearTests {
  static let starts: [[Double]] = [[500, 1e-4], [250, 5e-4]]

  @Test(arguments: NonlinearTests.starts, [false, true]) func misra1a(start: [Double], withJacobian: Bool)
    throws
  {
    var jacobian: (([Double]) throws -> Matrix)?
    if withJacobian { jacobian = Misra1a.jacobian }
    let fit = try levenbergMarquardt(
      residualCount: 14, initial: start, residuals: Misra1a.residuals, jacobian: jacobian)
    #expect(fit.isConverged)
    for j in 0..<2 {
      #expect(abs(fit.parameters[j] / Misra1a.certified[j] - 1) < 1e-7)
      #expect(abs(fit.standardErrors[j] / Misra1a.standardErrors[j] - 1) < 1e-5)
    }
    #expect(abs(fit.cost / Misra1a.cost - 1) < 1e-9)
  }

  /// Rosenbrock's valley has its zero at (1, 1).
  @Test func rosenbrock() throws {
    let fit = try levenbergMarquardt(residualCount: 2, initial: [-1.2, 1]) {
      [10 * ($0[1] - $0[0] * $0[0]), 1 - $0[0]]
    }
    #expect(fit.isConverged && isClose(fit.parameters, [1, 1], 1e-8))
    #expect(fit.covariance.storage == [0, 0, 0, 0])
  }

  /// A small scale must not pass for convergence.
  @Test func smallUnitsConvergeAlike() throws {
    let fit = try levenbergMarquardt(residualCount: 14, initial: [500, 1e-4]) {
      Misra1a.residuals($0).map { $0 * 1e-9 }
    }
    #expect(fit.isConverged && abs(fit.parameters[0] / Misra1a.certified[0] - 1) < 1e-6)
  }

  @Test func nanIsAnErrorAtTheStartAndLater() {
    #expect(throws: NumericsError.nonFiniteEvaluation(what: "a residual", parameters: [1])) {
      try levenbergMarquardt(residualCount: 2, initial: [1]) { _ in [.nan, 0] }
    }
    #expect(throws: NumericsError.self) {
      try levenbergMarquardt(residualCount: 2, initial: [4]) { [log($0[0]) + 5, $0[0] - 1] }
    }
    #expect(throws: NumericsError.self) {
      try levenbergMarquardt(
        residualCount: 1, initial: [4], residuals: { $0 },
        jacobian: { _ in Matrix(rows: 1, columns: 1, repeating: .nan) })
    }
  }

  @Test func whatAClosureThrowsComesOut() {
    struct Mine: Error {}
    #expect(throws: Mine.self) {
      try levenbergMarquardt(residualCount: 2, initial: [1]) { _ in throw Mine() }
    }
    #expect(throws: NumericsError.dimensionMismatch(what: "residuals", expected: 2, got: 1)) {
      try levenbergMarquardt(residualCount: 2, initial: [1]) { $0 }
    }
    #expect(throws: NumericsError.underdetermined(rows: 1, columns: 2)) {
      try levenbergMarquardt(residualCount: 1, initial: [1, 2]) { $0 }
    }
  }

  @Test func aParameterWithoutEffectHasNoVariance() throws {
    let fit = try levenbergMarquardt(residualCount: 3, initial: [0, 5]) { p in
      [p[0] - 1, p[0] - 2, p[0] - 3]
    }
    #expect(isClose(fit.parameters[0], 2, 1e-8) && fit.parameters[1] == 5)
    #expect(fit.covariance[1, 1] == 0)
  }

  /// Separate fits share nothing, so they agree to the last bit however many run at once.
  @Test func concurrentFitsAgree() async throws {
    let reference = try levenbergMarquardt(
      residualCount: 14, initial: [500, 1e-4], residuals: Misra1a.residuals)
    let problem = try ReferenceProblem()
    let linear = try robustLeastSquares(design: problem.design, target: problem.target)
    try await withThrowingTaskGroup(of: ([Double], [Double]).self) { group in
      for _ in 0..<64 {
        group.addTask {
          let fit = try levenbergMarquardt(
            residualCount: 14, initial: [500, 1e-4], residuals: Misra1a.residuals)
          let problem = try ReferenceProblem()
          let linear = try robustLeastSquares(design: problem.design, target: problem.target)
          return (fit.parameters, linear.coefficients)
        }
      }
      for try await (parameters, coefficients) in group {
        #expect(parameters == reference.parameters)
        #expect(coefficients == linear.coefficients)
      }
    }
  }
}
