import Architectures

/// The hardware facts of a device: rates, bandwidth, memory and power, as its file states them.
public struct Device: Sendable, Hashable, Codable {
  /// What kind of machine executes the model; devices of one class share priors.
  public enum Class: String, Sendable, Hashable, Codable, CaseIterable {
    case cpu
    case gpu
    /// A neural accelerator that is driven by a host over a link.
    case accelerator
  }

  /// The processor that loads the model and launches the kernels: a CPU device's own cores, or those that drive a GPU or an accelerator.
  public struct Host: Sendable, Hashable, Codable {
    /// Name of the core.
    public var core: String
    public var clock: Fact
    /// Single-thread work done in a clock cycle, as a share of what the widest cores would do; compares cores with each other only.
    public var workPerCycle: Fact

    public init(core: String, clock: Fact, workPerCycle: Fact) {
      self.core = core
      self.clock = clock
      self.workPerCycle = workPerCycle
    }

    enum CodingKeys: String, CodingKey {
      case core, clock
      case workPerCycle = "work_per_cycle"
    }
  }

  /// Peak rates by precision; a precision that the device lacks is absent.
  public struct Compute: Sendable, Hashable, Codable {
    public var fp32: Fact?
    public var fp16: Fact?
    public var bf16: Fact?
    public var int8: Fact?

    public init(fp32: Fact? = nil, fp16: Fact? = nil, bf16: Fact? = nil, int8: Fact? = nil) {
      self.fp32 = fp32
      self.fp16 = fp16
      self.bf16 = bf16
      self.int8 = int8
    }

    public subscript(precision: Precision) -> Fact? {
      get {
        switch precision {
        case .fp32: fp32
        case .fp16: fp16
        case .bf16: bf16
        case .int8: int8
        }
      }
      set {
        switch precision {
        case .fp32: fp32 = newValue
        case .fp16: fp16 = newValue
        case .bf16: bf16 = newValue
        case .int8: int8 = newValue
        }
      }
    }
  }

  public struct Memory: Sendable, Hashable, Codable {
    /// What happens to a model that needs more than the capacity.
    public enum Overflow: String, Sendable, Hashable, Codable, CaseIterable {
      /// The device cannot run it: an error.
      case error
      /// The operating system pages, which costs time: predicted by the paging terms, and said.
      case page
    }

    public var bandwidth: Fact
    public var capacity: Fact
    /// What the operating system and the runtime keep for themselves.
    public var reserved: Fact?
    public var overflow: Overflow

    public init(bandwidth: Fact, capacity: Fact, reserved: Fact? = nil, overflow: Overflow) {
      self.bandwidth = bandwidth
      self.capacity = capacity
      self.reserved = reserved
      self.overflow = overflow
    }

    /// Bytes that a model can have.
    public var availableBytes: Double { max(0, capacity.value - (reserved?.value ?? 0)) }
  }

  public struct Power: Sendable, Hashable, Codable {
    public var idle: Fact
    /// What the device draws when nothing holds it back.
    public var maximum: Fact
    /// How much of the machine these figures, and the predictions, see.
    public var scope: PowerScope

    public init(idle: Fact, maximum: Fact, scope: PowerScope) {
      self.idle = idle
      self.maximum = maximum
      self.scope = scope
    }
  }

  /// Which operations the device runs itself; the rest falls back to the host.
  public struct Operations: Sendable, Hashable, Codable {
    public var hostOnly: [KernelClass]
    public var source: String?

    enum CodingKeys: String, CodingKey {
      case hostOnly = "host_only"
      case source
    }

    public init(hostOnly: [KernelClass], source: String? = nil) {
      self.hostOnly = hostOnly
      self.source = source
    }
  }

  public var id: String
  public var name: String
  public var deviceClass: Class
  public var cores: Fact?
  public var clock: Fact
  public var host: Host
  public var compute: Compute
  public var memory: Memory
  public var power: Power
  public var operations: Operations?
  /// What single kernels were measured to reach; nil where nothing was measured.
  public var roofs: Roofs?

  public init(
    id: String, name: String, deviceClass: Class, cores: Fact?, clock: Fact, host: Host, compute: Compute,
    memory: Memory, power: Power, operations: Operations? = nil, roofs: Roofs? = nil
  ) {
    self.id = id
    self.name = name
    self.deviceClass = deviceClass
    self.cores = cores
    self.clock = clock
    self.host = host
    self.compute = compute
    self.memory = memory
    self.power = power
    self.operations = operations
    self.roofs = roofs
  }

  enum CodingKeys: String, CodingKey {
    case id, name
    case deviceClass = "class"
    case cores, clock, host, compute, memory, power, operations, roofs
  }
}
