import Architectures
import ArgumentParser
import CoSearch
import Foundation
import Twins
import Workbench

/// Budgets, as flags with units.
struct BudgetOptions: ParsableArguments {
  @Option(help: "Most seconds a sequence, such as 20ms.", transform: Quantities.seconds)
  var maxLatency: Double?

  @Option(help: "Most energy a sequence, such as 0.2J.", transform: Quantities.joules)
  var maxEnergy: Double?

  @Option(
    name: [.long, .customLong("max-peak-power")], help: "Most peak power, such as 10W.", transform: Quantities.watts)
  var maxPower: Double?

  @Option(help: "Most parameters, such as 12M.", transform: Quantities.count)
  var maxParameters: Double?

  @Option(help: "Most memory of the model, such as 500MB.", transform: Quantities.bytes)
  var maxMemory: Double?

  @Option(help: "Least predicted accuracy, in points such as 80.")
  var minAccuracy: Double?

  @Option(
    help: """
      Probability with which each budget is kept: 0.5 compares medians, 0.9 the far part of the interval.
      """)
  var confidence: Double?

  func validate() throws {
    if let minAccuracy, !(minAccuracy > 0 && minAccuracy < 100) {
      throw ValidationError("--min-accuracy must be above 0 and below 100 points, such as 80")
    }
    if let confidence, !(confidence >= 0.5 && confidence < 1) {
      throw ValidationError("--confidence must be from 0.5 to below 1, such as 0.9")
    }
  }

  /// Whether any was given.
  var isGiven: Bool {
    maxLatency != nil || maxEnergy != nil || maxPower != nil || maxParameters != nil || maxMemory != nil
      || minAccuracy != nil || confidence != nil
  }

  /// Puts what was given into a problem.
  func apply(to problem: inout Problem) {
    problem.budgets.maxLatencySeconds = maxLatency ?? problem.budgets.maxLatencySeconds
    problem.budgets.maxEnergyJoules = maxEnergy ?? problem.budgets.maxEnergyJoules
    problem.budgets.maxPowerWatts = maxPower ?? problem.budgets.maxPowerWatts
    problem.budgets.maxParameters = maxParameters ?? problem.budgets.maxParameters
    problem.budgets.maxMemoryBytes = maxMemory ?? problem.budgets.maxMemoryBytes
    problem.budgets.minAccuracy = minAccuracy ?? problem.budgets.minAccuracy
    problem.confidence = confidence ?? problem.confidence
  }
}

/// Where and at which settings a search looks.
struct PlaceOptions: ParsableArguments {
  @Option(help: "flexibert2, or the file of a design space (YAML).")
  var space: String?

  @Option(
    help: ArgumentHelp(
      "Devices by id or file, comma-separated; by default every calibrated one.", valueName: "a,b"),
    transform: listed)
  var devices: [String]?

  @Option(help: "Runtime of every device; by default each device's own.")
  var runtime: String?

  @Option(help: "Sequences in one call; by default what each twin was fitted on.")
  var batchSize: Int?

  @Option(help: "Tokens in a sequence; likewise.")
  var sequenceLength: Int?

  @Option(help: "fp32, fp16, bf16 or int8; likewise.")
  var precision: Precision?

  @Flag(help: "Times, energies and budgets with a share of the process's start-up; by default steady time.")
  var includeStartup = false

  @Option(
    help: ArgumentHelp(
      "What accuracies are predicted from: published scores, or measured=PATH, rows of accuracy measure; measured alone takes those in the folder accuracy.",
      valueName: "source"),
    transform: Self.accuracySource)
  var accuracy: AccuracySource?

  static func accuracySource(_ text: String) throws -> AccuracySource {
    guard let source = AccuracySource(text) else {
      throw ValidationError("\"\(text)\" is not published, measured, or measured=PATH")
    }
    return source
  }

  /// Whether any was given.
  var isGiven: Bool {
    accuracy != nil || space != nil || devices != nil || runtime != nil || batchSize != nil || sequenceLength != nil
      || precision != nil
      || includeStartup
  }

  func validate() throws {
    if let devices, devices.isEmpty { throw ValidationError("--devices names none; write a,b") }
  }

  func apply(to problem: inout Problem) {
    problem.accuracy = accuracy ?? problem.accuracy
    problem.space = space ?? problem.space
    problem.devices = devices ?? problem.devices
    problem.batchSize = batchSize ?? problem.batchSize
    problem.sequenceLength = sequenceLength ?? problem.sequenceLength
    problem.precision = precision ?? problem.precision
    problem.includesStartup = includeStartup || problem.includesStartup
  }

  /// The devices that are searched where none is named: the calibrated ones, or where there are none, all.
  static func standardDevices(_ library: DeviceLibrary) throws -> [String] {
    let entries = try library.entries()
    let calibrated = entries.filter { !$0.file.calibratedRuntimes.isEmpty }
    let chosen = calibrated.isEmpty ? entries : calibrated
    guard !chosen.isEmpty else {
      throw InputFileError(source: library.folders.joined(separator: ":"), problem: "holds no device file")
    }
    return chosen.map(\.file.device.id)
  }
}

/// How long a search goes on.
struct ExtentOptions: ParsableArguments {
  @Option(help: "Stop after so many candidates; the result is then the same on any number of threads.")
  var evaluations: Int?

  @Option(help: "Stop after so many seconds, such as 10.", transform: Quantities.duration)
  var seconds: Double?

  @Option(help: "Seed of the search; by default 1, or the study's.")
  var seed: UInt64?

  @Option(help: "Threads; by default one a core.")
  var threads: Int?

  func validate() throws {
    if evaluations != nil, seconds != nil { throw ValidationError("give --evaluations or --seconds, not both") }
    if let evaluations, evaluations < 1 { throw ValidationError("--evaluations must be 1 or more") }
    if let threads, !(1...1_024).contains(threads) { throw ValidationError("--threads must be from 1 to 1024") }
  }

  var threadCount: Int { threads ?? max(ProcessInfo.processInfo.activeProcessorCount, 1) }

  func extent(orSeconds standard: Double) -> Explorer.Extent {
    if let evaluations { return .evaluations(evaluations) }
    return .seconds(seconds ?? standard)
  }
}

/// Objectives by the names that people use, or those of files.
func parsedObjectives(_ text: String) throws -> [Objective] {
  let aliases: [String: Objective] = [
    "latency": .latency, "energy": .energy, "power": .peakPower, "peak_power": .peakPower, "peak-power": .peakPower,
  ]
  var result: [Objective] = []
  for name in listed(text) {
    guard let objective = Objective(rawValue: name) ?? aliases[name] else {
      throw ValidationError("\"\(name)\" is no objective; known are accuracy, latency, energy, peak_power, parameters")
    }
    guard !result.contains(objective) else { throw ValidationError("\(name) is named twice") }
    result.append(objective)
  }
  guard !result.isEmpty else { throw ValidationError("name at least one objective, such as accuracy,latency") }
  return result
}
