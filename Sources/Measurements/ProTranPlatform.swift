import Architectures

/// One of ProTran's results folders: what its name says, and what is known of how that platform was measured.
public struct ProTranPlatform: Hashable, Sendable {
  public let device: String
  public let batchSize: Int
  /// Runs that the figures are averages of.
  public let runCount: Int
  public let precision: String
  public let powerScope: PowerScope
  public let meter: String
  /// Nil where it is not published.
  public let samplingIntervalSeconds: Double?

  private static let known: [String: (device: String, scope: PowerScope, meter: String, interval: Double?)] = [
    "gpu_a100": ("a100", .module, "nvidia-smi", 0.2),
    "cpu_m1-pro": ("m1-pro-cpu", .package, "powermetrics", nil),
    "gpu_m1-pro": ("m1-pro-gpu", .package, "powermetrics", nil),
    "cpu_rpi": ("rpi4-cpu", .board, "INA219", 4),
    "npu_ncs": ("ncs2", .board, "INA219", 1),
    "cpu_jetson-nano": ("jetson-nano-cpu", .board, "INA219", 0.2),
    "gpu_jetson-nano": ("jetson-nano-gpu", .board, "INA219", 0.2),
  ]

  /// Reads a folder's name, such as `results_gpu_a100_b128_r3`: device, batch size, runs.
  ///
  /// - Parameter source: the file that messages name.
  /// - Throws: `InputFileError` where the name is of another form or the device is not known.
  public init(folderName: String, source: String) throws {
    let parts = folderName.split(separator: "_", omittingEmptySubsequences: false)
    guard parts.count == 5, parts[0] == "results", parts[3].hasPrefix("b"), parts[4].hasPrefix("r"),
      let batch = Int(parts[3].dropFirst()), MeasurementLimits.count.contains(batch),
      let runs = Int(parts[4].dropFirst()), MeasurementLimits.count.contains(runs)
    else {
      throw InputFileError(
        source: source,
        problem:
          "`\(InputFileError.printable(folderName))` does not say what was measured; results folders are named"
          + " like results_gpu_a100_b128_r3")
    }
    let name = "\(parts[1])_\(parts[2])"
    guard let facts = Self.known[name] else {
      throw InputFileError(
        source: source,
        problem: "`\(InputFileError.printable(name))` is no known platform; known are "
          + Self.known.keys.sorted().joined(separator: ", "))
    }
    device = facts.device
    batchSize = batch
    runCount = runs
    precision = facts.device == "ncs2" ? "fp16" : "fp32"
    powerScope = facts.scope
    meter = facts.meter
    samplingIntervalSeconds = facts.interval
  }
}
