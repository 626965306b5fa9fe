import Architectures

/// A meter that is a file of the kernel.
public struct FileMeter: Meter {
  public let name: String
  public let scope: PowerScope
  public let intervalSeconds: Double
  private let tree: SystemTree
  private let source: Source

  enum Source: Sendable {
    /// Microjoules, and where the counter starts again.
    case microjoules(path: String, modulus: Double?)
    /// A power, in units of `scale` watts.
    case power(path: String, scale: Double)
    /// Millivolts and milliamperes.
    case product(volts: String, amperes: String)
  }

  init(name: String, scope: PowerScope, intervalSeconds: Double, tree: SystemTree, source: Source) {
    self.name = name
    self.scope = scope
    self.intervalSeconds = intervalSeconds
    self.tree = tree
    self.source = source
  }

  public func read() throws -> MeterReading {
    switch source {
    case .microjoules(let path, let modulus):
      return .energy(joules: try number(path) * 1e-6, modulusJoules: modulus.map { $0 * 1e-6 })
    case .power(let path, let scale): return .power(watts: try number(path) * scale)
    case .product(let volts, let amperes): return .power(watts: try number(volts) * number(amperes) * 1e-6)
    }
  }

  private func number(_ path: String) throws(BoardError) -> Double {
    guard let value = tree.number(path), value.isFinite else {
      throw .meter(
        name: name, problem: "\(tree.path(path)) cannot be read; it may take the rights of an administrator")
    }
    return value
  }
}

/// Several meters of the same kind read as one: the packages of a machine with several sockets.
struct SumMeter: Meter {
  let name: String
  let parts: [FileMeter]
  var scope: PowerScope { parts[0].scope }
  var intervalSeconds: Double { parts[0].intervalSeconds }

  /// The sum has no modulus, so a counter that starts again makes one interval fall, which is then left out.
  func read() throws -> MeterReading {
    var joules = 0.0
    for part in parts {
      if case .energy(let value, _) = try part.read() { joules += value }
    }
    return .energy(joules: joules, modulusJoules: nil)
  }
}

/// Finds the power meters of a machine.
public enum Meters {
  /// All that can be read now, those that see most of the machine first.
  public static func all(_ tree: SystemTree = SystemTree()) -> [any Meter] {
    let found = powercap(tree) + jetsonMonitors(tree) + hwmon(tree)
    let readable = found.filter { (try? $0.read()) != nil }
    let order: [PowerScope] = [.board, .package, .module, .accelerator]
    return order.flatMap { scope in readable.filter { $0.scope == scope } }
  }

  /// The meter with a name.
  /// - Throws: ``BoardError/meter(name:problem:)``.
  public static func named(_ name: String, _ tree: SystemTree = SystemTree()) throws(BoardError) -> any Meter {
    let all = all(tree)
    if let meter = all.first(where: { $0.name == name }) { return meter }
    let known =
      all.isEmpty ? "this machine has none that can be read" : "known are \(all.map(\.name).joined(separator: ", "))"
    throw .meter(name: name, problem: "is not there; \(known)")
  }

  /// Running average power limit (Intel, AMD): energy counters of packages, or of the whole platform (`psys`).
  static func powercap(_ tree: SystemTree) -> [any Meter] {
    let folder = "sys/class/powercap"
    var packages: [FileMeter] = []
    var result: [any Meter] = []
    // The memory-mapped driver shows the same packages once more.
    let zones = tree.names(in: folder).filter { $0.split(separator: ":").count == 2 && !$0.contains("-mmio:") }
    for zone in zones {
      let path = "\(folder)/\(zone)"
      guard let name = tree.text("\(path)/name"), tree.number("\(path)/energy_uj") != nil else { continue }
      let scope: PowerScope
      if name.hasPrefix("package") {
        scope = .package
      } else if name == "psys" {
        scope = .board
      } else {
        continue
      }
      let meter = FileMeter(
        name: "powercap \(name)", scope: scope, intervalSeconds: 0.02, tree: tree,
        source: .microjoules(path: "\(path)/energy_uj", modulus: tree.number("\(path)/max_energy_range_uj")))
      if scope == .package, !packages.contains(where: { $0.name == meter.name }) {
        packages.append(meter)
      } else if scope == .board {
        result.append(meter)
      }
    }
    if packages.count == 1 { result += packages }
    if packages.count > 1 { result.append(SumMeter(name: "powercap packages", parts: packages)) }
    return result
  }

  /// The INA3221 of Jetson boards up to Xavier, as the vendor's older kernels show it: milliwatts by rail.
  static func jetsonMonitors(_ tree: SystemTree) -> [any Meter] {
    let drivers = "sys/bus/i2c/drivers/ina3221x"
    return tree.names(in: drivers).flatMap { chip -> [any Meter] in
      tree.names(in: "\(drivers)/\(chip)").filter { $0.hasPrefix("iio") }.flatMap { device -> [any Meter] in
        let path = "\(drivers)/\(chip)/\(device)"
        return (0..<3).compactMap { rail -> (any Meter)? in
          guard let name = tree.text("\(path)/rail_name_\(rail)"), let scope = scope(ofRail: name) else { return nil }
          return FileMeter(
            name: "ina3221 \(name)", scope: scope, intervalSeconds: 0.02, tree: tree,
            source: .power(path: "\(path)/in_power\(rail)_input", scale: 1e-3))
        }
      }
    }
  }

  /// Sensors of `hwmon`: INA chips by rail, graphics cards, the supply's meter.
  static func hwmon(_ tree: SystemTree) -> [any Meter] {
    let folder = "sys/class/hwmon"
    return tree.names(in: folder).flatMap { device -> [any Meter] in
      let path = "\(folder)/\(device)"
      guard let chip = tree.text("\(path)/name") else { return [] }
      if chip == "ina3221" {
        return (1...3).compactMap { rail -> (any Meter)? in
          guard let label = tree.text("\(path)/in\(rail)_label"), let scope = scope(ofRail: label) else { return nil }
          return FileMeter(
            name: "ina3221 \(label)", scope: scope, intervalSeconds: 0.02, tree: tree,
            source: .product(volts: "\(path)/in\(rail)_input", amperes: "\(path)/curr\(rail)_input"))
        }
      }
      guard let scope = scope(ofChip: chip) else { return [] }
      for file in ["power1_input", "power1_average"] where tree.number("\(path)/\(file)") != nil {
        return [
          FileMeter(
            name: "hwmon \(chip)", scope: scope, intervalSeconds: 0.05, tree: tree,
            source: .power(path: "\(path)/\(file)", scale: 1e-6))
        ]
      }
      return []
    }
  }

  /// What a rail of a board supplies: its input is the whole board's; of the others only those that are named for a processor are used.
  private static func scope(ofRail name: String) -> PowerScope? {
    let upper = name.uppercased()
    if upper.hasSuffix("_IN") || upper.contains("5V_IN") || upper.contains("VIN_SYS") { return .board }
    if upper.contains("CPU_GPU_CV") || upper.contains("CPU_GPU") { return .package }
    return nil
  }

  private static func scope(ofChip name: String) -> PowerScope? {
    switch name {
    case "ina219", "ina226", "ina230", "ina231", "ina238", "ina260", "power_meter": .board
    case "amdgpu", "xe", "i915": .accelerator
    default: nil
    }
  }
}
