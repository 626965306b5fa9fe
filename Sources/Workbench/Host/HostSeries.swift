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
  /// Rounds; models of long calls have no more than the fewest repeats.
  private static let rounds = 3...15
  private static let longCallSeconds = 0.06
  private static let warmUpSeconds = 0.25

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
      // Time of one repeat of all models of short calls, and of all of long ones.
      let (short, long) = seconds.reduce(into: (0.0, 0.0)) { sums, call in
        let own = max(call, 0.003) + max(call, Self.repeatSeconds)
        if call > Self.longCallSeconds { sums.1 += own } else { sums.0 += own }
      }
      let fewest = Self.rounds.lowerBound
      let start =
        Double(models.count) * Self.preparationSeconds
        + seconds.reduce(0) { $0 + max(min(6 * $1, Self.warmUpSeconds), 0.03, $1) }
      let affordable = Int((limit - clock.now() - start - Double(fewest) * long) / max(short, 1e-3))
      let rounds = min(max(affordable / fewest * fewest, fewest), Self.rounds.upperBound)
      var plan = MeasuringProtocol(
        repeats: rounds, repeatSeconds: Self.repeatSeconds,
        warmUp: .init(windowSeconds: 0.005, windowCalls: 1, span: 2, maximumSeconds: Self.warmUpSeconds), seed: seed)
      plan.statistic = .fastest
      (plan.longCallSeconds, plan.longCallRounds) = (Self.longCallSeconds, rounds / fewest)
      var measurer = SeriesMeasurer(plan: plan)
      let flag = flag
      // What was planned too tightly may take half as long again.
      let latest = limit + 0.5 * (end - begin) / Double(threads.count)
      // A twin needs its rows: where the time allows no more than the fewest repeats, they are taken all the same.
      let isCut = affordable > fewest
      measurer.shouldStop = { flag.isSet || isCut && clock.now() > latest }
      measurer.progress = { progress(.models(done: $0, of: $1, threads: count, isUnseen: isUnseen)) }
      let allowed = CoreAffinity.allowed
      let cores = CoreAffinity.choice(count, allowed: allowed)
      if !cores.isEmpty { try CoreAffinity.bind(cores) }
      defer { if !allowed.isEmpty { try? CoreAffinity.bind(allowed) } }
      let gauge = try PaceGauge(threads: count, cores: cores)
      measurer.pace = { gauge.seconds() }
      let run = MeasurementRun(
        device: deviceID, runtime: NativeRuntime(cores: cores),
        settings: RunSettings(batchSize: batchSize, sequenceLength: sequenceLength, threads: count),
        measurer: measurer, cores: cores, environment: ["program": "edgetwin \(Program.version)"])
      let order = order
      let report = try run.measure(models) { _, row in
        var row = row
        // Models are measured in turns: a difference between them is no change of the machine over time.
        row.order = order
        rows.append(row)
        try emit(row)
      }
      if let floor = report.noiseFloor, floor.models > (noiseFloor?.models ?? 0) { noiseFloor = floor }
    }
    order += 1
    return rows
  }
}
