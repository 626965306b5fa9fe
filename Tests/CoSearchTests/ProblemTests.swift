import Architectures
import Foundation
import Testing
import Twins

@testable import CoSearch

@Suite struct ProblemTests {
  static let text = """
    schema: edgetwin.problem/1
    space: flexibert2
    devices: [rpi4-cpu, ncs2]
    batch_size: 1
    sequence_length: 128
    precision: fp32
    objectives:
      - {name: accuracy, direction: maximize}
      - {name: latency_s, direction: minimise}
    budgets:
      max_latency_s: 0.5
      max_energy_j: 2
      max_power_w: 10
      max_parameters: 5e7
      max_memory_bytes: 1e9
      min_accuracy: 70
    confidence: 0.95
    reference_point: {latency_s: 1.5}
    scalar:
      weights: {accuracy: 0.75, latency_s: 0.25}
      scales: {accuracy: 100, latency_s: 2}
    """

  @Test func readsEverything() throws {
    let problem = try Problem.decode(Self.text, name: "p.yaml")
    #expect(problem.devices == ["rpi4-cpu", "ncs2"])
    #expect(problem.batchSize == 1 && problem.sequenceLength == 128 && problem.precision == .fp32)
    #expect(problem.objectives == [.accuracy, .latency])
    #expect(problem.budgets.maxLatencySeconds == 0.5 && problem.budgets.maxParameters == 5e7)
    #expect(problem.budgets.maxMemoryBytes == 1e9 && problem.budgets.minAccuracy == 70)
    #expect(problem.budgets.maxEnergyJoules == 2 && problem.budgets.maxPowerWatts == 10)
    #expect(problem.confidence == 0.95 && problem.referencePoint.latencySeconds == 1.5)
    #expect(problem.scalar?.weights.accuracy == 0.75 && problem.scalar?.scales.latencySeconds == 2)
    let again = try Problem.decode(problem.encoded(), name: "again")
    #expect(again == problem)
  }

  /// The budget as the objective is called, and directions as other optimisers call them.
  @Test func otherNames() throws {
    let text = Self.text.replacing("max_power_w", with: "max_peak_power_w").replacing(
      "direction: maximize", with: "direction: max")
    #expect(try Problem.decode(text, name: "p.yaml") == Problem.decode(Self.text, name: "p.yaml"))
    let wrong = text.replacing("max_peak_power_w: 10", with: "max_peak_power_w: ten")
    let error = #expect(throws: YAMLFileError.self) { try Problem.decode(wrong, name: "p.yaml") }
    #expect(error?.line == 13)
    let both = text.replacing("max_energy_j: 2", with: "max_power_w: 2")
    let twice = #expect(throws: YAMLFileError.self) { try Problem.decode(both, name: "p.yaml") }
    #expect(twice?.line == 13 && twice?.field == "budgets.max_peak_power_w")
  }

  @Test func fieldsThatMayBeMissing() throws {
    let problem = try Problem.decode(
      "schema: edgetwin.problem/1\nspace: s.yaml\ndevices: [a]\nobjectives: [{name: energy_j, direction: minimize}]\n",
      name: "p.yaml")
    #expect(problem.batchSize == nil && problem.precision == nil && problem.confidence == 0.5)
    #expect(problem.budgets == Budgets() && problem.scalar == nil && !problem.includesStartup)
  }

  /// What is replaced by what, the line and the field that the error must name, and a word of what it must say.
  @Test(arguments: [
    ("edgetwin.problem/1", "edgetwin.problem/2", 1, "schema", "newer"),
    ("edgetwin.problem/1", "edgetwin.device/1", 1, "schema", "expected"),
    ("devices: [rpi4-cpu, ncs2]", "devices: []", 3, "devices", "at least one"),
    ("devices: [rpi4-cpu, ncs2]", "devices: [ncs2, ncs2]", 3, "devices.1", "twice"),
    ("devices: [rpi4-cpu, ncs2]", "devices: 3", 3, "devices", "is not"),
    ("batch_size: 1", "batch_size: 0", 4, "batch_size", "within"),
    ("batch_size: 1", "batch_size: many", 4, "batch_size", "whole number"),
    ("sequence_length: 128", "sequence_length: 1000000", 5, "sequence_length", "within"),
    ("precision: fp32", "precision: fp8", 6, "precision", "fp16"),
    ("name: accuracy", "name: speed", 8, "objectives.0.name", "latency_s"),
    ("direction: maximize", "direction: minimize", 8, "objectives.0.direction", "maximized"),
    ("direction: minimise", "direction: up", 9, "objectives.1.direction", "maximize or minimize"),
    ("name: latency_s, ", "name: accuracy, ", 9, "objectives.1.name", "twice"),
    ("max_latency_s: 0.5", "max_latency_s: -1", 11, "budgets.max_latency_s", "positive"),
    ("max_energy_j: 2", "max_energie_j: 2", 12, "budgets.max_energie_j", "unknown"),
    ("min_accuracy: 70", "min_accuracy: 170", 16, "budgets.min_accuracy", "points"),
    ("confidence: 0.95", "confidence: 95", 17, "confidence", "probability"),
    ("{latency_s: 1.5}", "{energy_j: 1.5}", 18, "reference_point.energy_j", "not an objective"),
    ("{latency_s: 1.5}", "{latency_s: .inf}", 18, "reference_point.latency_s", "positive"),
    ("latency_s: 0.25}", "latency_s: -0.25}", 20, "scalar.weights.latency_s", "at least 0"),
    ("latency_s: 2}", "latency_s: 0}", 21, "scalar.scales.latency_s", "positive"),
    ("{accuracy: 100, ", "{", 21, "scalar.scales", "no scale"),
    ("space: flexibert2", "space: flexibert2\nbudget: 3", 3, "budget", "unknown"),
  ])
  func errorsNameThePlace(_ from: String, _ to: String, _ line: Int, _ field: String, _ word: String) throws {
    try #require(Self.text.contains(from))
    let error = #expect(throws: YAMLFileError.self) {
      try Problem.decode(Self.text.replacingOccurrences(of: from, with: to), name: "p.yaml")
    }
    #expect(error?.file == "p.yaml")
    #expect(error?.line == line, "\(error?.description ?? "")")
    #expect(error?.field == field, "\(error?.description ?? "")")
    #expect(error?.problem.contains(word) == true, "\(error?.description ?? "")")
  }

  @Test func spacesAreFoundBesideTheProblem() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "edgetwin-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var choices = DesignSpace.Choices.flexibert2
    choices.layerCounts = [2, 3]
    let space = try DesignSpace(choices)
    try space.yaml.write(to: folder.appending(path: "s.yaml"), atomically: true, encoding: .utf8)
    #expect(try Problem(space: "s.yaml", devices: ["a"]).designSpace(relativeTo: folder) == space)
    #expect(throws: YAMLFileError.self) {
      try Problem(space: "absent.yaml", devices: ["a"]).designSpace(relativeTo: folder)
    }
  }

  @Test func problemsInCodeAreCheckedToo() {
    var problem = Problem(devices: ["a"])
    #expect(throws: Never.self) { try problem.validate() }
    problem.budgets.maxLatencySeconds = .infinity
    let error = #expect(throws: SearchError.self) { try problem.validate() }
    #expect(error == .invalidProblem(field: "budgets.max_latency_s", problem: "must be positive, not inf"))
  }

  @Test func shippedProblemsAreValid() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "benchmarks/problems")
    for name in ["published", "edge-tight", "edge-loose"] {
      let file = folder.appending(path: "\(name).yaml")
      let problem = try Problem.decode(String(contentsOf: file, encoding: .utf8), name: file.path)
      #expect(problem.devices.count >= 6)
      #expect(try problem.designSpace(relativeTo: nil) == .flexibert2)
    }
    let published = try Problem.decode(
      String(contentsOf: folder.appending(path: "published.yaml"), encoding: .utf8), name: "published")
    // P of EdgeTran by hand: 0.5·0.8 + 0.2·(1 − 0.5/1000) + 0.2·(1 − 2/2000) + 0.1·(1 − 30/300).
    let values = ObjectiveValues(accuracy: 80, latencySeconds: 0.5, energyJoules: 2, peakPowerWatts: 30)
    let p = 0.5 * 0.8 + 0.2 * (1 - 0.5 / 1000) + 0.2 * (1 - 2 / 2000.0) + 0.1 * (1 - 30 / 300.0)
    #expect(abs((published.scalar?.value(values) ?? .nan) - (1 - p)) < 1e-12)
  }
}
