import Foundation
import Testing
import Twins
import Workbench

@Suite struct DeviceTests {
  @Test func pathsAndIdentifiers() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "edgetwin-\(UUID().uuidString)")
    let models = folder.appending(path: "share/edgetwin/device-models")
    try FileManager.default.createDirectory(at: models, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let installed = DeviceLibrary.standard(
      environment: [:], executable: folder.appending(path: "bin/edgetwin").path, workingFolder: "/")
    #expect(installed.folders.map { URL(filePath: $0).lastPathComponent } == ["device-models"])
    #expect(installed.folders[0].contains("share/edgetwin"))
    let named = DeviceLibrary.standard(environment: ["EDGETWIN_DEVICES": "/a:/b"], executable: nil, workingFolder: "/")
    #expect(named.folders == ["/a", "/b"])
    let here = DeviceLibrary.standard(environment: [:], executable: nil, workingFolder: "/here")
    #expect(here.folders == ["/here/device-models"])
    #expect(throws: TwinError.self) { try installed.entry("toaster") }
  }

  @Test func aRegimeMovesLatencyAndTheEnergyOfItsStretch() throws {
    let file = try moving(latency: [(0, 9, 1), (10, 19, 1.5)], energy: [(0, 11, 1), (12, 19, 2)])
    func levels(_ choice: RegimeChoice) throws -> [Double] {
      let model = try file.moved(to: choice, runtime: "protran").runtimes["protran"]?.model
      return [model?.latency.logLevel ?? .nan, model?.energy.logLevel ?? .nan, model?.peakPower.logLevel ?? .nan]
    }
    #expect(try levels(.typical) == [0, 0, 0])
    #expect(try levels(.latest) == [log(1.5), log(2), 0])
    #expect(try levels(.index(0)) == [0, 0, 0])
    #expect(throws: RegimeError.self) { try file.moved(to: .index(2), runtime: "protran") }
    #expect(RegimeChoice("latest") == .latest && RegimeChoice("1") == .index(1))
    #expect(RegimeChoice("-1") == nil && RegimeChoice("new") == nil)
  }

  private func moving(
    latency: [(Int, Int, Double)], energy: [(Int, Int, Double)]
  ) throws -> DeviceFile {
    func measure(_ unit: String, _ regimes: [(Int, Int, Double)]) -> MeasureModel {
      MeasureModel(
        unit: unit,
        forms: [
          LinearForm(
            name: "F", coefficients: [Coefficient(feature: .constant, value: 1, unit: unit, provenance: .fitted)])
        ], regimes: regimes.map { Regime(first: $0.0, last: $0.1, rows: $0.1 - $0.0 + 1, factor: $0.2) },
        spread: Spread(prior: 0.1, degreesOfFreedom: 5))
    }
    func fact(_ value: Double, _ unit: String) -> Fact {
      Fact(value: value, unit: unit, provenance: .assumed, source: "test")
    }
    let device = Device(
      id: "test", name: "Test", deviceClass: .cpu, cores: nil, clock: fact(1e9, "Hz"),
      host: .init(core: "x", clock: fact(1e9, "Hz"), workPerCycle: fact(1, "1")),
      compute: .init(fp32: fact(1e10, "FLOP/s")),
      memory: .init(bandwidth: fact(1e10, "B/s"), capacity: fact(1e9, "B"), overflow: .page),
      power: .init(idle: fact(1, "W"), maximum: fact(2, "W"), scope: .board))
    let model = TwinModel(
      latency: measure("s", latency), energy: measure("J", energy), peakPower: measure("W", []), fit: nil)
    return DeviceFile(
      device: device, runtimes: ["protran": .init(variant: .protranEager, model: model)])
  }
}
