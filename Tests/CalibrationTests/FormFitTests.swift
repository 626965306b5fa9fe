import Foundation
import Numerics
import Testing
import Twins

@testable import Calibration

@Suite("Non-negative robust forms")
struct FormFitTests {
  /// Four independent columns of about 1, so that every coefficient is determined.
  static let set = FeatureSet(
    "test", minimumRows: 0,
    [(.constant, 1, 0.4), (.layers, 1, 0.3), (.heads, 1, 0.2), (.productFLOPs, 1, 0.1)], knees: [])

  static let examples = [[1.0, 2, 3, 4], [0, 5, 0, 1], [8, 0, 2, 0]]

  static func design(_ rows: Int, seed: UInt64) throws -> Matrix {
    try Matrix(rows: rows, columns: 4, storage: uniforms(rows * 4, seed: seed, in: 0.1...3))
  }

  @Test("known coefficients come back from rows without noise", arguments: examples)
  func recovers(truth: [Double]) throws {
    let design = try Self.design(400, seed: 3)
    let fit = try FormFit(
      design: design, set: Self.set, values: design * truth, weights: [Double](repeating: 1, count: 400),
      options: .init())
    for (found, expected) in zip(fit.coefficients, truth) {
      #expect(abs(found - expected) < 0.02 * truth.reduce(0, +))
      #expect(found >= 0)
    }
    for (found, expected) in zip(design * fit.coefficients, design * truth) {
      #expect(abs(found / expected - 1) < 0.05)
    }
  }

  @Test("coefficients that want to be negative are held at 0, and said to be")
  func nonNegative() throws {
    let design = try Self.design(400, seed: 4)
    let values = zip(design * [4, 3, 2, 0], design.column(3)).map { $0 - 0.3 * $1 }
    let fit = try FormFit(
      design: design, set: Self.set, values: values, weights: [Double](repeating: 1, count: 400), options: .init())
    #expect(fit.coefficients[3] == 0)
    #expect(fit.active == [3])
    #expect(fit.coefficients.allSatisfy { $0 >= 0 })
  }

  @Test("rows far off do not move it")
  func outliers() throws {
    let design = try Self.design(80, seed: 5)
    let truth = [2.0, 1, 3, 1]
    let noise = normals(80, seed: 6)
    let clean = zip(design * truth, noise).map { $0 * exp(0.02 * $1) }
    var dirty = clean
    for row in [3, 17, 40, 41, 66] { dirty[row] *= row.isMultiple(of: 2) ? 0.2 : 5 }
    func predictions(_ values: [Double]) throws -> [Double] {
      let fit = try FormFit(
        design: design, set: Self.set, values: values, weights: [Double](repeating: 1, count: 80), options: .init())
      return design * fit.coefficients
    }
    for (a, b) in zip(try predictions(clean), try predictions(dirty)) { #expect(abs(b / a - 1) < 0.04) }
  }

  @Test("with one row, the prior's shares are scaled to it")
  func priorAlone() throws {
    let design = try Matrix(rows: [[1, 1, 1, 1]])
    let fit = try FormFit(design: design, set: Self.set, values: [50], weights: [1], options: .init())
    for (coefficient, share) in zip(fit.coefficients, [0.4, 0.3, 0.2, 0.1]) {
      #expect(abs(coefficient - 50 * share) < 1e-6)
    }
  }

  @Test("shares lean on the datasheet and still sum to 1")
  func leaning() {
    let form = LinearForm(
      name: "datasheet",
      coefficients: [
        Coefficient(feature: .constant, value: 1, unit: "s", provenance: .assumed),
        Coefficient(feature: .productFLOPs, value: 1e-9, unit: "s/FLOP", provenance: .assumed),
      ])
    for set in FeatureSet.standard(pagingOnset: 3e8) {
      let leaned = set.leaning(on: form, weight: 0.5)
      #expect(abs(leaned.terms.reduce(0) { $0 + $1.share } - 1) < 1e-9)
      let products: Set<Feature> = [.productFLOPs, .projectionFLOPs, .feedForwardFLOPs, .attentionFLOPs]
      func share(_ set: FeatureSet) -> Double {
        set.terms.reduce(0) { products.contains($1.feature) ? $0 + $1.share : $0 }
      }
      #expect(share(leaned) > share(set))
      #expect(set.leaning(on: form, weight: 0).terms.map(\.share) == set.terms.map(\.share))
    }
  }

  @Test("a saturation's parameters come back", arguments: [(2.0, 5.0, 10.0), (1, 20, 3), (10, 4, 30)])
  func saturation(idle: Double, rise: Double, tau: Double) throws {
    let seconds = (0..<60).map { tau * (0.1 + 0.08 * Double($0)) }
    let values = seconds.map { idle + rise * (1 - exp(-$0 / tau)) }
    let fit = try SaturationFit(seconds: seconds, values: values, weights: [Double](repeating: 1, count: 60))
    #expect(abs(fit.idle / idle - 1) < 0.01)
    #expect(abs(fit.rise / rise - 1) < 0.01)
    #expect(abs(fit.tau / tau - 1) < 0.02)
  }

  @Test("a saturation of equal values is a constant")
  func flatSaturation() throws {
    let seconds = (1...20).map(Double.init)
    let fit = try SaturationFit(
      seconds: seconds, values: [Double](repeating: 7, count: 20), weights: [Double](repeating: 1, count: 20))
    for second in seconds { #expect(abs(fit.value(seconds: second) - 7) < 1e-3) }
  }
}
