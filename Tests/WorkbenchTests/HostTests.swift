import Architectures
import Boards
import Foundation
import Kernels
import Measurements
import Numerics
import Testing
import Twins

import struct Measurements.Measurement

@testable import Workbench

@Suite struct HostTests {
  private var roofs: Roofs {
    Roofs(
      library: "test", products: [.init(m: 128, k: 256, n: 256, threads: 2, flopsPerSecond: 2e11)],
      streams: [.init(bytes: 1e8, threads: 2, bytesPerSecond: 2e10)], provenance: .measured)
  }

  private func state(cpu: String = "A CPU", cores: Int = 2) -> MachineState {
    var state = MachineState(SystemTree(root: "/nowhere"))
    (state.cpu, state.cores, state.memoryBytes, state.availableMemoryBytes) = (cpu, cores, 8e9, 6e9)
    state.clocksHertz = [2.5e9]
    return state
  }

  @Test func factsSayWhereTheyAreFrom() throws {
    let file = HostFacts.file(state: state(), roofs: roofs)
    #expect(try DeviceFile(yaml: file.encodedYAML(), name: "host.yaml") == file)
    let device = file.device
    #expect(device.compute.fp32?.value == 2e11 && device.compute.fp32?.provenance == .measured)
    #expect(device.memory.bandwidth.value == 2e10 && device.memory.availableBytes == 6e9)
    #expect(device.clock.value == 2.5e9 && device.power.idle.provenance == .assumed)
    // What cores add that were not measured is an assumption.
    let wide = HostFacts.file(state: state(cores: 8), roofs: roofs).device.compute.fp32
    #expect(wide?.value == 8e11 && wide?.provenance == .assumed)
  }

  @Test func samplesAreSpreadOverLatency() throws {
    let twin = try Twin(file: HostFacts.file(state: state(), roofs: roofs), runtime: "native")
    let sample = HostSample(twin: twin, seed: 4)
    let models = sample.draw(32)
    #expect(models == sample.draw(32) && models != HostSample(twin: twin, seed: 5).draw(32))
    #expect(models.count == 32 && Set(models.map(\.id)).count == models.count)
    let times = try models.map { try twin.predict($0).costs.latencySeconds.median }
    #expect(times == times.sorted())
    #expect((times.last ?? 0) / (times.first ?? 1) > 100)
    #expect(Statistics.median(times) < 0.3 * (times.last ?? 0))
    let others = sample.draw(8, excluding: Set(models.map(\.id)))
    #expect(!others.contains { models.contains($0) })
    let short = HostSample(twin: twin, seed: 4, longestSeconds: times[16]).draw(8)
    // With strata that hold no model, those that take their place are not all of one size.
    let many = HostSample(twin: twin, seed: 4).draw(400)
    let logs = try many.map { log(try twin.predict($0).costs.latencySeconds.median) }
    #expect(many.count == 400)
    #expect(Statistics.median(logs) - logs[0] > 0.3 * (logs[399] - logs[0]))
    #expect(try short.allSatisfy { try twin.predict($0).costs.latencySeconds.median <= 1.001 * times[16] })
  }

  @Test func roofsOfASmallSpace() throws {
    let space = try DesignSpace(
      DesignSpace.Choices(
        layerCounts: [1, 2], hiddenSizes: [32, 64], headCounts: [2], operations: [.scaledDotProduct, .convolution5],
        feedForwardWidths: [64], maximumFeedForwardStack: 1))
    var measurer = RoofMeasurer(space: space, threads: [1], seconds: 60, cacheBytes: 1e6)
    measurer.maximumRounds = 1
    let found = try measurer.measure()
    #expect(found.callSeconds != nil && found.headSeconds != nil && found.dispatch.count == 1)
    #expect(Set(found.elementwise.map(\.kernel)) == Set(Roofs.Elementwise.Kernel.allCases))
    #expect(found.streams.count > 3 && !found.heads.isEmpty && !found.products.isEmpty)
    #expect(Set(found.heads.map(\.operation)) == [.scaledDotProduct, .convolution5])
    let file = HostFacts.file(state: state(), roofs: found)
    // Files hold fewer digits.
    let read = try #require(try DeviceFile(yaml: file.encodedYAML(), name: "host.yaml").device.roofs)
    #expect(read.products.count == found.products.count && read.heads.count == found.heads.count)
    #expect(found.paces.map(\.threads) == [1] && found.paces[0].seconds > 1e-6)
    #expect(abs(read.paces[0].seconds / found.paces[0].seconds - 1) < 1e-9)
    for (a, b) in zip(read.heads, found.heads) {
      #expect(a.operation == b.operation && abs(a.seconds / b.seconds - 1) < 1e-9)
    }
    measurer.shouldStop = { true }
    #expect(try measurer.measure().products.isEmpty)
  }

  /// A row of cores that were a third slower is compared at the twin's pace, within an interval that grants the gauge its error.
  @Test func whatThePaceLeavesOpenIsInTheInterval() throws {
    var slow = roofs
    slow.paces = [.init(threads: 1, seconds: 0.001)]
    let file = HostFacts.file(state: state(), roofs: slow)
    var random = CounterRandom(seed: 1)
    let architecture = DesignSpace.flexibert2.architecture(of: DesignSpace.flexibert2.randomPoint(using: &random))
    func pair(_ pace: String?, openShare: Double = 0.25) throws -> PredictedAgainstMeasured {
      var row = Measurement(
        architecture: architecture, device: file.device.id, runtime: "native", batchSize: 1, sequenceLength: 128,
        precision: "fp32", threads: 1, latencySeconds: 0.02)
      row.environment = ["latency_statistic": "fastest", "matrix_library": "test"]
      row.environment["pace_s"] = pace
      return try #require(try HostCalibration.pair(file, row, openShare: openShare))
    }
    let (calm, slowed) = (try pair("0.001"), try pair("0.0013333333"))
    #expect(try pair(nil).predicted == calm.predicted && calm.measuredSeconds == 0.02)
    #expect(abs(slowed.measuredSeconds / 0.015 - 1) < 1e-6)
    #expect(try pair("0.0013333333", openShare: 0).predicted == calm.predicted)
    #expect(slowed.predicted.median == calm.predicted.median)
    let added = 1.6448536 * 0.25 * log(4 / 3.0)
    for bound in [\Estimate.lower, \Estimate.upper] {
      func half(_ pair: PredictedAgainstMeasured) -> Double {
        abs(log(pair.predicted[keyPath: bound] / pair.predicted.median))
      }
      #expect(abs(half(slowed) / hypot(half(calm), added) - 1) < 1e-6)
    }
  }

  @Test func aTwinOfAnotherMachineIsNotTaken() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "host-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let cache = HostTwinCache(environment: ["XDG_DATA_HOME": folder.path])
    #expect(cache.path == folder.path + "/edgetwin/host.yaml")
    #expect(HostTwinCache(environment: ["HOME": "/home/a"]).path == "/home/a/.local/share/edgetwin/host.yaml")
    #expect(cache.file(for: state()) == nil)
    // Without a calibration it is of no use.
    try cache.store(HostFacts.file(state: state(), roofs: roofs))
    #expect(cache.file(for: state()) == nil)
  }
}
