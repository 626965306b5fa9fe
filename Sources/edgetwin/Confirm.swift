import Architectures
import ArgumentParser
import Boards
import Calibration
import Foundation
import Measurements
import Studies
import Twins
import Workbench

import struct Measurements.Measurement

struct Confirm: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure finalists on this machine, and compare with what a twin predicted.",
    discussion: """
        edgetwin explore --devices this.yaml --format jsonl > front.jsonl
        edgetwin confirm --device this.yaml --architectures front.jsonl \\
          --output m.jsonl
        edgetwin confirm --device this.yaml --architectures front.jsonl \\
          --measurements m.jsonl --recalibrate this.yaml
        edgetwin confirm --study s.db --device this.yaml

      Of rows that explore printed, the finalists are measured and the rest is what they were chosen from. Models that \
      --measurements has, at the same settings, are not measured again. With --recalibrate the twin is fitted anew to \
      all rows of --measurements and the new ones.
      """)

  @OptionGroup var twin: TwinOptions

  @Option(
    help: "File of architectures or of rows of explore, or - for standard input; with --study by default its finalists."
  )
  var architectures: String?

  @Option(
    name: .customLong("study"),
    help: ArgumentHelp(
      "File of a study: its finalists and measurements count, and it keeps the new ones.", valueName: "s.db"))
  var studyFile: String?

  @Option(help: "Measurements that exist (JSON Lines).")
  var measurements: String?

  @Option(name: .shortAndLong, help: "File for the new measurements (JSON Lines).")
  var output: String?

  @Option(help: ArgumentHelp("Fit the twin anew and write the device's file.", valueName: "d.yaml"))
  var recalibrate: String?

  @OptionGroup(title: "How it is measured") var how: ProtocolOptions

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json, jsonl, csv
  }

  @Option(help: "table (for people), json (an object with rows and summary), jsonl or csv (the rows).")
  var format: Format = .table

  func validate() throws {
    guard architectures != nil || studyFile != nil else {
      throw ValidationError("give --architectures, or --study to confirm its finalists")
    }
  }

  func run() async throws {
    for path in [output, recalibrate].compactMap(\.self) { try Console.checkFolder(of: path) }
    var request = try twin.request()
    let names = RunOptions.Runtime.allCases.map(\.rawValue)
    if twin.runtime == nil, let native = names.first(where: { request.file.runtimes[$0] != nil }) {
      request.runtime = native
    }
    let model = try request.twin()
    let study = try studyFile.map { try Study.open($0) }
    defer { study?.close() }
    let source = architectures.map { InputBytes.name(of: $0) } ?? studyFile ?? ""
    let rows = try asked(study, model).filter { $0.device == nil || $0.device == model.device.id }
    guard !rows.isEmpty else {
      throw InputFileError(source: source, problem: "has no row of the device \(model.device.id)")
    }
    let finalists = rows.filter { $0.isFinalist == true }
    let chosen = finalists.isEmpty ? rows : finalists
    for row in chosen {
      try row.architecture.checkLength(model.settings.sequenceLength, source: source, line: row.line)
    }
    let known = try (measurements.map { try MeasurementFile.read($0) } ?? []) + (study?.measurements() ?? [])
    let others = Set(known.filter { Confirmation.isOf(model, $0) }.map(\.device)).subtracting([model.device.id])
    if !others.isEmpty {
      Console.complain("rows of \(others.sorted().joined(separator: ", ")) are taken as those of \(model.device.id)")
    }
    let done = Set(known.filter { Confirmation.isOf(model, $0) }.compactMap { $0.architecture?.id })
    let missing = chosen.filter { !done.contains($0.architecture.id) }
    let (measured, report) = try await measure(missing, model, study)
    let confirmation = try Confirmation(
      twin: model, level: request.level, chosen: chosen, measurements: known + measured, pool: rows,
      profiles: report?.stepsByModel(missing.map(\.architecture)) ?? [:])
    let statistics = Set(confirmation.rows.compactMap(\.measurement.statistic)).sorted()
    if statistics.count > 1 {
      Console.complain(
        "the measured latencies are of different calls (\(statistics.joined(separator: " and "))), and compared as if they were one:"
          + " measure all in one way")
    }
    try study?.keep(confirmation, name: model.device.id)
    try write(confirmation)
    for failure in report?.failures ?? [] {
      Console.complain("\(source):\(missing[failure.index].line): \(failure.error)")
    }
    if let report, report.measured > 0 { Console.say(report.summary) }
    if report?.wasStopped == true {
      Console.complain("stopped before the end: \(measured.count) of \(missing.count) were measured")
      throw ExitCode(Failure.interrupted)
    }
    try recalibrate(confirmation, request, known + measured)
    if report?.failures.isEmpty == false || confirmation.rows.isEmpty { throw ExitCode(1) }
  }

  /// What is to be confirmed, and what it was chosen from.
  private func asked(_ study: Study?, _ twin: Twin) throws -> [FinalistRow] {
    if let architectures { return try FinalistRow.read(architectures) }
    guard let study else { return [] }
    return try study.confirmationRows(twin, setup: SearchSetup(study))
  }

  /// Measures on this machine what is not known yet.
  private func measure(
    _ rows: [FinalistRow], _ twin: Twin, _ study: Study?
  ) async throws -> (rows: [Measurement], report: MeasurementRun.Report?) {
    guard !rows.isEmpty else { return ([], nil) }
    guard let runtime = RunOptions.Runtime(rawValue: twin.runtime) else {
      throw UsageError(
        "the runtime \(twin.runtime) cannot be measured from here, and \(rows.count) of the models have no row in"
          + " --measurements; measurable are native and onnxruntime")
    }
    let job = how.job(try LocalWork(twin, runtime: runtime), twin: twin, profiles: 5)
    // A file that is read and written is gone on with.
    let appender = try output.map { try MeasurementAppender(path: $0, resumes: isMeasurements($0)) }
    let collected = MeasuredRows(appender, study: study)
    Console.say("measuring on this machine (\(MachineState().cpu ?? "of unknown make")), taken for \(twin.device.name)")
    let architectures = rows.map(\.architecture)
    let report = try await Interrupt.cancelling {
      try await job.measure(architectures) { _, row in try collected.add(row) }
    }
    Console.endProgress()
    return (collected.rows, report)
  }

  /// Whether a path leads to the file of the measurements that exist, however it is spelled.
  private func isMeasurements(_ path: String) -> Bool {
    func resolved(_ path: String) -> URL { URL(filePath: path).standardizedFileURL.resolvingSymlinksInPath() }
    guard let measurements, path != "-" else { return false }
    return resolved(path) == resolved(measurements)
  }

  private func write(_ confirmation: Confirmation) throws {
    switch format {
    case .table: try Console.write(confirmation.text)
    case .json:
      var record = confirmation.summaryRecord
      record.add("predictions", .list(confirmation.records.map(FieldValue.object)))
      try Console.write(record.json + "\n")
    case .jsonl: try Console.write(confirmation.records, format: .jsonl)
    case .csv: try Console.write(confirmation.records, format: .csv)
    }
  }

  private func recalibrate(_ confirmation: Confirmation, _ request: PredictionRequest, _ rows: [Measurement]) throws {
    guard let path = recalibrate else {
      if confirmation.asksForCalibration {
        Console.say(
          "The twin is off by more than its intervals allow: --recalibrate D.yaml fits it anew to --measurements and these"
            + " rows.")
      }
      return
    }
    let calibrator = Calibrator(
      file: request.file, runtime: request.runtime, program: "edgetwin \(Program.version)")
    let (file, report) = try calibrator.calibrate(rows)
    try Console.write(file.encodedYAML(), to: path)
    Console.say(report.summary.trimmingCharacters(in: .newlines))
  }
}
