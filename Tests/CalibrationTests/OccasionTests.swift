import Foundation
import Measurements
import Numerics
import Testing
import Twins

import struct Measurements.Measurement

@testable import Calibration

@Suite("What occasions and numbers of threads differ by") struct OccasionTests {
  private func rows(_ shifts: [(shift: String, error: String)?]) -> [Measurement] {
    shifts.map { shift in
      var row = Measurement(
        architecture: nil, device: "host", runtime: "native", batchSize: 1, sequenceLength: 128, precision: "fp32",
        latencySeconds: 1)
      if let shift { (row.environment["shift"], row.environment["shift_error"]) = (shift.shift, shift.error) }
      return row
    }
  }

  @Test("a shift between rounds is a difference of two occasions, less what is chance")
  func scatter() throws {
    #expect(OccasionScatter(rows([nil, nil])) == nil)
    // Two rows of one group count once.
    let one = try #require(OccasionScatter(rows([("+0.0500", "0.0300"), ("+0.0500", "0.0300"), nil])))
    #expect(abs(one.logDeviation - (0.04 * 0.04 / 2).squareRoot()) < 1e-12)
    let chance = try #require(OccasionScatter(rows([("-0.0200", "0.0300")])))
    #expect(chance.logDeviation == OccasionScatter.leastDeviation)
    #expect(OccasionScatter(rows([("fast", "0")])) == nil)
  }

  @Test("intervals hold what occasions differ by, and no more")
  func intervals() throws {
    let plain = HostTwinTests.rows(try HostTwinTests.models(24, seed: 8), from: 0)
    func halfWidth(_ shift: String?) throws -> Double {
      let rows = plain.map { row in
        var row = row
        row.environment["shift"] = shift
        return row
      }
      let spread = try #require(try HostTwinTests.calibrated(rows).0.runtimes["native"]?.model?.latency.spread)
      return spread.offsets(level: 0.9).upper
    }
    let (alone, calm, drifting) = (try halfWidth(nil), try halfWidth("+0.0010"), try halfWidth("-0.1000"))
    #expect(calm > alone && calm < 1.15 * alone)
    #expect(drifting > 0.07 * 1.4 && drifting < 0.07 * 1.645 + 1.2 * alone)
  }

  @Test("rows that say that their cores were slow are brought to the pace of the roofs")
  func paces() throws {
    var file = try SyntheticHost().file()
    file.device.roofs?.paces = [.init(threads: 1, seconds: 0.002)]
    let roofs = try #require(file.device.roofs)
    // Every second model ran on cores that somebody else used too.
    func measured(_ rows: [Measurement], saysSo: Bool = true) -> [Measurement] {
      rows.enumerated().map { index, row in
        var row = row
        let slowing = index % 2 == 0 ? 1 : 1.5
        row.latencySeconds = row.latencySeconds.map { slowing * $0 }
        row.environment[Measurement.statisticKey] = "fastest"
        if saysSo { row.environment[Measurement.paceKey] = "\(0.002 * slowing)" }
        return row
      }
    }
    let rows = HostTwinTests.rows(try HostTwinTests.models(24, seed: 11), from: 0)
    let unseen = HostTwinTests.rows(try HostTwinTests.models(40, seed: 12), from: 500)
    func errors(saysSo: Bool) throws -> SyntheticHost.Errors {
      let fitted = try Calibrator(file: file, runtime: "native").calibrate(measured(rows, saysSo: saysSo)).file
      return try SyntheticHost.errors(fitted, on: unseen)
    }
    let (known, unknown) = (try errors(saysSo: true), try errors(saysSo: false))
    #expect(known.median < 0.05 && known.coverage > 0.75)
    #expect(unknown.median > 0.12)
    let slow = try #require(measured(unseen).last)
    #expect(abs(roofs.slowing(of: slow) - 1.5) < 1e-9 && roofs.slowing(of: unseen[0]) == 1)
    // Of a number of threads that the roofs do not have, and of a row that says nonsense, nothing is known.
    var other = slow
    other.threads = 2
    #expect(roofs.slowing(of: other) == 1)
    other = slow
    other.environment[Measurement.paceKey] = "-1"
    #expect(roofs.slowing(of: other) == 1)
    // A median, or another library's kernels, is of another pace.
    other = slow
    other.environment[Measurement.statisticKey] = "median"
    #expect(roofs.slowing(of: other) == 1)
    other = slow
    other.environment["matrix_library"] = "oneDNN"
    #expect(roofs.slowing(of: other) == 1)
    other = slow
    other.environment[Measurement.statisticKey] = "median"
    #expect(throws: CalibrationError.self) {
      try Calibrator(file: file, runtime: "native").calibrate(measured(rows) + [other])
    }
  }

  @Test("a number of threads that slows all models down alike is found, and predicted")
  func threads() throws {
    let models = try HostTwinTests.models(24, seed: 9)
    func twoThreads(_ factor: Double) -> [Measurement] {
      HostTwinTests.rows(models, from: 100, threads: 2).map { row in
        var row = row
        row.latencySeconds = row.latencySeconds.map { factor * $0 }
        return row
      }
    }
    func levels(_ file: DeviceFile) -> [ThreadLevel] { file.runtimes["native"]?.model?.latency.threadLevels ?? [] }
    let fast = try HostTwinTests.calibrated(HostTwinTests.rows(models, from: 0) + twoThreads(1)).0
    let file = try HostTwinTests.calibrated(HostTwinTests.rows(models, from: 0) + twoThreads(1.3)).0
    #expect(levels(file).map(\.threads) == [1, 2] && levels(fast).count == 2)
    let differences = [fast, file].map { levels($0).reduce(0) { $0 + ($1.threads == 1 ? -1 : 1) * $1.log } }
    #expect(abs(differences[1] - differences[0] - log(1.3)) < 0.05)
    let unseen = HostTwinTests.rows(try HostTwinTests.models(40, seed: 10), from: 500, threads: 2).map { row in
      var row = row
      row.latencySeconds = row.latencySeconds.map { 1.3 * $0 }
      return row
    }
    let errors = try SyntheticHost.errors(file, on: unseen)
    #expect(errors.median < 0.05 && errors.coverage > 0.75)
    let model = try #require(file.runtimes["native"]?.model)
    #expect(try JSONDecoder().decode(TwinModel.self, from: JSONEncoder().encode(model)) == model)
    // One number of threads has no level.
    let alone = try HostTwinTests.calibrated(HostTwinTests.rows(models, from: 0)).0
    #expect(alone.runtimes["native"]?.model?.latency.threadLevels == nil)
  }
}
