import Architectures
import Foundation
import Measurements
import Numerics
import Testing
import Twins

import struct Measurements.Measurement

@testable import Calibration

@Suite struct HostTwinTests {
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

  @Test(arguments: [1, 2]) func thirtyTwoModelsPredictUnseenOnes(threads: Int) throws {
    let (file, _) = try Self.calibrated(Self.rows(try Self.models(32, seed: 1), from: 0, threads: threads))
    let unseen = Self.rows(try Self.models(64, seed: 2), from: 1000, threads: threads)
    let errors = try SyntheticHost.errors(file, on: unseen)
    let spread = (errors.measured.max() ?? 0) / (errors.measured.min() ?? 1)
    print("threads \(threads): medAPE \(errors.median) coverage \(errors.coverage) spread \(spread)")
    #expect(spread > 100)
    #expect(errors.median < 0.04)
    #expect(errors.coverage >= 0.8)
  }

  @Test(arguments: [(1, 32, 1), (1, 64, 1), (1, 256, 1), (4, 128, 1), (16, 128, 1), (1, 128, 2), (4, 64, 2)])
  func otherSettingsFollowFromOne(batch: Int, length: Int, threads: Int) throws {
    let (file, _) = try Self.calibrated(Self.rows(try Self.models(32, seed: 1), from: 0))
    let unseen = Self.rows(
      try Self.models(32, seed: 3), from: 2000, batch: batch, length: length, threads: threads)
    let errors = try SyntheticHost.errors(file, on: unseen)
    let bias = exp(Statistics.median(zip(errors.predicted, errors.measured).map { log($0 / $1) }))
    print("b \(batch) n \(length) t \(threads): medAPE \(errors.median) coverage \(errors.coverage) bias \(bias)")
    #expect(errors.median < 0.10)
    #expect(errors.coverage >= 0.85)
  }
}
