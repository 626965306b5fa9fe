import Architectures
import Foundation

/// `device-models/<device>.yaml`: a device's facts, and for each runtime what is known of it.
///
/// A person can write one by hand: the facts suffice. Coefficients that are missing are derived from the datasheet and marked `assumed`.
public struct DeviceFile: Sendable, Hashable, Codable {
  /// What is known of one runtime on the device.
  public struct RuntimeEntry: Sendable, Hashable, Codable {
    public var variant: RuntimeVariant
    /// How the published measurements of this runtime were taken.
    public var profiled: Profile?
    /// The calibrated model; absent where nothing was measured.
    public var model: TwinModel?

    public init(variant: RuntimeVariant, profiled: Profile? = nil, model: TwinModel? = nil) {
      self.variant = variant
      self.profiled = profiled
      self.model = model
    }
  }

  /// Settings of a series of measurements.
  public struct Profile: Sendable, Hashable, Codable {
    public var batchSize: Int
    public var sequenceLength: Int
    public var precision: Precision
    /// Sequences of one process, over which its start-up is spread.
    public var sequencesPerProcess: Int

    enum CodingKeys: String, CodingKey {
      case batchSize = "batch_size"
      case sequenceLength = "sequence_length"
      case precision
      case sequencesPerProcess = "sequences_per_process"
    }
  }

  public static let schema = (family: "edgetwin.device", version: 1)

  public var device: Device
  public var runtimes: [String: RuntimeEntry]

  public init(device: Device, runtimes: [String: RuntimeEntry]) {
    self.device = device
    self.runtimes = runtimes
  }

  enum CodingKeys: String, CodingKey {
    case schema, runtimes
  }

  public init(from decoder: any Decoder) throws {
    device = try Device(from: decoder)
    runtimes = try decoder.container(keyedBy: CodingKeys.self).decode([String: RuntimeEntry].self, forKey: .runtimes)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode("\(Self.schema.family)/\(Self.schema.version)", forKey: .schema)
    try device.encode(to: encoder)
    try container.encode(SortedByKey(runtimes), forKey: .runtimes)
  }

  /// Reads and checks a device file.
  /// - Throws: ``YAMLFileError`` naming the file, the line where it is known, and the field.
  public init(yaml text: String, name: String) throws(YAMLFileError) {
    self = try YAMLFile.decode(DeviceFile.self, from: text, name: name, schema: Self.schema)
    if let problem = DeviceFileChecker(file: self).firstProblem {
      throw YAMLFileError(
        file: name, line: YAMLFile.line(of: problem.field, in: text), field: problem.field, problem: problem.text)
    }
  }

  public init(path: String) throws(YAMLFileError) {
    try self.init(yaml: YAMLFile.read(path), name: InputBytes.name(of: path))
  }
}
