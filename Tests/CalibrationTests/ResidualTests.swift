import Foundation
import Numerics
import Testing

@testable import Calibration
@testable import Twins

@Suite("Smooth residuals")
struct ResidualTests {
  static func surface(_ z: [Double]) -> Double { 0.2 * sin(z[0]) + 0.08 * z[1] * z[1] - 0.05 * z[0] * z[2] }

  static func points(_ count: Int, seed: UInt64) -> [[Double]] {
    let numbers = uniforms(count * 3, seed: seed, in: -1.5...1.5)
    return (0..<count).map { Array(numbers[3 * $0..<3 * $0 + 3]) }
  }

  static func centered(_ values: [Double]) -> (values: [Double], mean: Double) {
    let mean = Statistics.mean(values)
    return (values.map { $0 - mean }, mean)
  }

  @Test("a process follows a smooth function, at its rows and between them")
  func interpolates() throws {
    let z = Self.points(80, seed: 1)
    let (target, mean) = Self.centered(z.map(Self.surface))
    let process = try ResidualProcess(z: z, target: target, segments: [Int](repeating: 0, count: 80))
    for (fitted, wanted) in zip(process.fitted, target) { #expect(abs(fitted - wanted) < 0.03) }
    let errors = Self.points(200, seed: 2).map { abs(process.value(at: $0) - Self.surface($0) + mean) }
    #expect(Statistics.median(errors) < 0.02)
    // The kernel expansion is the same function as the factor's columns.
    for (row, point) in z.enumerated() { #expect(abs(process.value(at: point) - process.fitted[row]) < 1e-5) }
  }

  @Test("pure noise is not followed")
  func noise() throws {
    let z = Self.points(80, seed: 3)
    let target = Self.centered(normals(80, seed: 4).map { 0.05 * $0 }).values
    let process = try ResidualProcess(z: z, target: target, segments: [Int](repeating: 0, count: 80))
    #expect(Statistics.standardDeviation(process.fitted) < 0.03)
  }

  @Test("levels of regimes are left to the regimes")
  func regimes() throws {
    let z = Self.points(90, seed: 5)
    let segments = (0..<90).map { $0 < 45 ? 0 : 1 }
    let smooth = z.map(Self.surface)
    let (target, _) = Self.centered(zip(smooth, segments).map { $0 + ($1 == 0 ? -0.15 : 0.15) })
    let process = try ResidualProcess(z: z, target: target, segments: segments)
    let difference = zip(process.fitted, smooth).map { $0 - $1 }
    let first = Statistics.mean(Array(difference[..<45]))
    let second = Statistics.mean(Array(difference[45...]))
    #expect(abs(first - second) < 0.02)
  }

  @Test("the compiled polynomial agrees with the process")
  func compiled() throws {
    // A cost that bends in ways that no linear form has.
    let device = SyntheticDevice(noise: 0.01)
    let rows = try device.measurements(60)
    var calibrator = try SyntheticDevice.calibrator()
    calibrator.seed = 3
    let (series, _) = try calibrator.series(rows)
    let bent = zip(series.latencySeconds, series.features).map { seconds, features in
      (seconds ?? 1) * exp(0.15 * sin(3 * log(features[.parameterBytes] / 3e8)))
    }
    let table = FeatureTable(features: series.features, sets: calibrator.featureSets(for: series.features))
    let fit = try SeriesFit(table: table, values: bent, orders: series.orders)
    let z = fit.scaledSummaries(table, logSeconds: [])
    let compiled = try #require(try ResidualCompiler.compile([(1, fit)], rows: z))
    let model = compiled.model
    #expect(model.isConsistent)
    #expect(compiled.largestError < 0.02)
    let monomials = Monomials(variables: model.inputs.count, degree: model.degree)
    let process = try #require(fit.process)
    #expect(Statistics.standardDeviation(process.fitted) > 0.02)
    for (row, features) in series.features.enumerated() {
      let polynomial = model.value(of: SummaryValues(features: features), logSeconds: 0, monomials: monomials)
      #expect(abs(polynomial - process.value(at: z[row])) < compiled.largestError + 1e-9)
    }
  }
}
