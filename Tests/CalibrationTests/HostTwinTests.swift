import Architectures
import Foundation
import Measurements
import Numerics
import Testing
import Twins

import struct Measurements.Measurement

@testable import Calibration

@Suite("The twin of a host, from measured roofs") struct HostTwinTests {
  static let host = SyntheticHost()

  /// Models of two orders of magnitude in latency: few layers of the smallest width to the largest.
  static func models(_ count: Int, seed: UInt64) throws -> [Architecture] {
    let space = DesignSpace.flexibert2
    var random = CounterRandom(seed: seed, stream: 77)
    return try space.sample(count: count, seed: seed).enumerated().map { index, point in
      var model = space.architecture(of: point)
      // Uniform draws are nearly all large: of every second model only some of the lightest layers are kept.
      if index % 2 == 0 {
        let lightest = model.layers.sorted { weight($0) < weight($1) }
        model.layers = Array(lightest.prefix(1 + Int(random.nextUniform() * 4)))
      }
      return model
    }
  }

  private static func weight(_ layer: Architecture.Layer) -> Int {
    let widths = [layer.hiddenSize] + layer.feedForward + [layer.hiddenSize]
    return 4 * layer.hiddenSize * layer.hiddenSize + zip(widths, widths.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
  }

  static func rows(_ models: [Architecture], from order: Int, batch: Int = 1, length: Int = 128, threads: Int = 1)
    -> [Measurement]
  {
    models.enumerated().map { index, model in
      host.measurement(model, order: order + index, batch: batch, length: length, threads: threads)
    }
  }

  static func calibrated(_ rows: [Measurement], withRoofs: Bool = true) throws -> (DeviceFile, CalibrationReport) {
    let calibrator = Calibrator(file: try host.file(withRoofs: withRoofs), runtime: "native")
    let result = try calibrator.calibrate(rows)
    return (result.file, result.report)
  }

  @Test("thirty-two models predict unseen ones over two orders of magnitude", arguments: [1, 2])
  func thirtyTwoModelsPredictUnseenOnes(threads: Int) throws {
    let (file, _) = try Self.calibrated(Self.rows(try Self.models(32, seed: 1), from: 0, threads: threads))
    let unseen = Self.rows(try Self.models(64, seed: 2), from: 1000, threads: threads)
    let errors = try SyntheticHost.errors(file, on: unseen)
    let spread = (errors.measured.max() ?? 0) / (errors.measured.min() ?? 1)
    #expect(spread > 100)
    #expect(errors.median < 0.04)
    #expect(errors.coverage >= 0.8)
  }

  @Test(
    "fitted at length 128, batch 1, one thread, other settings follow",
    arguments: [(1, 32, 1), (1, 64, 1), (1, 256, 1), (4, 128, 1), (16, 128, 1), (1, 128, 2), (4, 64, 2)])
  func otherSettingsFollowFromOne(batch: Int, length: Int, threads: Int) throws {
    let (file, _) = try Self.calibrated(Self.rows(try Self.models(32, seed: 1), from: 0))
    let unseen = Self.rows(
      try Self.models(32, seed: 3), from: 2000, batch: batch, length: length, threads: threads)
    let errors = try SyntheticHost.errors(file, on: unseen)
    #expect(errors.median < 0.10)
    #expect(errors.coverage >= 0.85)
  }

  @Test("rows of several settings are fitted in one go, and what they vary is no extrapolation")
  func mixedSettings() throws {
    let models = try Self.models(32, seed: 4)
    let settings = [(1, 128, 1), (1, 32, 1), (4, 64, 1), (1, 256, 1), (1, 128, 2)]
    let rows = models.enumerated().flatMap { index, model in
      let (batch, length, threads) = settings[index % settings.count]
      return Self.rows([model], from: index, batch: batch, length: length, threads: threads)
    }
    let (file, report) = try Self.calibrated(rows)
    #expect(!report.warnings.contains { $0.contains("never var") })
    let fit = try #require(file.runtimes["native"]?.model?.fit)
    #expect(fit.ranges["sequence_length"] == [32, 256])
    #expect(fit.ranges["batch_size"] == [1, 4])
    for (batch, length, threads) in [(1, 64, 1), (2, 128, 1), (4, 32, 2)] {
      let unseen = Self.rows(
        try Self.models(32, seed: 5), from: 3000, batch: batch, length: length, threads: threads)
      let errors = try SyntheticHost.errors(file, on: unseen)
      #expect(errors.median < 0.06)
      #expect(errors.coverage >= 0.85)
      let twin = try Twin(
        file: file, runtime: "native",
        settings: Settings(batchSize: batch, sequenceLength: length, threads: threads))
      #expect(twin.extrapolated.isEmpty)
    }
    let beyond = try Twin(
      file: file, runtime: "native", settings: Settings(batchSize: 16, sequenceLength: 512, threads: 2))
    #expect(beyond.extrapolated == ["batch_size", "sequence_length"])
  }

  @Test("the rows of one model are held out together")
  func modelsAreHeldOutWhole() throws {
    let models = try Self.models(12, seed: 7)
    let rows = Self.rows(models, from: 0) + Self.rows(models, from: 100, threads: 2)
    let calibrator = Calibrator(file: try Self.host.file(), runtime: "native")
    let (series, _) = try calibrator.series(rows)
    let validation = try CrossValidation(calibrator.data(series, datasheet: calibrator.datasheetTwin(series)), seed: 3)
    let scores = validation.latency
    #expect(scores.rows.count == 24 && validation.folds == 8)
    let foldOf = Dictionary(zip(scores.rows, scores.fold), uniquingKeysWith: { first, _ in first })
    #expect((0..<12).allSatisfy { foldOf[$0] != nil && foldOf[$0] == foldOf[$0 + 12] })
    #expect(Set(scores.fold).count == 8)
  }

  @Test("precisions are not mixed in one fit")
  func mixedPrecisions() throws {
    var rows = Self.rows(try Self.models(8, seed: 6), from: 0)
    rows[3].precision = "bf16"
    #expect(throws: CalibrationError.self) { _ = try Self.calibrated(rows) }
  }

  @Test("without measured roofs the datasheet's stand in, and rows still make a twin")
  func assumedRoofs() throws {
    let (file, _) = try Self.calibrated(Self.rows(try Self.models(32, seed: 1), from: 0), withRoofs: false)
    let errors = try SyntheticHost.errors(file, on: Self.rows(try Self.models(64, seed: 2), from: 1000))
    #expect(errors.median < 0.12)
  }

  @Test("the plan of roofs holds the shapes of the space, each once")
  func plan() {
    let shapes = RoofPlan().shapes
    #expect(Set(shapes).count == shapes.count)
    for shape in [
      RoofPlan.Shape(m: 128, k: 768, n: 2304, isOfHead: false), .init(m: 128, k: 64, n: 255, isOfHead: true),
      .init(m: 128, k: 3072, n: 768, isOfHead: false, isNormalised: true),
      // Few tokens leave most over from whole tiles: all maps.
      .init(m: 32, k: 768, n: 2304, isOfHead: false), .init(m: 32, k: 4096, n: 3072, isOfHead: false),
      .init(m: 64, k: 3072, n: 768, isOfHead: false, isNormalised: true),
    ] {
      let isPlanned = shapes.contains(shape)
      #expect(isPlanned, "\(shape)")
    }
    // A hundredth of what measuring may take: about 0.4 TFLOP a pass.
    #expect(shapes.reduce(0) { $0 + $1.flops } < 1e12)
  }
}
