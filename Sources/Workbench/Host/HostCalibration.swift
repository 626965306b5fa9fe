import Architectures
import Boards
import Calibration
import Foundation
import Measurements
import Numerics
import Twins

import struct Measurements.Measurement

/// Makes the twin of this machine: its roofs, a chosen set of models, a fit, and models that it has not seen to prove it on.
public struct HostCalibration: Sendable {
  public var space: DesignSpace
  public var deviceID: String
  /// Each model is measured with each number of threads.
  public var threads: [Int]
  /// Time to measure: roofs, models and those that prove the twin.
  public var seconds: Double
  public var seed: UInt64
  /// Most models to fit on.
  public var maximumModels = 32
  /// Models to prove the twin on.
  public var maximumUnseen = 12
  public var sequenceLength = 128

  /// Shares of the time.
  private static let roofShare = 0.3
  private static let unseenShare = 0.2
  /// The longest call of a model, as a share of the time for all: it is called some twenty times.
  private static let longestShare = 0.006
  /// What a model takes to prepare and to warm up, about.
  private static let modelSeconds = 0.8

  public init(
    space: DesignSpace = .flexibert2, deviceID: String = HostFacts.deviceID, threads: [Int], seconds: Double,
    seed: UInt64 = 1
  ) {
    self.space = space
    self.deviceID = deviceID
    self.threads = threads
    self.seconds = seconds
    self.seed = seed
  }

  /// What is told while it goes on.
  public enum Step: Sendable {
    case roofs(share: Double)
    /// Of the models to fit on, or of the unseen ones.
    case models(done: Int, of: Int, threads: Int, isUnseen: Bool)
    case fit
  }

  public struct Result: Sendable {
    public var file: DeviceFile
    public var report: CalibrationReport
    /// Those that the twin was fitted on.
    public var rows: [Measurement]
    public var unseen: [Measurement]
    /// Of the unseen, by number of threads; empty where there are none.
    public var agreements: [(threads: Int, agreement: Agreement)]
    /// Of all unseen, at the pace of the roofs.
    public var agreement: Agreement?
    /// Of all unseen as they were measured, whatever the cores were good for then.
    public var agreementAsMeasured: Agreement?
    public var noiseFloor: NoiseFloor?
    public var measuredSeconds: Double
    public var wasStopped: Bool
  }

  /// - Parameters:
  ///   - flag: set by whoever wants it to end early; what was measured is then fitted, if it is enough.
  ///   - emit: called with every row once it is measured.
  /// - Throws: `KernelError`, ``BoardError``, `CalibrationError` with fewer than four rows, or what `emit` throws.
  public func run(
    flag: StopFlag, progress: @escaping @Sendable (Step) -> Void, emit: @escaping @Sendable (Measurement) throws -> Void
  ) throws -> Result {
    let clock = SystemClock()
    let start = clock.now()
    var measurer = RoofMeasurer(
      space: space, threads: threads, seconds: Self.roofShare * seconds, cacheBytes: MachineState.lastCacheBytes())
    measurer.seed = seed
    measurer.shouldStop = { flag.isSet }
    measurer.progress = { progress(.roofs(share: $0)) }
    let roofs = try measurer.measure()
    let file = HostFacts.file(id: deviceID, roofs: roofs)
    return try fit(file, start: start, clock: clock, flag: flag, progress: progress, emit: emit)
  }

  /// Measures models and fits a device whose roofs are known.
  public func fit(
    _ file: DeviceFile, start: Double, clock: SystemClock, flag: StopFlag,
    progress: @escaping @Sendable (Step) -> Void, emit: @escaping @Sendable (Measurement) throws -> Void
  ) throws -> Result {
    // Models are chosen by what the roofs alone say of them.
    let roofTwin = try Twin(
      file: file, runtime: "native", settings: Settings(sequenceLength: sequenceLength, threads: threads.first ?? 1))
    let longest = Self.longestShare * seconds
    let share = max((1 - Self.roofShare - Self.unseenShare) * seconds, 0.1)
    let affordable = Int(share / (Self.modelSeconds * Double(threads.count)))
    let count = min(maximumModels, max(affordable, 9))
    let models = HostSample(space: space, twin: roofTwin, seed: seed, longestSeconds: longest).draw(count)
    var series = HostSeries(
      deviceID: deviceID, sequenceLength: sequenceLength, threads: threads, seed: seed, flag: flag)
    let fitEnd = start + (1 - Self.unseenShare) * seconds
    let rows = try series.measure(
      models, until: fitEnd, twin: roofTwin, isUnseen: false, progress: progress, emit: emit)
    if rows.count < Calibrator.minimumRows, !flag.isSet {
      throw CalibrationError.tooShort(seconds: seconds, rows: rows.count)
    }
    progress(.fit)
    let (fitted, report) = try Self.fit(rows, to: file, seed: seed)
    var unseen: [Measurement] = []
    if !flag.isSet {
      let others = HostSample(space: space, twin: roofTwin, seed: seed &+ 1, longestSeconds: longest).draw(
        min(maximumUnseen, max(4, count / 2)), excluding: Set(models.map(\.id)))
      unseen = try series.measure(
        others, until: max(start + seconds, clock.now() + Self.unseenShare * seconds), twin: roofTwin, isUnseen: true,
        progress: progress, emit: emit)
    }
    let measured = clock.now() - start
    let pairs = try unseen.compactMap { row in try Self.pair(fitted, row, openShare: 0) }
    return Result(
      file: fitted, report: report, rows: rows, unseen: unseen,
      agreements: threads.compactMap { count in
        let own = zip(unseen, pairs).filter { $0.0.threads == count }.map(\.1)
        return Agreement(own).map { (count, $0) }
      }, agreement: Agreement(pairs),
      agreementAsMeasured: Agreement(
        try unseen.compactMap { try Self.pair(fitted, $0, isAtPace: false, openShare: 0) }),
      noiseFloor: series.noiseFloor, measuredSeconds: measured, wasStopped: flag.isSet)
  }

  /// Fits a device whose roofs are known to rows that were measured.
  public static func fit(
    _ rows: [Measurement], to file: DeviceFile, seed: UInt64
  ) throws -> (file: DeviceFile, report: CalibrationReport) {
    let calibrator = Calibrator(file: file, runtime: "native", seed: seed, program: "edgetwin \(Program.version)")
    return try calibrator.calibrate(rows)
  }

  /// What a device's twin predicts for a row, beside what was measured; nil for a row without model or latency.
  /// - Parameters:
  ///   - isAtPace: brings what was measured to the pace that the twin is fitted at, where the row says its own.
  ///   - openShare: widens the interval by what that leaves open (`Roofs.paceDeviation(slowing:share:)`); 0 for the twin's own.
  public static func pair(
    _ file: DeviceFile, _ row: Measurement, level: Double = 0.9, isAtPace: Bool = true,
    openShare: Double = Roofs.openShare
  ) throws -> PredictedAgainstMeasured? {
    guard let model = row.architecture, let latency = row.latencySeconds else { return nil }
    let slowing = isAtPace ? file.device.roofs?.slowing(of: row) ?? 1 : 1
    let twin = try Twin(
      file: file, runtime: row.runtime,
      settings: Settings(
        batchSize: row.batchSize, sequenceLength: row.sequenceLength,
        precision: Precision(rawValue: row.precision) ?? .fp32,
        threads: row.threads))
    var predicted = try twin.predict(model, level: level).costs.latencySeconds
    if openShare > 0, slowing != 1 {
      let open = Distributions.normalQuantile(0.5 + level / 2) * Roofs.paceDeviation(slowing: slowing, share: openShare)
      func half(_ bound: Double) -> Double { exp(hypot(log(bound / predicted.median), open)) }
      (predicted.lower, predicted.upper) = (
        predicted.median / half(predicted.lower), predicted.median * half(predicted.upper)
      )
    }
    return PredictedAgainstMeasured(
      id: model.id, predicted: predicted, measuredSeconds: latency / slowing, spreadSeconds: row.spreadSeconds)
  }
}
