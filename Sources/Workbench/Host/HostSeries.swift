import Architectures
import Boards
import Foundation
import Measurements
import Twins

import struct Measurements.Measurement

/// Measures models on this machine, with each number of threads, within a time.
public struct HostSeries {
  public var deviceID: String
  public var sequenceLength: Int
  public var batchSize = 1
  public var threads: [Int]
  public var seed: UInt64
  public var flag: StopFlag
  private(set) var order = 0
  /// Of the series with the most models.
  public private(set) var noiseFloor: NoiseFloor?

  private static let repeatSeconds = 0.03
  private static let preparationSeconds = 0.4
  private static let repeats = 3...10

  public init(
    deviceID: String, sequenceLength: Int = 128, batchSize: Int = 1, threads: [Int], seed: UInt64, flag: StopFlag
  ) {
    self.deviceID = deviceID
    self.sequenceLength = sequenceLength
    self.batchSize = batchSize
    self.threads = threads
    self.seed = seed
    self.flag = flag
  }

  /// - Parameters:
  ///   - end: on the system's clock; what has no repeat by then has no row, except that the fewest repeats are taken in any case.
  ///   - twin: tells about how long the models take.
  public mutating func measure(
    _ models: [Architecture], until end: Double, twin: Twin, isUnseen: Bool,
    progress: @escaping (HostCalibration.Step) -> Void, emit: (Measurement) throws -> Void
  ) throws -> [Measurement] {
    let clock = SystemClock()
    let begin = clock.now()
    var rows: [Measurement] = []
    let calls = try models.map { try twin.predict($0).costs.latencySeconds.median * Double(batchSize) }
    for (index, count) in threads.enumerated() where !flag.isSet {
      // Each number of threads has its share of the time.
      let limit = begin + (end - begin) * Double(index + 1) / Double(threads.count)
      let speed = pow(Double(count) / Double(threads.first ?? 1), 0.8)
      let seconds = calls.map { $0 / speed }
      let round = seconds.reduce(0) { $0 + max($1, 0.003) + max($1, Self.repeatSeconds) }
      let start = Double(models.count) * Self.preparationSeconds + seconds.reduce(0) { $0 + max(6 * $1, 0.03) }
      let affordable = Int((limit - clock.now() - start) / max(round, 1e-3))
      let plan = MeasuringProtocol(
        repeats: min(max(affordable, Self.repeats.lowerBound), Self.repeats.upperBound),
        repeatSeconds: Self.repeatSeconds,
        warmUp: .init(windowSeconds: 0.005, windowCalls: 1, span: 2, maximumSeconds: 0.8), seed: seed)
      var measurer = SeriesMeasurer(plan: plan)
      let flag = flag
      // What was planned too tightly may take half as long again.
      let latest = limit + 0.5 * (end - begin) / Double(threads.count)
      // A twin needs its rows: where the time allows no more than the fewest repeats, they are taken all the same.
      let isCut = affordable > Self.repeats.lowerBound
      measurer.shouldStop = { flag.isSet || isCut && clock.now() > latest }
      measurer.progress = { progress(.models(done: $0, of: $1, threads: count, isUnseen: isUnseen)) }
      let allowed = CoreAffinity.allowed
      let cores = CoreAffinity.choice(count, allowed: allowed)
      if !cores.isEmpty { try CoreAffinity.bind(cores) }
      defer { if !allowed.isEmpty { try? CoreAffinity.bind(allowed) } }
      let run = MeasurementRun(
        device: deviceID, runtime: NativeRuntime(),
        settings: RunSettings(batchSize: batchSize, sequenceLength: sequenceLength, threads: count),
        measurer: measurer, cores: cores, environment: ["program": "edgetwin \(Program.version)"])
      let firstOrder = order
      let report = try run.measure(models) { position, row in
        var row = row
        // Numbers of threads side by side: a difference between them is no change of the machine over time.
        row.order = firstOrder + position * threads.count + index
        rows.append(row)
        try emit(row)
      }
      if let floor = report.noiseFloor, floor.models > (noiseFloor?.models ?? 0) { noiseFloor = floor }
    }
    order += models.count * threads.count
    return rows.sorted { ($0.order ?? 0) < ($1.order ?? 0) }
  }
}
