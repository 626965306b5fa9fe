import Architectures
import Boards
import Calibration
import Foundation
import Measurements
import Numerics
import Twins
import Workbench

import struct Measurements.Measurement

/// The twin of this machine: calibrated within three minutes, then judged by models that it has not seen, at the settings that it was
/// fitted at and at others. Prints Markdown.
struct HostBenchmark {
  /// Time to calibrate.
  var seconds = 170.0
  var models = 64
  var whatIfModels = 24
  /// Time for each series of unseen models, and for each other setting.
  var seriesSeconds = 120.0
  var whatIfSeconds = 25.0
  var threads = CoreAffinity.allowed.count > 1 ? [1, 2] : [1]
  var seed: UInt64 = 1
  /// File for all rows; nil keeps none.
  var rowsPath: String?

  /// Takes a share of the time, and of the models that are not fitted on: for a first look.
  mutating func shorten(to share: Double) {
    let share = min(max(share, 0.01), 1)
    (seconds, seriesSeconds, whatIfSeconds) = (seconds * share, seriesSeconds * share, whatIfSeconds * share)
    (models, whatIfModels) = (max(4, Int(Double(models) * share)), max(4, Int(Double(whatIfModels) * share)))
  }

  func run() throws {
    let flag = StopFlag()
    var calibration = HostCalibration(threads: threads, seconds: seconds, seed: seed)
    calibration.maximumUnseen = 0
    let fitted = try calibration.run(flag: flag, progress: { _ in }, emit: { _ in })
    let known = Set(fitted.rows.compactMap { $0.architecture?.id })
    let twin = try Twin(
      file: fitted.file, runtime: "native", settings: Settings(threads: threads.first ?? 1))
    let unseen = HostSample(twin: twin, seed: seed &+ 1_000, longestSeconds: 1).draw(models, excluding: known)
    var series = HostSeries(deviceID: fitted.file.device.id, threads: threads, seed: seed, flag: flag)
    func measure(_ chosen: [Architecture], _ seconds: Double) throws -> [Measurement] {
      try series.measure(
        chosen, until: SystemClock().now() + seconds, twin: twin, isUnseen: true, progress: { _ in }, emit: { _ in })
    }
    let early = try measure(unseen, seriesSeconds)

    // Other settings in between, so that the two series of the same models are minutes apart.
    let few = HostSample(twin: twin, seed: seed &+ 2_000, longestSeconds: 0.12).draw(
      whatIfModels, excluding: known.union(unseen.map(\.id)))
    let settings = [(1, 32), (1, 64), (1, 256), (4, 128), (16, 128)]
    var others: [(batch: Int, length: Int, rows: [Measurement])] = []
    for (batch, length) in settings {
      series.batchSize = batch
      series.sequenceLength = length
      others.append((batch, length, try measure(few, whatIfSeconds * Double(threads.count))))
    }
    (series.batchSize, series.sequenceLength) = (1, 128)
    let late = try measure(unseen, seriesSeconds)

    print("\n## The twin of this machine (`edgetwin-benchmarks host`)\n")
    print(
      "\(fitted.file.device.name): \(known.count) models on \(Self.listed(threads)) threads and"
        + " \(fitted.file.device.roofs?.products.count ?? 0) products, \(fitted.file.device.roofs?.heads.count ?? 0) heads,"
        + " measured in \(Int(fitted.measuredSeconds.rounded())) s.\n")
    try printUnseen(fitted.file, early: early, late: late)
    try printWhatIf(fitted, others: others, unseen: early)
    if let rowsPath {
      let lines = (fitted.rows + early + others.flatMap(\.rows) + late).map { $0.jsonLine + "\n" }.joined()
      try Data(lines.utf8).write(to: URL(filePath: rowsPath))
      try Data(try fitted.file.encodedYAML().utf8).write(to: URL(filePath: rowsPath + ".yaml"))
    }
  }

  private static func listed(_ threads: [Int]) -> String { threads.map(String.init).joined(separator: " and ") }

  private func printUnseen(_ file: DeviceFile, early: [Measurement], late: [Measurement]) throws {
    print(
      "| unseen models | threads | latency | median error | bias | 90 % coverage | Spearman | noise floor |\n"
        + "| ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |")
    var all: [PredictedAgainstMeasured] = []
    func row(_ count: String, _ pairs: [PredictedAgainstMeasured], _ floor: Double?) {
      guard let agreement = Agreement(pairs) else { return }
      let times = pairs.map(\.measuredSeconds)
      print(
        "| \(agreement.count) | \(count) | \(Self.milliseconds(times.min())) to \(Self.milliseconds(times.max())) |"
          + " \(Self.percent(agreement.medianAbsolutePercentageError)) | \(Self.percent(agreement.bias)) |"
          + " \(Self.percent(agreement.coverage)) | \(String(format: "%.4f", agreement.spearman)) |"
          + " \(floor.map(Self.percent) ?? "") |")
    }
    var floors: [Double] = []
    for count in threads {
      let own = early.filter { $0.threads == count }
      let again = Dictionary(
        late.filter { $0.threads == count }.compactMap { row in row.architecture.map { ($0.id, row) } },
        uniquingKeysWith: { first, _ in first })
      let differences = own.compactMap { row -> Double? in
        guard let id = row.architecture?.id, let a = row.latencySeconds, let b = again[id]?.latencySeconds else {
          return nil
        }
        return abs(log(a / b))
      }
      let pairs = try own.compactMap { try HostCalibration.pair(file, $0) }
      all += pairs
      floors += differences
      row("\(count)", pairs, differences.isEmpty ? nil : Statistics.median(differences))
    }
    row("all", all, floors.isEmpty ? nil : Statistics.median(floors))
    print(
      "\nThe noise floor is the median difference between two measurements of the same model, minutes apart. Goals: median"
        + " error 5 % (or 1.5 noise floors), Spearman 0.99, coverage 85 to 95 %.\n")
  }

  private func printWhatIf(
    _ fitted: HostCalibration.Result, others: [(batch: Int, length: Int, rows: [Measurement])], unseen: [Measurement]
  ) throws {
    print(
      "| what if (fitted at batch 1, length 128) | threads | models | median error | bias | 90 % coverage |\n"
        + "| --- | ---: | ---: | ---: | ---: | ---: |")
    var all: [PredictedAgainstMeasured] = []
    func row(_ what: String, _ count: String, _ pairs: [PredictedAgainstMeasured]) {
      guard let agreement = Agreement(pairs) else { return }
      print(
        "| \(what) | \(count) | \(agreement.count) | \(Self.percent(agreement.medianAbsolutePercentageError)) |"
          + " \(Self.percent(agreement.bias)) | \(Self.percent(agreement.coverage)) |")
    }
    for (batch, length, rows) in others {
      for count in threads {
        let pairs = try rows.filter { $0.threads == count }.compactMap { try HostCalibration.pair(fitted.file, $0) }
        all += pairs
        row(batch == 1 ? "length \(length)" : "batch \(batch)", "\(count)", pairs)
      }
    }
    row("all of these", Self.listed(threads), all)
    // The number of threads as a what-if: only rows of the first number are fitted.
    if threads.count > 1, let first = threads.first {
      let calibrator = Calibrator(file: fitted.file, runtime: "native", seed: seed)
      let (file, _) = try calibrator.calibrate(fitted.rows.filter { $0.threads == first })
      for count in threads.dropFirst() {
        row(
          "\(count) threads, fitted on \(first)", "\(count)",
          try unseen.filter { $0.threads == count }.compactMap { try HostCalibration.pair(file, $0) })
      }
    }
    print("\nGoals: median error 10 %, coverage 85 %.\n")
  }

  private static func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }
  private static func milliseconds(_ seconds: Double?) -> String { String(format: "%.3g ms", (seconds ?? 0) * 1e3) }
}
