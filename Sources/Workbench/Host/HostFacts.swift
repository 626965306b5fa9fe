import Architectures
import Boards
import Foundation
import Twins

/// The facts of this machine, as far as the system tells them and its roofs show them.
public enum HostFacts {
  /// What rows and the device file call this machine.
  public static let deviceID = "local"

  /// What the processor is called.
  static func core(_ state: MachineState) -> String { state.cpu ?? "of unknown make" }

  /// - Parameters:
  ///   - id: of the device.
  ///   - roofs: measured on this machine.
  public static func file(id: String = deviceID, state: MachineState = MachineState(), roofs: Roofs) -> DeviceFile {
    func fact(_ value: Double, _ unit: String, _ provenance: Fact.Provenance, _ source: String) -> Fact {
      Fact(value: value, unit: unit, provenance: provenance, source: source)
    }
    let cores = max(state.cores, 1)
    let clock =
      state.clocksHertz.max().map { fact($0, "Hz", .measured, "as the system gave it while roofs were measured") }
      ?? fact(2e9, "Hz", .assumed, "the system does not say")
    let most = roofs.products.map(\.threads).max() ?? 1
    func rate(_ precision: Precision) -> Fact? {
      let products = roofs.products.filter { $0.threads == most && $0.precision == precision }
      guard let peak = products.map(\.flopsPerSecond).max() else { return nil }
      let what = "fastest matrix product\(precision == .fp32 ? "" : " in \(precision.rawValue)")"
      return cores <= most
        ? fact(peak, "FLOP/s", .measured, "\(what) on \(most) threads")
        : fact(
          peak * Double(cores) / Double(most), "FLOP/s", .assumed,
          "\(what) on \(most) of \(cores) cores, times what the others are expected to add")
    }
    let stream = roofs.streams.filter { $0.threads == most }.max { $0.bytes < $1.bytes }
    let bandwidth =
      stream.map {
        fact(
          $0.bytesPerSecond, "B/s", .measured, "copying \(Int($0.bytes / 1e6)) MB on \(most) threads, both ways counted"
        )
      } ?? fact(1e10, "B/s", .assumed, "nothing was measured")
    let capacity =
      state.memoryBytes.map { fact($0, "B", .measured, "MemTotal of /proc/meminfo") }
      ?? fact(4e9, "B", .assumed, "the system does not say")
    let reserved = state.availableMemoryBytes.flatMap { available -> Fact? in
      guard let total = state.memoryBytes, available < total else { return nil }
      return fact(total - available, "B", .measured, "in use when roofs were measured")
    }
    let watts = "no meter can be read: assumed for a processor of this size"
    return DeviceFile(
      device: Device(
        id: id, name: state.cpu.map { "\($0), \(cores) cores (this machine)" } ?? "this machine", deviceClass: .cpu,
        cores: fact(Double(cores), "1", .measured, "as the system counts them"), clock: clock,
        host: .init(
          core: core(state), clock: clock,
          workPerCycle: fact(0.4, "1", .assumed, "as server cores; roofs stand for it where they were measured")),
        compute: .init(
          fp32: rate(.fp32) ?? fact(2e10 * Double(cores), "FLOP/s", .assumed, "nothing was measured"),
          int8: rate(.int8)),
        memory: .init(bandwidth: bandwidth, capacity: capacity, reserved: reserved, overflow: .error),
        power: .init(
          idle: fact(2 * Double(cores), "W", .assumed, watts), maximum: fact(10 * Double(cores), "W", .assumed, watts),
          scope: .package), roofs: roofs), runtimes: ["native": .init(variant: .native)])
  }
}

extension MachineState {
  /// Bytes of the largest cache that core 0 has a share of; nil where the system does not say.
  public static func lastCacheBytes(_ root: String = "/sys/devices/system/cpu/cpu0/cache") -> Double? {
    let sizes = (0..<8).compactMap { index -> Double? in
      guard let data = FileManager.default.contents(atPath: "\(root)/index\(index)/size") else { return nil }
      let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
      let unit: Double = text.hasSuffix("K") ? 1_024 : text.hasSuffix("M") ? 1_048_576 : 1
      return Double(text.trimmingCharacters(in: .letters)).map { $0 * unit }
    }
    return sizes.max()
  }
}
