import Foundation

/// What a machine is, and how it was when it was looked at: what must be known to judge a measured time.
public struct MachineState: Sendable, Hashable {
  public var cpu: String?
  /// Name of the board or machine.
  public var board: String?
  /// Of the instruction sets that decide how fast matrices are multiplied, those that the CPU has.
  public var instructionSets: [String]
  public var cores: Int
  public var threadsPerCore: Int?
  public var kernel: String?
  public var memoryBytes: Double?
  public var availableMemoryBytes: Double?
  /// Of each core that was asked for, where readable.
  public var clocksHertz: [Double]
  public var governors: [String]
  public var isBoosting: Bool?
  /// Mean number of runnable tasks over the last minute.
  public var load: Double?
  /// The hottest zone, in degrees Celsius, and its name.
  public var temperature: Double?
  public var hottestZone: String?
  /// Share of all processor time since the machine started that a hypervisor gave to others.
  public var stolenShare: Double?

  /// Reads the state.
  /// - Parameters:
  ///   - tree: where the kernel's files are.
  ///   - cores: those whose clocks and governors matter; nil for all.
  public init(_ tree: SystemTree = SystemTree(), cores: [Int]? = nil) {
    let info = CPUInfo(tree.text("proc/cpuinfo") ?? "")
    cpu = info.name ?? Self.darwinCPU
    board = tree.text("proc/device-tree/model") ?? tree.text("sys/devices/virtual/dmi/id/product_name")
    instructionSets = info.instructionSets
    let cpus = "sys/devices/system/cpu"
    self.cores = info.count > 0 ? info.count : ProcessInfo.processInfo.processorCount
    threadsPerCore = tree.text("\(cpus)/cpu0/topology/thread_siblings_list").map { SystemTree.cores($0).count }
    kernel = tree.text("proc/sys/kernel/osrelease")
    let memory = Self.table(tree.text("proc/meminfo") ?? "")
    memoryBytes = memory["MemTotal"].map { $0 * 1_024 }
    availableMemoryBytes = memory["MemAvailable"].map { $0 * 1_024 }
    let asked = cores ?? Array(0..<self.cores)
    clocksHertz = asked.compactMap { core in
      tree.number("\(cpus)/cpu\(core)/cpufreq/scaling_cur_freq").map { $0 * 1e3 }
        ?? info.megahertz[core].map { $0 * 1e6 }
    }
    governors = Set(asked.compactMap { tree.text("\(cpus)/cpu\($0)/cpufreq/scaling_governor") }).sorted()
    isBoosting =
      tree.number("\(cpus)/cpufreq/boost").map { $0 != 0 }
      ?? tree.number("\(cpus)/intel_pstate/no_turbo").map { $0 == 0 }
    load = tree.text("proc/loadavg")?.split(separator: " ").first.flatMap { Double($0) }
    let hottest = Self.temperatures(tree).max { $0.degrees < $1.degrees }
    temperature = hottest?.degrees
    hottestZone = hottest?.zone
    stolenShare = Self.stolenShare(tree.text("proc/stat") ?? "")
  }

  /// Zones of `thermal`, or where there are none, processor sensors of `hwmon`. Readings that no running machine has are left out.
  private static func temperatures(_ tree: SystemTree) -> [(zone: String, degrees: Double)] {
    let zones = tree.names(in: "sys/class/thermal").filter { $0.hasPrefix("thermal_zone") }
    var found = zones.compactMap { zone -> (zone: String, degrees: Double)? in
      guard let value = tree.number("sys/class/thermal/\(zone)/temp") else { return nil }
      return (tree.text("sys/class/thermal/\(zone)/type") ?? zone, value / 1e3)
    }
    if found.isEmpty {
      for device in tree.names(in: "sys/class/hwmon") {
        let chip = tree.text("sys/class/hwmon/\(device)/name") ?? device
        guard ["coretemp", "k10temp", "zenpower", "cpu_thermal"].contains(chip),
          let value = tree.number("sys/class/hwmon/\(device)/temp1_input")
        else { continue }
        found.append((chip, value / 1e3))
      }
    }
    // A Jetson's PMIC zone always says 100.
    return found.filter { $0.degrees > 0 && $0.degrees < 150 && !$0.zone.hasPrefix("PMIC") }
  }

  /// `Name: value` lines.
  private static func table(_ text: String) -> [String: Double] {
    var result: [String: Double] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, let first = parts[1].split(separator: " ").first else { continue }
      result[String(parts[0])] = Double(first)
    }
    return result
  }

  private static func stolenShare(_ stat: String) -> Double? {
    guard let line = stat.split(separator: "\n").first, line.hasPrefix("cpu ") else { return nil }
    let ticks = line.split(separator: " ").dropFirst().compactMap { Double($0) }
    // user nice system idle iowait irq softirq steal; guest time is inside user time.
    guard ticks.count >= 8 else { return nil }
    let total = ticks.prefix(8).reduce(0, +)
    return total > 0 ? ticks[7] / total : nil
  }

  private static var darwinCPU: String? {
    #if canImport(Darwin)
      var size = 0
      guard sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0) == 0, size > 0 else { return nil }
      var bytes = [UInt8](repeating: 0, count: size)
      guard sysctlbyname("machdep.cpu.brand_string", &bytes, &size, nil, 0) == 0 else { return nil }
      return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    #else
      return nil
    #endif
  }

  /// As the `environment` of a measurement; what is not known is left out.
  public var environment: [String: String] {
    var result: [String: String] = ["cores": "\(cores)"]
    result["cpu"] = cpu
    result["board"] = board
    if !instructionSets.isEmpty { result["instruction_sets"] = instructionSets.joined(separator: " ") }
    result["threads_per_core"] = threadsPerCore.map(String.init)
    result["kernel"] = kernel
    result["memory_bytes"] = memoryBytes.map { String(Int($0)) }
    if let least = clocksHertz.min(), let most = clocksHertz.max() {
      let (low, high) = (Int((least / 1e6).rounded()), Int((most / 1e6).rounded()))
      result["clock_mhz"] = low == high ? "\(low)" : "\(low)-\(high)"
    }
    if !governors.isEmpty { result["governor"] = governors.joined(separator: " ") }
    result["boost"] = isBoosting.map { $0 ? "on" : "off" }
    result["load_average"] = load.map { String(format: "%.2f", $0) }
    result["temperature_c"] = temperature.map { String(format: "%.1f", $0) }
    result["temperature_zone"] = hottestZone
    result["stolen_share"] = stolenShare.map { String(format: "%.4f", $0) }
    return result
  }
}
