import Numerics
import Testing

@Suite struct NonNegativeTests {
  let problem: ReferenceProblem

  init() throws { problem = try ReferenceProblem() }

  @Test func agreesWithScipy() throws {
    let (x, y) = (problem.design, problem.negativeTarget)
    let plain = try nonNegativeLeastSquares(design: x, target: problem.target)
    #expect(
      isClose(
        plain.coefficients,
        [0.9683994177452374, 0, 2.0297733818740684, 0.3486531131373573, 0, 0.33174619757480567], 1e-12))
    let negative = try nonNegativeLeastSquares(design: x, target: y)
    #expect(isClose(negative.coefficients, [0.43679835489023067, 0, 1.4312380092629324, 0, 0, 0], 1e-12))
    #expect(negative.active == [1, 3, 4, 5])
    #expect(
      isClose(negative.standardErrors, [0.18085119812228395, 0, 0.17637672225839307, 0, 0, 0], 1e-12))
    let weighted = try nonNegativeLeastSquares(design: x, target: y, weights: problem.weights)
    #expect(isClose(weighted.coefficients, [0.4187300628332865, 0, 1.4401720315028297, 0, 0, 0], 1e-12))
    let pulled = try nonNegativeLeastSquares(
      design: x, target: y, ridge: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], prior: [1, 1, 1, 0.2, 0.2, 0.2])
    #expect(isClose(pulled.coefficients, [0.459533814195631, 0, 1.4054569718419958, 0, 0, 0], 1e-12))
  }

  /// Feasibility, a zero gradient on the free columns and none that points inwards on the others.
  @Test(arguments: 0..<60) func satisfiesTheOptimalityConditions(seed: UInt64) throws {
    var random = CounterRandom(seed: 11, stream: seed)
    let rows = 3 + random.nextIndex(below: 60)
    let columns = 1 + random.nextIndex(below: 25)
    var design = Matrix(rows: rows, columns: columns)
    for i in 0..<rows {
      // Sizes over twelve decades, as FLOPs beside counts.
      for j in 0..<columns { design[i, j] = random.nextUniform() * [1, 1e6, 1e-6][j % 3] }
    }
    if columns > 4 {
      for i in 0..<rows {
        design[i, 1] = 0
        design[i, 2] = design[i, 0] * 3
        design[i, 4] = design[i, 0] + design[i, 3]
      }
    }
    let target = (0..<rows).map { _ in 2 * random.nextNormal() + 1 }
    let weights = (0..<rows).map { _ in random.nextUniform() }
    let ridge = seed % 2 == 0 ? [] : (0..<columns).map { _ in 0.1 * random.nextUniform() }
    let prior = seed % 4 == 1 ? (0..<columns).map { _ in random.nextNormal() } : nil
    let fit = try nonNegativeLeastSquares(
      design: design, target: target, weights: weights, ridge: ridge, prior: prior)
    #expect(fit.isConverged)
    #expect(fit.coefficients.allSatisfy { $0 >= 0 })
    var gradient = design.transposedTimes(fit.residuals, weights: weights)
    for j in gradient.indices where !ridge.isEmpty {
      gradient[j] += ridge[j] * ((prior?[j] ?? 0) - fit.coefficients[j])
    }
    var lengths = design.gram(weights: weights).diagonal
    for j in lengths.indices where !ridge.isEmpty { lengths[j] += ridge[j] }
    let active = Set(fit.active)
    for j in 0..<columns {
      let scaled = lengths[j] > 0 ? gradient[j] / lengths[j].squareRoot() : 0
      #expect(scaled < 1e-7, "column \(j)")
      if active.contains(j) { #expect(fit.coefficients[j] == 0) } else { #expect(scaled > -1e-7) }
    }
  }

  @Test func emptyAndCollinearColumnsStayAtZero() throws {
    let design = try Matrix(rows: (1...6).map { [Double($0), 0, 2 * Double($0)] })
    let fit = try nonNegativeLeastSquares(design: design, target: (1...6).map { 6 * Double($0) })
    #expect(isClose(design * fit.coefficients, (1...6).map { 6 * Double($0) }, 1e-12))
    #expect(fit.active.contains(1) && fit.active.count == 2)
    let nothing = try nonNegativeLeastSquares(design: design, target: (1...6).map { -Double($0) })
    #expect(nothing.coefficients == [0, 0, 0] && nothing.active == [0, 1, 2])
  }

  @Test func anEmptyColumnTakesItsPrior() throws {
    let design = try Matrix(rows: [[1, 0], [1, 0], [2, 0]])
    let fit = try nonNegativeLeastSquares(
      design: design, target: [1, 1, 2], ridge: [0, 0.5], prior: [0, 7])
    #expect(isClose(fit.coefficients, [1, 7], 1e-12))
  }

  @Test func badInputIsNamed() throws {
    let design = try Matrix(rows: [[1, 0], [0, 1]])
    #expect(throws: NumericsError.dimensionMismatch(what: "ridge", expected: 2, got: 1)) {
      try nonNegativeLeastSquares(design: design, target: [1, 1], ridge: [1])
    }
    #expect(throws: NumericsError.notFinite(what: "prior")) {
      try nonNegativeLeastSquares(design: design, target: [1, 1], ridge: [1, 1], prior: [.nan, 0])
    }
    #expect(throws: NumericsError.notFinite(what: "design matrix")) {
      try nonNegativeLeastSquares(design: Matrix(rows: [[.nan]]), target: [1])
    }
  }
}
