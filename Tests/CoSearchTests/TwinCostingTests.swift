import Accuracy
import Architectures
import Foundation
import Numerics
import Testing
import Twins

@testable import CoSearch

@Suite struct TwinCostingTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "device-models")

  static func costing(_ device: String, level: Double = 0.9) throws -> (TwinCosting, Twin) {
    let file = folder.appending(path: "\(device).yaml")
    let text = try String(contentsOf: file, encoding: .utf8)
    let twin = try Twin(file: DeviceFile(yaml: text, name: file.path), runtime: "protran")
    return (TwinCosting(CompiledTwin(twin, level: level), deviceID: device, space: .flexibert2), twin)
  }

  @Test(arguments: ["ncs2", "rpi4-cpu"]) func saysWhatTheTwinSays(device: String) throws {
    let (costing, twin) = try Self.costing(device)
    var random = CounterRandom(seed: 31)
    let points = (0..<100).map { _ in DesignSpace.flexibert2.randomPoint(using: &random) }
    var costs: [CostEstimate] = []
    var bytes: [Double] = []
    costing.costs(of: points, into: &costs)
    costing.memoryBytes(of: points, into: &bytes)
    #expect(costs.count == points.count && bytes.count == points.count)
    for (index, point) in points.enumerated() {
      let architecture = DesignSpace.flexibert2.architecture(of: point)
      let expected = twin.costs(of: twin.features(of: architecture), level: 0.9)
      #expect(abs(costs[index].energyJoules.upper / expected.energyJoules.upper - 1) < 1e-6)
      #expect(abs(bytes[index] / MemoryNeed(architecture, settings: twin.settings).totalBytes - 1) < 1e-12)
    }
    #expect(costing.memoryLimitBytes == (device == "ncs2" ? twin.device.memory.availableBytes : nil))
    #expect(costing.powerScope == twin.device.power.scope && costing.intervalLevel == 0.9)
  }

  @Test func aSearchOverRealDeviceFiles() async throws {
    let problem = Problem(
      devices: ["rpi4-cpu", "ncs2"], objectives: [.accuracy, .latency, .energy, .peakPower])
    let devices = try problem.devices.map { try Self.costing($0).0 }
    let evaluator = try CandidateEvaluator(
      problem: problem, space: .flexibert2, devices: devices, accuracy: .fitted())
    let result = try await Explorer(evaluator).explore(.evaluations(4_000), seed: 1, threads: 2)
    #expect(result.front.count > 20 && result.hypervolume > 0)
    for candidate in result.front where candidate.device == "ncs2" {
      var bytes: [Double] = []
      devices[1].memoryBytes(of: [candidate.point], into: &bytes)
      #expect(bytes[0] <= devices[1].memoryLimitBytes ?? 0)
    }
  }
}
