import Architectures
import Foundation
import Measurements
import Numerics
import Testing
import Twins

import struct Measurements.Measurement

@testable import Calibration

@Suite("What to measure next")
struct SuggesterTests {
  static func suggester(_ device: String = SyntheticDevice.id, seed: UInt64 = 0) throws -> Suggester {
    Suggester(file: try PublishedData.file(device), runtime: "protran", seed: seed)
  }

  @Test("with nothing measured, for every device", arguments: PublishedData.devices)
  func nothingMeasured(device: String) throws {
    let candidates = try SyntheticDevice.architectures(200, seed: 2)
    let suggestions = try Self.suggester(device).suggest(measured: [], candidates: candidates, count: 8)
    #expect(suggestions.count == 8)
    #expect(Set(suggestions.map(\.index)).count == 8)
    for suggestion in suggestions {
      #expect(candidates[suggestion.index] == suggestion.architecture)
      #expect(suggestion.gain > 0)
      #expect(suggestion.reason.hasPrefix("tells most about "))
    }
    #expect(suggestions.reduce(0) { $0 + $1.gain } < 1)
    #expect(suggestions[0].gain > suggestions[7].gain)
    #expect(Set(suggestions.map(\.reason)).count > 4)
  }

  @Test("gains shrink as rows are measured, and measured models are not suggested again")
  func skipsMeasured() throws {
    let candidates = try SyntheticDevice.architectures(120, seed: 11)
    let measured = Array(try SyntheticDevice().measurements(120).prefix(20))
    let suggester = try Self.suggester()
    let before = try suggester.suggest(measured: [], candidates: candidates, count: 10)
    let after = try suggester.suggest(measured: measured, candidates: candidates, count: 10)
    #expect(after.allSatisfy { $0.index >= 20 })
    #expect(after.reduce(0) { $0 + $1.gain } < before.reduce(0) { $0 + $1.gain })
  }

  @Test("repeats are suggested once, and rows of other devices do not count")
  func repeats() throws {
    let few = try SyntheticDevice.architectures(5, seed: 3)
    let suggester = try Self.suggester()
    let suggestions = try suggester.suggest(measured: [], candidates: few + few, count: 10)
    #expect(suggestions.map(\.index).sorted() == [0, 1, 2, 3, 4])
    var others = try SyntheticDevice().measurements(5, sample: 3)
    for index in others.indices { others[index].device = "another" }
    #expect(try suggester.suggest(measured: others, candidates: few, count: 10).count == 5)
  }

  @Test("nothing left is an error; none wanted is none")
  func nothingLeft() throws {
    let candidates = try SyntheticDevice.architectures(10, seed: 11)
    let measured = try SyntheticDevice().measurements(10)
    let suggester = try Self.suggester()
    for pool in [candidates, []] {
      let error = #expect(throws: CalibrationError.self) {
        try suggester.suggest(measured: measured, candidates: pool, count: 3)
      }
      guard case .noCandidates = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
    #expect(try suggester.suggest(measured: [], candidates: candidates, count: 0).isEmpty)
    #expect(throws: TwinError.self) {
      try Suggester(file: suggester.file, runtime: "none").suggest(measured: [], candidates: candidates, count: 1)
    }
  }

  @Test("the same seed suggests the same, in any number of tasks")
  func reproducible() async throws {
    let candidates = try SyntheticDevice.architectures(300, seed: 2)
    let measured = try SyntheticDevice().measurements(8)
    let expected = try Self.suggester(seed: 4).suggest(measured: measured, candidates: candidates, count: 8)
    let results = try await withThrowingTaskGroup(of: [Suggestion].self) { group in
      for _ in 0..<4 {
        group.addTask { try Self.suggester(seed: 4).suggest(measured: measured, candidates: candidates, count: 8) }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(results.allSatisfy { $0 == expected })
  }

  /// Median error of a fit on some rows on all others.
  static func error(_ table: FeatureTable, _ values: [Double], train: [Int]) throws -> Double {
    let fit = try SeriesFit(
      table: table.selecting(train), values: train.map { values[$0] }, orders: Array(train.indices))
    let test = values.indices.filter { !train.contains($0) }
    let predicted = fit.logPredictions(table.selecting(test))
    return Statistics.median(zip(test, predicted).map { abs(exp($1 + fit.typicalLevel) / values[$0] - 1) })
  }

  @Test(
    "on the published rows, sixteen suggested ones predict the rest better than random ones",
    .enabled(if: PublishedData.isPresent, "set EDGETWIN_DATA to the published data"))
  func published() throws {
    var ratios: [Double] = []
    for device in ["rpi4-cpu", "jetson-nano-cpu", "m1-pro-cpu", "m1-pro-gpu", "a100"] {
      let rows = try PublishedData.rows(of: device)
      let calibrator = Calibrator(file: try PublishedData.file(device), runtime: "protran")
      let (series, _) = try calibrator.series(rows)
      let sheet = calibrator.datasheetTwin(variant: series.variant, settings: series.settings)
      let table = calibrator.data(series, datasheet: sheet).latencyTable
      let values = series.latencySeconds.compactMap(\.self)
      var (suggested, random) = (0.0, 0.0)
      for seed in UInt64(0)..<4 {
        let choice = try Self.suggester(device, seed: seed).suggest(
          measured: [], candidates: rows.compactMap(\.architecture), count: 16)
        suggested += try Self.error(table, values, train: choice.map(\.index).sorted())
        var generator = CounterRandom(seed: seed)
        random += try Self.error(
          table, values, train: Array(values.indices.shuffled(using: &generator).prefix(16)).sorted())
      }
      ratios.append(suggested / random)
    }
    #expect(exp(Statistics.mean(ratios.map { log($0) })) < 0.9)
  }
}
