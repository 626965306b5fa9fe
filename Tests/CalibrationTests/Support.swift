import Architectures
import Foundation
import Measurements
import Numerics
import Testing
import Twins

import struct Measurements.Measurement

@testable import Calibration

/// The published measurements, where they are at hand.
enum PublishedData {
  static let folder = ProcessInfo.processInfo.environment["EDGETWIN_DATA"]
  static let isPresent = folder != nil
  /// Device ids in the order of the folders' study.
  static let devices = [
    "rpi4-cpu", "jetson-nano-cpu", "jetson-nano-gpu", "m1-pro-cpu", "m1-pro-gpu", "a100", "ncs2",
  ]

  private static let rows = Result {
    Dictionary(grouping: try ProTranImporter.read((folder ?? "") + "/protran"), by: \.device)
  }

  static func rows(of device: String) throws -> [Measurement] { try #require(try rows.get()[device]) }

  /// The device files that ship with this package.
  static func file(_ device: String) throws -> DeviceFile {
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try DeviceFile(path: package.appendingPathComponent("device-models/\(device).yaml").path)
  }

  static func platforms() throws -> [DatasheetPriorFit.PlatformRows] {
    try devices.map { (file: try file($0), runtime: "protran", rows: try rows(of: $0)) }
  }
}

/// A device that costs what it is told to cost: a known twin to generate measurements from.
struct SyntheticDevice {
  var seed: UInt64 = 1
  /// Standard deviation of the noise, on the log scale.
  var noise = 0.03
  var constant = 2.0
  var secondsPerHead = 0.03
  var secondsPerFLOP = 4e-10
  var secondsPerByte = 8e-9
  var includesStartup = false
  /// Factor on the row at a position in the series: the state of the device.
  var factor: @Sendable (_ order: Int) -> Double = { _ in 1 }

  static let id = "rpi4-cpu"
  static let settings = Settings(batchSize: 1, sequenceLength: 128, precision: .fp32)

  static func architectures(_ count: Int, seed: UInt64) throws -> [Architecture] {
    try DesignSpace.flexibert2.sample(count: count, seed: seed).map { DesignSpace.flexibert2.architecture(of: $0) }
  }

  static func features(_ architecture: Architecture) -> FeatureVector {
    FeatureForm(settings: settings, variant: .protranEager, position: .relativeKey).total(of: architecture)
  }

  func seconds(_ architecture: Architecture) -> Double {
    let x = Self.features(architecture)
    return constant + secondsPerHead * x[.heads] + secondsPerFLOP * x[.productFLOPs]
      + secondsPerByte * x[.parameterBytes]
  }

  func joules(_ architecture: Architecture) -> Double { 4.2 * seconds(architecture) }

  func watts(_ architecture: Architecture) -> Double { 2.5 + 3 * (1 - exp(-seconds(architecture) / 6)) }

  /// - Parameter sample: seed of the architectures.
  func measurements(_ count: Int, sample: UInt64 = 11) throws -> [Measurement] {
    try Self.architectures(count, seed: sample).enumerated().map { order, architecture in
      var random = CounterRandom(seed: seed, stream: UInt64(order))
      let state = factor(order)
      func noisy(_ value: Double) -> Double { value * state * exp(noise * random.nextNormal()) }
      return Measurement(
        architecture: architecture, device: Self.id, runtime: "protran", batchSize: 1, sequenceLength: 128,
        precision: "fp32", order: order, latencySeconds: noisy(seconds(architecture)),
        energyJoules: noisy(joules(architecture)), peakPowerWatts: noisy(watts(architecture)) / state,
        includesStartup: includesStartup)
    }
  }

  static func calibrator(seed: UInt64 = 0) throws -> Calibrator {
    Calibrator(file: try PublishedData.file(id), runtime: "protran", seed: seed)
  }
}

/// Standard normal numbers.
func normals(_ count: Int, seed: UInt64) -> [Double] {
  var random = CounterRandom(seed: seed)
  return (0..<count).map { _ in random.nextNormal() }
}

func uniforms(_ count: Int, seed: UInt64, in range: ClosedRange<Double> = 0...1) -> [Double] {
  var random = CounterRandom(seed: seed)
  return (0..<count).map { _ in range.lowerBound + (range.upperBound - range.lowerBound) * random.nextUniform() }
}
