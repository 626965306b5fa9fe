import Foundation
import Numerics
import Testing

@Suite struct MatrixTests {
  @Test func productsAndGram() throws {
    let a = try Matrix(rows: [[1, 2, 3], [4, 5, 6]])
    #expect(a * [1, 0, -1] == [-2, -2])
    #expect(a.transposed() == (try Matrix(rows: [[1, 4], [2, 5], [3, 6]])))
    #expect(a.gram() == a.transposed() * a)
    #expect(a.gram(weights: [1, 2]) == a.transposed() * (try Matrix(rows: [[1, 2, 3], [8, 10, 12]])))
    #expect(a.transposedTimes([1, -1], weights: [1, 2]) == [-7, -8, -9])
    #expect(Array(a.row(1)) == [4, 5, 6] && a.column(1) == [2, 5])
    #expect(a.selectingRows([1, 1, 0]).storage == [4, 5, 6, 4, 5, 6, 1, 2, 3])
  }

  @Test func raggedRowsAreRefused() {
    #expect(throws: NumericsError.dimensionMismatch(what: "matrix row 1", expected: 2, got: 1)) {
      try Matrix(rows: [[1, 2], [3]])
    }
  }
}

@Suite struct CholeskyTests {
  let matrix: Matrix

  init() throws { matrix = try Matrix(rows: [[4, 2, 0.6], [2, 5, 1.5], [0.6, 1.5, 3]]) }

  @Test func agreesWithNumpy() throws {
    let cholesky = try Cholesky(of: matrix)
    #expect(isClose(cholesky.lower.storage, [2, 0, 0, 1, 2, 0, 0.3, 0.6, 1.5968719422671311], 1e-14))
    #expect(isClose(cholesky.solve([1, 2, 3]), [0.0625, 0.09264705882352943, 0.9411764705882353], 1e-14))
    #expect(isClose(cholesky.logDeterminant, 3.708682081410116, 1e-14))
    #expect(isClose((matrix * cholesky.inverse()).storage, Matrix.identity(3).storage, 1e-14))
    let lower = cholesky.solveLower([1, 2, 3])
    #expect(isClose(cholesky.lower * lower, [1, 2, 3], 1e-14))
  }

  @Test func refusesWhatIsNotPositiveDefinite() throws {
    #expect(throws: NumericsError.self) { try Cholesky(of: Matrix(rows: [[1, 2], [2, 1]])) }
    #expect(throws: NumericsError.self) { try Cholesky(of: Matrix(rows: [[1, 1], [1, 1]])) }
    #expect(throws: NumericsError.self) { try Cholesky(of: Matrix(rows: [[.nan, 0], [0, 1]])) }
    #expect(throws: NumericsError.self) { try Cholesky(of: Matrix(rows: [[1, 2]])) }
    #expect(throws: NumericsError.self) { try Cholesky(of: Matrix(rows: 0, columns: 0)) }
  }
}

@Suite struct LeastSquaresTests {
  let problem: ReferenceProblem

  init() throws { problem = try ReferenceProblem() }

  @Test func agreesWithNumpy() throws {
    let plain = try leastSquares(design: problem.design, target: problem.target)
    #expect(
      isClose(
        plain.coefficients,
        [
          1.1583310517949559, 0.013894399922079748, 2.141688732296777, 0.3009966915234467,
          -0.40532424206236406,
          0.49777884054870253,
        ], 1e-12))
    #expect(plain.rank == 6)
    let weighted = try leastSquares(design: problem.design, target: problem.target, weights: problem.weights)
    #expect(
      isClose(
        weighted.coefficients,
        [
          1.1455279367006592, 0.03904739604854875, 2.165742570754667, 0.32921383648280644,
          -0.4471744327977863,
          0.43208574422838286,
        ], 1e-12))
    #expect(isClose(weighted.residualScale, 0.20383900244942824, 1e-12))
    #expect(
      isClose(
        weighted.standardErrors,
        [
          0.11379599113865939, 0.11807341688358554, 0.11466711408312484, 0.13745513589333713,
          0.15042529751081693,
          0.14236701470778487,
        ], 1e-12))
    let ridge = try leastSquares(design: problem.design, target: problem.target, ridge: 0.3)
    #expect(
      isClose(
        ridge.coefficients,
        [
          1.011698406673925, 0.07196258472715067, 1.947794123122472, 0.4242413716705896, -0.2181645088541702,
          0.4299508393097436,
        ], 1e-12))
  }

  @Test func collinearColumnsShareByLeastNorm() throws {
    let design = try Matrix(rows: (1...8).map { [Double($0), Double($0)] })
    let fit = try leastSquares(design: design, target: (1...8).map { 4 * Double($0) })
    #expect(isClose(fit.coefficients, [2, 2], 1e-12))
    #expect(fit.rank == 1)
  }

  @Test func badInputIsNamed() throws {
    let design = try Matrix(rows: [[1, 0], [0, 1]])
    #expect(throws: NumericsError.dimensionMismatch(what: "target", expected: 2, got: 1)) {
      try leastSquares(design: design, target: [1])
    }
    #expect(throws: NumericsError.notFinite(what: "target")) {
      try leastSquares(design: design, target: [1, .infinity])
    }
    #expect(throws: NumericsError.underdetermined(rows: 1, columns: 2)) {
      try leastSquares(design: Matrix(rows: [[1, 2]]), target: [1])
    }
    #expect(throws: NumericsError.self) {
      try leastSquares(design: design, target: [1, 1], weights: [1, -1])
    }
    #expect(throws: NumericsError.self) { try leastSquares(design: design, target: [1, 1], ridge: -1) }
    #expect(throws: Never.self) { try leastSquares(design: Matrix(rows: [[1, 2]]), target: [1], ridge: 0.1) }
  }

  @Test(arguments: RobustTuning.allCases) func robustFitIgnoresOutliers(tuning: RobustTuning) throws {
    let design = try Matrix(rows: (0..<40).map { [1, Double($0)] })
    let noise = uniforms(40, seed: 5).map { 0.2 * ($0 - 0.5) }
    var target = zip(design * [3, 0.5], noise).map { $0 + $1 }
    for row in [3, 17, 30] { target[row] += 50 }
    let plain = try leastSquares(design: design, target: target)
    let fit = try robustLeastSquares(design: design, target: target, tuning: tuning)
    #expect(!isClose(plain.coefficients, [3, 0.5], 0.5))
    #expect(isClose(fit.coefficients, [3, 0.5], 0.1))
    #expect(fit.residualScale < 0.5 * plain.residualScale)
  }

  @Test func robustFitOfExactDataIsExact() throws {
    let design = try Matrix(rows: (0..<10).map { [1, Double($0)] })
    let fit = try robustLeastSquares(design: design, target: design * [2, -1])
    #expect(isClose(fit.coefficients, [2, -1], 1e-9))
  }
}
