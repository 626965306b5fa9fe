import Architectures
import Foundation
import Measurements
import Numerics
import Testing
import Twins

import struct Measurements.Measurement

@testable import Calibration

@Suite("Calibration of known twins")
struct CalibratorTests {
  /// Relative errors of latency, energy and peak power on architectures that were not measured.
  static func errors(_ file: DeviceFile, _ device: SyntheticDevice, count: Int = 100) throws -> [[Double]] {
    let twin = try Twin(file: file, runtime: "protran", settings: measuredSettings(device))
    let fresh = try SyntheticDevice.architectures(count, seed: 99)
    let costs = fresh.map { twin.costs(of: twin.features(of: $0), level: 0.9) }
    return [
      zip(costs, fresh).map { abs($0.latencySeconds.median / device.seconds($1) - 1) },
      zip(costs, fresh).map { abs($0.energyJoules.median / device.joules($1) - 1) },
      zip(costs, fresh).map { abs($0.peakPowerWatts.median / device.watts($1) - 1) },
    ]
  }

  static func measuredSettings(_ device: SyntheticDevice) -> Settings {
    var settings = SyntheticDevice.settings
    settings.includesStartup = device.includesStartup
    return settings
  }

  @Test("predictions for new models are within the noise of the rows")
  func recovers() throws {
    let device = SyntheticDevice(noise: 0.03)
    let (file, report) = try SyntheticDevice.calibrator().calibrate(try device.measurements(60))
    let errors = try Self.errors(file, device)
    #expect(Statistics.median(errors[0]) < 0.03)
    #expect(Statistics.median(errors[1]) < 0.03)
    #expect(Statistics.median(errors[2]) < 0.03)
    #expect(report.rows == 60)
    #expect(report.measures.map(\.name) == ["latency", "energy", "peak_power"])
    #expect(report.measures.allSatisfy { $0.intervalBasis == .conformal })
    #expect(report.states.allSatisfy { $0.regimes.count == 1 && $0.outliers.isEmpty })
    #expect(report.compilationError < 0.02)
    let curve = report.learningCurve.map(\.medianAbsolutePercentageError)
    #expect(report.learningCurve.map(\.rows) == [4, 8, 16, 32])
    #expect((curve.last ?? 1) < (curve.first ?? 0))
  }

  @Test("four rows give a twin, with the prior's intervals")
  func fourRows() throws {
    let device = SyntheticDevice(noise: 0.03)
    let (file, report) = try SyntheticDevice.calibrator().calibrate(try device.measurements(4))
    let errors = try Self.errors(file, device)
    #expect(Statistics.median(errors[0]) < 0.25)
    #expect(Statistics.median(errors[1]) < 0.25)
    #expect(report.measures.allSatisfy { $0.intervalBasis == .prior && $0.coverage90 == nil })
    #expect(report.learningCurve.isEmpty)
  }

  @Test("three rows are too few")
  func threeRows() throws {
    let rows = try SyntheticDevice().measurements(3)
    let error = #expect(throws: CalibrationError.self) { try SyntheticDevice.calibrator().calibrate(rows) }
    guard case .tooFewRows(3) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect("\(error.map { "\($0)" } ?? "")".contains("at least 4"))
  }

  @Test("rows without a latency do not count")
  func missingLatency() throws {
    var rows = try SyntheticDevice().measurements(6)
    for index in 0..<3 { rows[index].latencySeconds = nil }
    let error = #expect(throws: CalibrationError.self) { try SyntheticDevice.calibrator().calibrate(rows) }
    guard case .tooFewRows(3) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("rows of mixed settings are an error that names the setting and the row")
  func mixedSettings() throws {
    let rows = try SyntheticDevice().measurements(12)
    func check(_ setting: String, _ change: (inout Measurement) -> Void) throws {
      var rows = rows
      change(&rows[7])
      let error = #expect(throws: CalibrationError.self) { try SyntheticDevice.calibrator().calibrate(rows) }
      guard case .mixedSettings(let name, _, _, let row) = error else {
        Issue.record("\(setting): \(String(describing: error))")
        return
      }
      #expect(name == setting)
      #expect(row == 7)
      #expect("\(error.map { "\($0)" } ?? "")".contains("measurement 8"))
    }
    try check("batch size") { $0.batchSize = 2 }
    try check("sequence length") { $0.sequenceLength = 64 }
    try check("precision") { $0.precision = "fp16" }
    try check("includes_startup") { $0.includesStartup = true }
  }

  @Test("a device or runtime without rows, and rows without a model, are errors")
  func noRows() throws {
    let rows = try SyntheticDevice().measurements(12)
    let other = Calibrator(file: try PublishedData.file("a100"), runtime: "protran")
    let error = #expect(throws: CalibrationError.self) { try other.calibrate(rows) }
    #expect("\(error.map { "\($0)" } ?? "")".contains("rpi4-cpu with protran"))
    #expect(throws: TwinError.self) {
      try Calibrator(file: try PublishedData.file("a100"), runtime: "native").calibrate(rows)
    }
    for features in [nil, ["encoder_layers": 6.0]] {
      var bare = rows
      bare[5].architecture = nil
      bare[5].features = features
      let error = #expect(throws: CalibrationError.self) { try SyntheticDevice.calibrator().calibrate(bare) }
      guard case .unusableRow(5, _) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }

  @Test("energy and peak power that were not measured come from the datasheet, marked as such")
  func latencyOnly() throws {
    var rows = try SyntheticDevice().measurements(20)
    for index in rows.indices {
      rows[index].energyJoules = nil
      rows[index].peakPowerWatts = nil
    }
    let (file, report) = try SyntheticDevice.calibrator().calibrate(rows)
    let model = try #require(file.runtimes["protran"]?.model)
    #expect(model.energy.spread.basis == .prior)
    #expect(model.peakPower.spread.basis == .prior)
    #expect(model.energy.forms.allSatisfy { $0.coefficients.allSatisfy { $0.provenance == .assumed } })
    #expect(report.measures.map(\.rows) == [20, 0, 0])
    let twin = try Twin(file: file, runtime: "protran")
    for architecture in try SyntheticDevice.architectures(20, seed: 5) {
      let cost = twin.costs(of: twin.features(of: architecture), level: 0.9)
      let watts = cost.energyJoules.median / cost.latencySeconds.median
      #expect(watts > 2.7 && watts < 7)
      #expect(cost.peakPowerWatts.median > 2.7 && cost.peakPowerWatts.median < 7)
    }
  }

  @Test("outliers and states of the device are found, and predictions are for the typical state")
  func states() throws {
    var device = SyntheticDevice(noise: 0.02)
    device.factor = { $0 == 4 || $0 == 9 ? 4 : ($0 >= 60 ? 0.75 : 1) }
    let rows = try device.measurements(90)
    let (file, report) = try SyntheticDevice.calibrator().calibrate(rows)
    let latency = try #require(report.states.first)
    #expect(latency.measure == "latency")
    #expect(latency.outliers.map(\.order) == [4, 9])
    #expect(latency.outliers.allSatisfy { $0.factor > 3.3 && $0.factor < 4.8 })
    #expect(latency.regimes.map(\.first) == [0, 60])
    #expect(latency.regimes.map(\.last) == [59, 89])
    let factors = latency.regimes.map(\.factor)
    #expect(factors.count == 2 && abs(factors[1] / factors[0] - 0.75) < 0.02)
    #expect(latency.sentences.contains { $0.contains("60..89") && $0.contains("below") })
    let errors = try Self.errors(file, device)
    #expect(Statistics.median(errors[0]) < 0.03)
  }

  @Test("the order of measuring is what `order` says, not the order of the rows")
  func shuffledRows() throws {
    var device = SyntheticDevice(noise: 0.02)
    device.factor = { $0 >= 30 ? 0.7 : 1 }
    var random = CounterRandom(seed: 8)
    let rows = try device.measurements(50).shuffled(using: &random)
    let (_, report) = try SyntheticDevice.calibrator().calibrate(rows)
    #expect(report.states.first?.regimes.map(\.first) == [0, 30])
  }

  @Test("intervals hold about nine new measurements in ten")
  func coverage() throws {
    var inside = [0, 0, 0]
    var reported: [Double] = []
    var total = 0
    for seed in UInt64(1)...4 {
      let device = SyntheticDevice(seed: seed, noise: 0.08)
      let (file, report) = try SyntheticDevice.calibrator(seed: seed).calibrate(
        try device.measurements(50, sample: seed))
      reported += report.measures.compactMap(\.coverage90)
      let twin = try Twin(file: file, runtime: "protran", settings: Self.measuredSettings(device))
      var later = device
      later.seed = 1000 + seed
      for row in try later.measurements(150, sample: 500 + seed) {
        guard let architecture = row.architecture else { continue }
        let costs = twin.costs(of: twin.features(of: architecture), level: 0.9)
        for (index, (estimate, value)) in [
          (costs.latencySeconds, row.latencySeconds), (costs.energyJoules, row.energyJoules),
          (costs.peakPowerWatts, row.peakPowerWatts),
        ].enumerated() {
          if let value, (estimate.lower...estimate.upper).contains(value) { inside[index] += 1 }
        }
        total += 1
      }
    }
    #expect(total == 600)
    for count in inside { #expect((0.85...0.96).contains(Double(count) / Double(total))) }
    #expect((0.86...0.94).contains(Statistics.mean(reported)))
  }

  @Test("start-up is kept apart where the rows hold it")
  func startup() throws {
    let device = SyntheticDevice(noise: 0.01, includesStartup: true)
    let (file, _) = try SyntheticDevice.calibrator().calibrate(try device.measurements(40))
    let whole = try Twin(file: file, runtime: "protran", settings: Self.measuredSettings(device))
    let steady = try Twin(file: file, runtime: "protran", settings: SyntheticDevice.settings)
    for architecture in try SyntheticDevice.architectures(20, seed: 5) {
      let features = whole.features(of: architecture)
      let seconds = whole.costs(of: features, level: 0.9).latencySeconds.median
      #expect(steady.costs(of: features, level: 0.9).latencySeconds.median < seconds)
      #expect(abs(seconds / device.seconds(architecture) - 1) < 0.1)
    }
  }

  @Test("the same seed gives the same file, in four tasks at once too")
  func reproducible() async throws {
    let rows = try SyntheticDevice(noise: 0.05).measurements(14)
    let expected = try SyntheticDevice.calibrator(seed: 5).calibrate(rows)
    let results = try await withThrowingTaskGroup(of: DeviceFile.self) { group in
      for _ in 0..<4 {
        group.addTask { try SyntheticDevice.calibrator(seed: 5).calibrate(rows).file }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(results.count == 4)
    #expect(results.allSatisfy { $0 == expected.file })
    let other = try SyntheticDevice.calibrator(seed: 6).calibrate(rows)
    let forms = [other.file, expected.file].map { $0.runtimes["protran"]?.model?.latency.forms }
    #expect(forms[0] != nil && forms[0] == forms[1])
    #expect(other.file != expected.file)
  }

  @Test("series that tell little do not break the fit")
  func degenerate() throws {
    let rows = try SyntheticDevice().measurements(30)
    // The same model thirty times; no order; a thousandfold range; equal values.
    var same = rows
    var scattered = rows
    var equal = rows
    for index in rows.indices {
      same[index].architecture = rows[0].architecture
      same[index].order = nil
      scattered[index].latencySeconds = rows[index].latencySeconds.map { $0 * (index.isMultiple(of: 2) ? 1 : 1000) }
      equal[index].latencySeconds = 1
      equal[index].energyJoules = 1
      equal[index].peakPowerWatts = 1
    }
    for rows in [same, scattered, equal] {
      let (file, _) = try SyntheticDevice.calibrator().calibrate(rows)
      let twin = try Twin(file: file, runtime: "protran")
      for architecture in try SyntheticDevice.architectures(20, seed: 5) {
        let cost = twin.costs(of: twin.features(of: architecture), level: 0.9)
        for estimate in [cost.latencySeconds, cost.energyJoules, cost.peakPowerWatts] {
          #expect(estimate.median > 0 && estimate.median.isFinite)
          #expect(estimate.lower <= estimate.median && estimate.upper >= estimate.median && estimate.upper.isFinite)
        }
      }
    }
    var zero = rows
    zero[3].energyJoules = 0
    #expect(throws: CalibrationError.self) { try SyntheticDevice.calibrator().calibrate(zero) }
  }

  @Test("a device file survives YAML")
  func roundTrip() throws {
    let (file, report) = try SyntheticDevice.calibrator().calibrate(try SyntheticDevice().measurements(30))
    try PublishedDataTests.checkRoundTrip(file)
    let data = try JSONEncoder().encode(report)
    #expect(try JSONDecoder().decode(CalibrationReport.self, from: data) == report)
  }
}
