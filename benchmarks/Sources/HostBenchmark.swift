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
///
/// Every stage keeps its rows in a file of the folder and is left out where they are there, so that a machine that others use too is
/// needed for two or three minutes at a time, and a fit can be changed without measuring again.
struct HostBenchmark {
  /// Where rows are kept.
  var folder: String
  /// Time to calibrate.
  var seconds = 170.0
  var models = 64
  var whatIfModels = 24
  /// Time for each series of unseen models, and for each other setting.
  var seriesSeconds = 120.0
  var whatIfSeconds = 25.0
  var threads = CoreAffinity.allowed.count > 1 ? [1, 2] : [1]
  var seed: UInt64 = 1

  enum Stage: String, CaseIterable {
    /// Roofs, and the models that are fitted.
    case fit
    case unseen
    case length32 = "length-32"
    case length64 = "length-64"
    case length256 = "length-256"
    case batch4 = "batch-4"
    case batch16 = "batch-16"
    /// The unseen models once more, minutes later: what one occasion differs from another.
    case again

    /// Batch size and length of a what-if.
    var settings: (batch: Int, length: Int)? {
      switch self {
      case .length32: (1, 32)
      case .length64: (1, 64)
      case .length256: (1, 256)
      case .batch4: (4, 128)
      case .batch16: (16, 128)
      default: nil
      }
    }

    var title: String {
      settings.map { $0.batch == 1 ? "length \($0.length)" : "batch \($0.batch)" } ?? rawValue
    }
  }

  init(folder: String) { self.folder = folder }

  /// Takes a share of the time, and of the models that are not fitted on: for a first look.
  mutating func shorten(to share: Double) {
    let share = min(max(share, 0.01), 1)
    (seconds, seriesSeconds, whatIfSeconds) = (seconds * share, seriesSeconds * share, whatIfSeconds * share)
    (models, whatIfModels) = (max(4, Int(Double(models) * share)), max(4, Int(Double(whatIfModels) * share)))
  }

  /// Measures the stages that have no rows yet; then prints the tables of all that have.
  /// - Parameter stages: no others are measured; empty for all.
  func run(stages: [Stage]) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for stage in stages.isEmpty ? Stage.allCases : stages where rows(stage) == nil {
      // Roofs, seconds and models are those of the first stage.
      if stage != .fit && rows(.fit) == nil { try measure(.fit) }
      try measure(stage)
    }
    try report()
  }

  // MARK: Measuring

  private func path(_ name: String) -> String { folder + "/" + name }

  private func rows(_ stage: Stage) -> [Measurement]? { try? MeasurementFile.read(path(stage.rawValue + ".jsonl")) }

  private func write(_ stage: Stage, _ rows: [Measurement]) throws {
    try Data(rows.map { $0.jsonLine + "\n" }.joined().utf8).write(
      to: URL(filePath: path(stage.rawValue + ".jsonl")), options: .atomic)
  }

  /// The device with its roofs, without a fit.
  private func roofs() throws -> DeviceFile {
    var file = try DeviceFile(path: path("device.yaml"))
    file.runtimes["native"]?.model = nil
    return file
  }

  private func measure(_ stage: Stage) throws {
    let flag = StopFlag()
    if stage == .fit {
      var calibration = HostCalibration(threads: threads, seconds: seconds, seed: seed)
      calibration.maximumUnseen = 0
      let fitted = try calibration.run(flag: flag, progress: { _ in }, emit: { _ in })
      try Data(try fitted.file.encodedYAML().utf8).write(to: URL(filePath: path("device.yaml")), options: .atomic)
      try Data("\(fitted.measuredSeconds)".utf8).write(to: URL(filePath: path("seconds.txt")), options: .atomic)
      return try write(.fit, fitted.rows)
    }
    let twin = try Twin(file: try roofs(), runtime: "native", settings: Settings(threads: threads.first ?? 1))
    var series = HostSeries(deviceID: twin.device.id, threads: threads, seed: seed, flag: flag)
    if let (batch, length) = stage.settings { (series.batchSize, series.sequenceLength) = (batch, length) }
    let seconds = stage.settings == nil ? seriesSeconds : whatIfSeconds * Double(threads.count)
    let measured = try series.measure(
      try chosen(stage, twin: twin), until: SystemClock().now() + seconds, twin: twin, isUnseen: true,
      progress: { _ in }, emit: { _ in })
    try write(stage, measured)
  }

  /// The models of a stage: those of a stage that went before it, where it is of the same ones.
  private func chosen(_ stage: Stage, twin: Twin) throws -> [Architecture] {
    func models(_ stages: [Stage]) -> [Architecture] {
      var seen = Set<String>()
      return stages.flatMap { rows($0) ?? [] }.compactMap(\.architecture).filter { seen.insert($0.id).inserted }
    }
    let isWhatIf = stage.settings != nil
    let same = Stage.allCases.first { $0 != .fit && ($0.settings != nil) == isWhatIf && rows($0) != nil }
    if let same { return models([same]) }
    let unseen = HostSample(twin: twin, seed: seed &+ 1_000, longestSeconds: 1).draw(
      self.models, excluding: Set(models([.fit]).map(\.id)))
    guard isWhatIf else { return unseen }
    return HostSample(twin: twin, seed: seed &+ 2_000, longestSeconds: 0.12).draw(
      whatIfModels, excluding: Set((models([.fit]) + unseen).map(\.id)))
  }

  // MARK: Tables

  private func report() throws {
    let fitRows = rows(.fit) ?? []
    let file = try HostCalibration.fit(fitRows, to: try roofs(), seed: seed).file
    let seconds = Double((try? String(contentsOfFile: path("seconds.txt"), encoding: .utf8)) ?? "") ?? .nan
    print(
      "\(file.device.name): \(Set(fitRows.compactMap { $0.architecture?.id }).count) models on \(Self.listed(threads)) threads"
        + " and \(file.device.roofs?.products.count ?? 0) products, \(file.device.roofs?.heads.count ?? 0) heads,"
        + " measured in \(Int(seconds.rounded())) s.\n")
    for isAtPace in [true, false] {
      print(
        isAtPace
          ? "Measured times at the pace that the roofs were timed at, by what each row says of its own:\n"
          : "The same times as they were measured, whatever the cores were good for then:\n")
      try printUnseen(file, early: rows(.unseen) ?? [], late: rows(.again) ?? [], isAtPace: isAtPace)
      try printWhatIf(file, fitted: fitRows, unseen: rows(.unseen) ?? [], isAtPace: isAtPace)
    }
    try writePairs(file)
  }

  /// Every model beside its prediction, to look into: `pairs.csv` of the folder.
  private func writePairs(_ file: DeviceFile) throws {
    var lines = ["stage,threads,architecture,measured_s,predicted_s,lower_s,upper_s,pace_s"]
    for stage in Stage.allCases {
      for row in rows(stage) ?? [] {
        guard let pair = try HostCalibration.pair(file, row) else { continue }
        let seconds = [
          pair.measuredSeconds, pair.predicted.median, pair.predicted.lower, pair.predicted.upper,
        ]
        lines.append(
          ([stage.rawValue, "\(row.threads ?? 1)", pair.id] + seconds.map { "\($0)" }
            + [row.environment[Measurement.paceKey] ?? ""]).joined(separator: ","))
      }
    }
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: path("pairs.csv")), options: .atomic)
  }

  private static func listed(_ threads: [Int]) -> String { threads.map(String.init).joined(separator: " and ") }

  private func printUnseen(_ file: DeviceFile, early: [Measurement], late: [Measurement], isAtPace: Bool) throws {
    print(
      "| unseen models | threads | latency | median error | bias | 90 % coverage | of the twin's intervals alone | Spearman | noise floor |\n"
        + "| ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    var all: [PredictedAgainstMeasured] = []
    var allAlone: [PredictedAgainstMeasured] = []
    func row(
      _ count: String, _ pairs: [PredictedAgainstMeasured], alone: [PredictedAgainstMeasured], _ floor: Double?
    ) {
      guard let agreement = Agreement(pairs), let narrow = Agreement(alone) else { return }
      let times = pairs.map(\.measuredSeconds)
      print(
        "| \(agreement.count) | \(count) | \(Self.milliseconds(times.min())) to \(Self.milliseconds(times.max())) |"
          + " \(Self.percent(agreement.medianAbsolutePercentageError)) | \(Self.percent(agreement.bias)) |"
          + " \(Self.percent(agreement.coverage)) | \(Self.percent(narrow.coverage)) |"
          + " \(String(format: "%.4f", agreement.spearman)) |"
          + " \(floor.map(Self.percent) ?? "") |")
    }
    func pairs(_ rows: [Measurement], openShare: Double = Roofs.openShare) throws -> [PredictedAgainstMeasured] {
      try rows.compactMap { try HostCalibration.pair(file, $0, isAtPace: isAtPace, openShare: openShare) }
    }
    var floors: [Double] = []
    for count in threads {
      let own = early.filter { $0.threads == count }
      let again = Dictionary(
        late.filter { $0.threads == count }.compactMap { row in row.architecture.map { ($0.id, row) } },
        uniquingKeysWith: { first, _ in first })
      let differences = try own.compactMap { row -> Double? in
        guard let id = row.architecture?.id, let other = again[id],
          let a = try HostCalibration.pair(file, row, isAtPace: isAtPace)?.measuredSeconds,
          let b = try HostCalibration.pair(file, other, isAtPace: isAtPace)?.measuredSeconds
        else { return nil }
        return abs(log(a / b))
      }
      let (wide, alone) = (try pairs(own), try pairs(own, openShare: 0))
      all += wide
      allAlone += alone
      floors += differences
      row("\(count)", wide, alone: alone, differences.isEmpty ? nil : Statistics.median(differences))
    }
    row("all", all, alone: allAlone, floors.isEmpty ? nil : Statistics.median(floors))
    for count in late.isEmpty ? [] : threads {
      let own = late.filter { $0.threads == count }
      row("\(count), again", try pairs(own), alone: try pairs(own, openShare: 0), nil)
    }
    row("all, again", try pairs(late), alone: try pairs(late, openShare: 0), nil)
    print(
      "\nThe noise floor is the median difference between two measurements of the same model, minutes apart. Intervals hold what bringing a"
        + " row to the pace leaves open, a share of what it is brought by. Goals: median error 5 % (or 1.5 noise floors), Spearman 0.99,"
        + " coverage 85 to 95 %.\n")
    guard isAtPace else { return }
    print(
      "Coverage by that share, of which \(Roofs.openShare) is the standard:\n\n| share | all | all, again |\n| ---: | ---: | ---: |"
    )
    for share in [0, 0.05, 0.1, 0.15, 0.2, 0.25] {
      func coverage(_ rows: [Measurement]) throws -> String {
        Agreement(try pairs(rows, openShare: share)).map { Self.percent($0.coverage) } ?? "–"
      }
      print("| \(share) | \(try coverage(early)) | \(try coverage(late)) |")
    }
    print()
  }

  private func printWhatIf(_ file: DeviceFile, fitted: [Measurement], unseen: [Measurement], isAtPace: Bool) throws {
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
    for stage in Stage.allCases where stage.settings != nil {
      for count in threads {
        let pairs = try (rows(stage) ?? []).filter { $0.threads == count }.compactMap {
          try HostCalibration.pair(file, $0, isAtPace: isAtPace)
        }
        all += pairs
        row(stage.title, "\(count)", pairs)
      }
    }
    row("all of these", Self.listed(threads), all)
    // The number of threads as a what-if: only rows of the first number are fitted.
    if threads.count > 1, let first = threads.first {
      let file = try HostCalibration.fit(fitted.filter { $0.threads == first }, to: try roofs(), seed: seed).file
      for count in threads.dropFirst() {
        row(
          "\(count) threads, fitted on \(first)", "\(count)",
          try unseen.filter { $0.threads == count }.compactMap {
            try HostCalibration.pair(file, $0, isAtPace: isAtPace)
          })
      }
    }
    print("\nGoals: median error 10 %, coverage 85 %.\n")
  }

  private static func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }
  private static func milliseconds(_ seconds: Double?) -> String { String(format: "%.3g ms", (seconds ?? 0) * 1e3) }
}
