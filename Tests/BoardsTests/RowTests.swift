import Architectures
import Foundation
import Measurements
import Testing

import struct Measurements.Measurement

@testable import Boards

/// A runtime of fake workloads.
private struct FakeRuntime: BoardRuntime {
  let name = "fake"
  let precisions = ["fp32"]
  let clock: FakeClock
  var bytes = 1e6
  var failing: String?
  let made = Made()

  final class Made {
    var prepared = 0
    var most = 0
  }

  func workload(_ architecture: Architecture, settings: RunSettings) throws -> any RunnableWorkload {
    if architecture.id == failing { throw BoardError.cannotRun(architecture: architecture.id, problem: "no") }
    let seconds = 1e-3 * Double(architecture.layers.count * settings.batchSize)
    let workload = FakeWorkload(architecture.id, clock) { _, call in seconds * (call % 10 == 0 ? 1.02 : 1) }
    workload.memoryBytes = bytes
    let made = made
    workload.log = { text in
      if text.hasPrefix("prepare") { made.prepared += 1 }
      if text.hasPrefix("release") { made.prepared -= 1 }
      made.most = max(made.most, made.prepared)
    }
    return workload
  }
}

@Suite struct RunTests {
  private func run(_ runtime: FakeRuntime, budget: Double? = nil, limit: Int = 32) throws -> MeasurementRun {
    MeasurementRun(
      device: "d", runtime: runtime,
      settings: RunSettings(batchSize: 4, sequenceLength: 64, threads: 2),
      measurer: SeriesMeasurer(plan: MeasuringProtocol(repeats: 5), clock: runtime.clock), cores: [0, 1],
      environment: ["program": "p"], tree: SystemTree(root: "/nowhere"), memoryBudgetBytes: budget, groupLimit: limit,
      now: { Date(timeIntervalSince1970: 1_700_000_000) })
  }

  @Test func rowsAreWhatTheFormatSays() throws {
    let runtime = FakeRuntime(clock: FakeClock())
    let models = [architecture(layers: 2), architecture(layers: 6), architecture(layers: 4)]
    var rows: [Measurement] = []
    let report = try run(runtime).measure(models, firstOrder: 10) { rows.append($1) }
    #expect(rows.map(\.order) == [10, 11, 12] && report.measured == 3 && !report.wasStopped)
    for (model, row) in zip(models, rows) {
      #expect(row.architecture == model && row.device == "d" && row.runtime == "fake")
      #expect(row.batchSize == 4 && row.sequenceLength == 64 && row.threads == 2 && row.precision == "fp32")
      let call = 4e-3 * Double(model.layers.count)
      #expect(abs((row.batchLatencySeconds ?? 0) / call - 1) < 1e-6)
      #expect(abs((row.latencySeconds ?? 0) * 4 / call - 1) < 1e-6)
      #expect((row.latencyP95Seconds ?? 0) >= (row.latencySeconds ?? 1) && (row.spreadSeconds ?? -1) >= 0)
      #expect(row.energyJoules == nil && row.meter == nil && row.powerScope == nil)
      #expect(row.measuredAt?.hasPrefix("2023-11-14T22:13:2") == true && row.measuredAt?.hasSuffix("Z") == true)
      #expect(row.environment["repeats"] == "5" && row.environment["program"] == "p")
      #expect(row.environment["pinned_cores"] == "0 1" && row.environment["steady"] == "yes")
      #expect(row.environment["drift"] != nil && row.environment["noise_floor"] != nil)
      let again = try #require(MeasurementFile.read(bytes: [UInt8](row.jsonLine.utf8), source: "m").first)
      #expect(again == row)
    }
    #expect(report.repeats == 15 && report.summary.hasPrefix("measured 3 architectures in "))
  }

  @Test func memoryLimitsWhatIsThereTogether() throws {
    let models = (1...7).map { architecture(layers: $0) }
    let small = FakeRuntime(clock: FakeClock())
    var order: [Int] = []
    _ = try run(small, budget: 3.5e6).measure(models) { index, _ in order.append(index) }
    #expect(order == Array(0..<7) && small.made.most == 3 && small.made.prepared == 0)
    let large = FakeRuntime(clock: FakeClock(), bytes: 9e6)
    #expect(try run(large, budget: 3.5e6).measure(models) { _, _ in }.measured == 7)
    #expect(large.made.most == 1)
    let limited = FakeRuntime(clock: FakeClock())
    _ = try run(limited, limit: 2).measure(models) { _, _ in }
    #expect(limited.made.most == 2)
  }

  @Test func whatDoesNotFitIsNamed() throws {
    let recorded = try RecordedTree(["proc/meminfo": "MemTotal: 2000 kB\nMemAvailable: 500 kB"])
    defer { recorded.remove() }
    let runtime = FakeRuntime(clock: FakeClock(), failing: architecture(layers: 3).id)
    var one = try run(runtime)
    one.tree = recorded.tree
    let models = [architecture(layers: 2), architecture(layers: 3)]
    let report = try one.measure(models) { _, _ in Issue.record("nothing fits") }
    #expect(report.failures.map(\.index) == [0, 1] && report.measured == 0)
    let message = report.failures[0].error.description
    #expect(message.contains(models[0].id) && message.contains("needs about 1 MB") && message.contains("--batch-size"))
  }

  @Test func stoppingWritesWhatThereIs() throws {
    let clock = FakeClock()
    var one = try run(FakeRuntime(clock: clock), limit: 2)
    one.measurer.plan.repeats = 100
    one.measurer.shouldStop = { clock.now() > 1_003 }
    var rows = 0
    let report = try one.measure((1...6).map { architecture(layers: $0) }) { _, row in
      rows += 1
      #expect((row.environment["repeats"].flatMap { Int($0) } ?? 0) < 100)
    }
    #expect(report.wasStopped && rows == report.measured && rows > 0 && rows < 6)
  }

  @Test func measuringThreadKeepsItsCores() async throws {
    let cores = Array(CoreAffinity.allowed.suffix(1))
    let seen = try await MeasuringThread.run(cores: cores) { _ in CoreAffinity.allowed }
    #expect(cores.isEmpty || seen == cores)
    await #expect(throws: FakeFailure.self) { try await MeasuringThread.run(cores: []) { _ in throw FakeFailure() } }
    let task = Task {
      try await MeasuringThread.run(cores: []) { flag in
        while !flag.isSet { Thread.sleep(forTimeInterval: 0.001) }
        return "stopped"
      }
    }
    task.cancel()
    #expect(try await task.value == "stopped")
  }
}

@Suite struct AppenderTests {
  private let path = FileManager.default.temporaryDirectory.appending(path: "edgetwin-\(UUID().uuidString).jsonl").path

  private func row(_ order: Int) -> Measurement {
    Measurement(
      architecture: architecture(), device: "d", runtime: "r", batchSize: 1, sequenceLength: 8, precision: "fp32",
      order: order, latencySeconds: 0.5)
  }

  @Test func rowsAreThereAtOnceAndAreKept() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    let first = try MeasurementAppender(path: path, resumes: true)
    try first.append(row(0))
    #expect(try MeasurementFile.read(path) == [row(0)])
    try first.append(row(1))
    // A crash cut the last line off.
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(row(2).jsonLine.utf8.prefix(40)))
    let second = try MeasurementAppender(path: path, resumes: true)
    #expect(second.existing == [row(0), row(1)])
    try second.append(row(3))
    #expect(try MeasurementFile.read(path).map(\.order) == [0, 1, 3])
    let third = try MeasurementAppender(path: path, resumes: false)
    #expect(third.existing.isEmpty)
    try third.append(row(7))
    #expect(try MeasurementFile.read(path).map(\.order) == [7])
  }

  @Test func nothingIsLostBeforeTheFirstRow() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    try MeasurementAppender(path: path, resumes: false).append(row(0))
    _ = try MeasurementAppender(path: path, resumes: false)
    #expect(try MeasurementFile.read(path) == [row(0)])
  }

  @Test func whatCannotBeWrittenIsSaid() throws {
    #expect(throws: InputFileError.self) { try MeasurementAppender(path: "/nowhere/m.jsonl", resumes: false) }
    #expect(throws: InputFileError.self) { try MeasurementAppender(path: "-", resumes: true) }
    try Data("{}\n".utf8).write(to: URL(filePath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(throws: InputFileError.self) { try MeasurementAppender(path: path, resumes: true) }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "{}\n")
  }
}

@Suite struct NativeTests {
  @Test func modelsOfThisProjectRun() throws {
    let settings = RunSettings(batchSize: 2, sequenceLength: 16, threads: 1)
    let workload = try NativeRuntime().workload(architecture(), settings: settings)
    let plan = MeasuringProtocol(
      repeats: 3, repeatSeconds: 0.002, warmUp: MeasuringProtocol.WarmUp(windowSeconds: 0.001, maximumSeconds: 0.3))
    var profiled = plan
    profiled.profiles = 3
    let result = SeriesMeasurer(plan: profiled).measure([workload])
    let one = try #require(result.results[0])
    #expect(one.summary.medianSeconds > 1e-6 && one.summary.repeats == 3)
    #expect(workload.environment["matrix_library"]?.isEmpty == false)
    let layers = Set(one.profile.compactMap(\.layer))
    #expect(layers == [0, 1] && one.profile.contains { $0.kernelClass == "feed_forward" })
    #expect(throws: BoardError.self) {
      try NativeRuntime().workload(
        architecture(), settings: RunSettings(batchSize: 1, sequenceLength: 8, threads: 1, precision: "fp16"))
    }
    let long = SeriesMeasurer(plan: plan).measure([
      try NativeRuntime().workload(
        architecture(positions: 8), settings: settings)
    ])
    #expect(long.failures[0]?.description.contains("maximum_positions") == true)
  }

  @Test func mediansOfProfiles() {
    func profile(_ seconds: [Double]) -> [TimedKernel] {
      seconds.enumerated().map {
        TimedKernel(name: "\($0)", kernelClass: "c", layer: nil, startSeconds: 9, durationSeconds: $1)
      }
    }
    let median = TimedKernel.median([profile([1, 2]), profile([3, 9]), profile([2, 4])])
    #expect(median.map(\.durationSeconds) == [2, 4] && median.map(\.startSeconds) == [0, 2])
    #expect(TimedKernel.median([]).isEmpty && TimedKernel.median([profile([1]), profile([1, 2])]).count == 1)
  }
}

@Suite struct PythonTests {
  static let python = ["/usr/bin/python3", "/usr/local/bin/python3"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  private struct Ask: Encodable { var value: Int }
  private struct Answer: Decodable { var double: Int }

  @Test(.enabled(if: python != nil, "there is no python3"))
  func linesAreExchanged() throws {
    let script = """
      import json, sys
      for line in sys.stdin:
          value = json.loads(line)["value"]
          if value == 7: sys.exit("seven is right out")
          print(json.dumps({"error": "odd"} if value % 2 else {"double": 2 * value}), flush=True)
      """
    let runner = try PythonRunner(python: try #require(Self.python), script: script, runtime: "r")
    defer { runner.close() }
    #expect(try runner.ask(Ask(value: 4), Answer.self).double == 8)
    do {
      _ = try runner.ask(Ask(value: 3), Answer.self, subject: "x")
      Issue.record("3 is odd")
    } catch { #expect(error == .cannotRun(architecture: "x", problem: "r: odd")) }
    #expect(try runner.ask(Ask(value: 6), Answer.self).double == 12)
    do {
      _ = try runner.ask(Ask(value: 7), Answer.self)
      Issue.record("the process ended")
    } catch { #expect(error.description == "runtime r: its process ended: seven is right out") }
  }

  @Test func whatIsMissingIsSaid() throws {
    let environment = PythonEnvironment(
      runtime: "r", packages: [], environment: ["XDG_DATA_HOME": "/nowhere", "EDGETWIN_PYTHON": ""])
    #expect(environment.python == "/nowhere/edgetwin/r/bin/python3" && !environment.isInstalled)
    #expect(
      PythonEnvironment(runtime: "r", packages: [], environment: ["HOME": "/h", "EDGETWIN_PYTHON": "/p"]).python == "/p"
    )
    #expect(
      PythonEnvironment(runtime: "r", packages: [], environment: ["HOME": "/h"]).folder == "/h/.local/share/edgetwin/r")
    do {
      _ = try ONNXRuntime(environment) { _, _ in }
      Issue.record("nothing is there")
    } catch { #expect(error.description.contains("edgetwin runtime install onnxruntime")) }
  }
}
