/// A what-if change of one fact: `memory.bandwidth=2x`, `clock=1.8GHz`, `memory.capacity=4GB`.
public struct Override: Sendable, Hashable {
  public enum Change: Sendable, Hashable {
    case factor(Double)
    /// In the fact's own unit.
    case value(Double)
  }

  public var path: String
  public var change: Change

  public init(path: String, change: Change) {
    self.path = path
    self.change = change
  }

  /// Facts that can be overridden, with the other names that people use for them.
  public static let paths: [(path: String, aliases: [String], unit: String)] = [
    ("memory.bandwidth", ["bandwidth"], "B/s"), ("memory.capacity", ["ram", "memory"], "B"), ("clock", [], "Hz"),
    ("cores", [], "1"), ("host.clock", [], "Hz"), ("compute.fp32", [], "FLOP/s"), ("compute.fp16", [], "FLOP/s"),
    ("compute.bf16", [], "FLOP/s"), ("compute.int8", [], "FLOP/s"), ("power.idle", [], "W"),
    ("power.maximum", [], "W"),
  ]

  /// ``paths`` for people, such as `memory.capacity (ram, memory) in B`.
  public static var listed: String {
    paths.map { path, aliases, unit in
      path + (aliases.isEmpty ? "" : " (\(aliases.joined(separator: ", ")))") + (unit == "1" ? "" : " in \(unit)")
    }.joined(separator: ", ")
  }

  /// Parses `PATH=VALUE`: a factor (`2x`) or a quantity with its unit (`25.6GB/s`); bare numbers only for cores.
  /// - Throws: ``TwinError/override(_:problem:)``.
  public init(parsing text: String) throws(TwinError) {
    guard let equals = text.firstIndex(of: "=") else {
      throw .override(text, problem: "write PATH=VALUE, such as memory.bandwidth=2x")
    }
    let name = String(text[..<equals])
    let value = String(text[text.index(after: equals)...])
    guard let known = Self.paths.first(where: { $0.path == name || $0.aliases.contains(name) }) else {
      throw .override(name, problem: "no such fact; known are \(Self.paths.map(\.path).joined(separator: ", "))")
    }
    path = known.path
    if value.hasSuffix("x"), let factor = Double(value.dropLast()) {
      change = .factor(factor)
    } else {
      do {
        change = .value(try Quantity(parsing: value, unit: known.unit).value)
      } catch {
        throw .override(text, problem: "\(error); or a factor such as 2x")
      }
    }
    let number =
      switch change {
      case .factor(let factor): factor
      case .value(let value): value
      }
    guard number.isFinite, number > 0 else { throw .override(text, problem: "must be above 0") }
  }

  func apply(to device: inout Device) throws(TwinError) {
    func changed(_ fact: Fact) -> Fact {
      var fact = fact
      switch change {
      case .factor(let factor): fact.value *= factor
      case .value(let value): fact.value = value
      }
      fact.provenance = .assumed
      fact.source = "override"
      return fact
    }
    func changed(_ fact: Fact?) throws(TwinError) -> Fact {
      guard let fact else {
        guard case .value(let value) = change, let unit = Self.paths.first(where: { $0.path == path })?.unit else {
          throw .override(path, problem: "\(device.id) gives no value to scale; set one with its unit")
        }
        return Fact(value: value, unit: unit, provenance: .assumed, source: "override")
      }
      return changed(fact)
    }
    switch path {
    case "memory.bandwidth": device.memory.bandwidth = changed(device.memory.bandwidth)
    case "memory.capacity": device.memory.capacity = changed(device.memory.capacity)
    case "host.clock": device.host.clock = changed(device.host.clock)
    case "power.idle": device.power.idle = changed(device.power.idle)
    case "power.maximum": device.power.maximum = changed(device.power.maximum)
    case "compute.fp32": device.compute.fp32 = try changed(device.compute.fp32)
    case "compute.fp16": device.compute.fp16 = try changed(device.compute.fp16)
    case "compute.bf16": device.compute.bf16 = try changed(device.compute.bf16)
    case "compute.int8": device.compute.int8 = try changed(device.compute.int8)
    case "cores":
      let cores = try changed(device.cores)
      if let before = device.cores { device.scaleCompute(by: cores.value / before.value) }
      device.cores = cores
    case "clock":
      let clock = changed(device.clock)
      let ratio = clock.value / device.clock.value
      device.scaleCompute(by: ratio)
      // A CPU device is its own host.
      if device.deviceClass == .cpu { device.host.clock.value *= ratio }
      device.clock = clock
    default: throw .override(path, problem: "no such fact")
    }
  }
}

extension Device {
  /// Peak rates follow clock and cores.
  fileprivate mutating func scaleCompute(by ratio: Double) {
    for precision in Precision.allCases { compute[precision]?.value *= ratio }
  }
}
