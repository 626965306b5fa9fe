import Foundation
import Numerics
import Testing

@testable import Calibration

@Suite("Choosing rows that lower the prediction variance")
struct VarianceDesignTests {
  static func rows(_ count: Int, seed: UInt64) throws -> Matrix {
    try Matrix(rows: count, columns: 4, storage: normals(count * 4, seed: seed).map { exp(0.6 * $0) })
  }

  static func variance(_ rows: Matrix, measured: [Int]) throws -> Double {
    try VarianceDesign(
      rows: rows, population: Array(0..<rows.rowCount), measured: measured.map { ($0, 1) }, priorPrecision: 1.5
    ).meanVariance()
  }

  static func choose(_ rows: Matrix, _ count: Int) throws -> [VarianceDesign.Choice] {
    let all = Array(0..<rows.rowCount)
    return try VarianceDesign(rows: rows, population: all, measured: [], priorPrecision: 1.5).choose(count, from: all)
  }

  @Test("one column, by hand")
  func byHand() throws {
    // M = (1 + 4 + 9)/3, C = 1/2: rows lower M/2 to M/(2 + a²).
    let rows = try Matrix(rows: [[1], [2], [3]])
    let design = VarianceDesign(rows: rows, population: [0, 1, 2], measured: [], priorPrecision: 2)
    #expect(abs(try design.meanVariance() - 7.0 / 3) < 1e-12)
    let choices = try design.choose(2, from: [0, 1, 2])
    #expect(choices.map(\.row) == [2, 1])
    #expect(abs(choices[0].drop - 14.0 / 3 * (1.0 / 2 - 1.0 / 11)) < 1e-12)
    #expect(abs(choices[1].drop - 14.0 / 3 * (1.0 / 11 - 1.0 / 15)) < 1e-12)
  }

  @Test("the drops are what the variance really falls by, and their parts sum to them", arguments: 0..<5)
  func drops(seed: Int) throws {
    let rows = try Self.rows(30, seed: UInt64(seed))
    let choices = try Self.choose(rows, 6)
    var before = try Self.variance(rows, measured: [])
    for (index, choice) in choices.enumerated() {
      let after = try Self.variance(rows, measured: choices.prefix(index + 1).map(\.row))
      #expect(abs(before - after - choice.drop) < 1e-9 * before)
      #expect(abs(choice.parts.reduce(0, +) - choice.drop) < 1e-9 * before)
      before = after
    }
  }

  @Test("pairs are the best of all pairs, or nearly")
  func bruteForce() throws {
    var ratios: [Double] = []
    for seed in UInt64(100)..<120 {
      let rows = try Self.rows(14, seed: seed)
      var best = Double.infinity
      for a in 0..<14 {
        for b in 0..<a { best = min(best, try Self.variance(rows, measured: [a, b])) }
      }
      ratios.append(try Self.variance(rows, measured: try Self.choose(rows, 2).map(\.row)) / best)
    }
    // Exchanging one row at a time can end beside the best pair.
    #expect(ratios.allSatisfy { $0 < 1.15 })
    #expect(Statistics.mean(ratios) < 1.02)
  }

  @Test("a row of less weight tells less")
  func weights() throws {
    let rows = try Self.rows(20, seed: 7)
    let variances = try [0, 0.3, 1].map { weight in
      try VarianceDesign(
        rows: rows, population: Array(0..<20), measured: [(4, weight)], priorPrecision: 1.5
      ).meanVariance()
    }
    #expect(variances[0] > variances[1] && variances[1] > variances[2])
  }

  @Test("every one of many random choices is worse", arguments: 0..<5)
  func random(seed: Int) throws {
    let rows = try Self.rows(60, seed: UInt64(200 + seed))
    let found = try Self.variance(rows, measured: try Self.choose(rows, 6).map(\.row))
    for draw in 0..<50 {
      var random = CounterRandom(seed: UInt64(seed), stream: UInt64(draw))
      #expect(try Self.variance(rows, measured: Array((0..<60).shuffled(using: &random).prefix(6))) > found)
    }
  }

  @Test("exchange leaves nothing to exchange")
  func locallyOptimal() throws {
    let rows = try Self.rows(25, seed: 300)
    let chosen = try Self.choose(rows, 5).map(\.row)
    let found = try Self.variance(rows, measured: chosen)
    for position in chosen.indices {
      for other in 0..<25 where !chosen.contains(other) {
        var trial = chosen
        trial[position] = other
        #expect(try Self.variance(rows, measured: trial) >= found * (1 - 1e-6))
      }
    }
  }

  @Test("more wanted than there are gives all, each once")
  func all() throws {
    #expect(try Self.choose(try Self.rows(5, seed: 1), 9).map(\.row).sorted() == [0, 1, 2, 3, 4])
    #expect(try Self.choose(try Self.rows(5, seed: 1), 0).isEmpty)
  }
}
