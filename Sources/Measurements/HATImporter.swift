import Architectures
import Foundation

/// Turns HAT's latency tables into measurements of the encoder: `architecture` nil, every column that is no
/// latency a feature.
///
/// The tables give milliseconds for source length 30 and batch 1. The published ones hold no value that is 0
/// or negative, so such a latency is an error.
public enum HATImporter {
  private static let devices = [
    "cpu_raspberrypi": "rpi4-cpu", "cpu_xeon": "xeon-e5-2640", "gpu_titanxp": "titan-xp",
  ]
  private static let encoderFeatures = [
    "encoder_embed_dim", "encoder_layer_num", "encoder_ffn_embed_dim_avg", "encoder_self_attention_heads_avg",
  ]

  /// Rows of one table, whose name says task and device, such as `wmt14ende_cpu_raspberrypi_all.csv`.
  ///
  /// - Throws: `InputFileError`.
  public static func read(_ path: String) throws -> [Measurement] {
    guard path != "-" else {
      throw InputFileError(
        source: path, problem: "the file's name says the device: give a file, not standard input")
    }
    return try measurements(
      bytes: InputBytes.read(path), source: path, fileName: URL(fileURLWithPath: path).lastPathComponent)
  }

  /// Rows in the bytes of a table named `fileName`.
  public static func measurements(bytes: [UInt8], source: String, fileName: String) throws -> [Measurement] {
    let (task, device) = try taskAndDevice(fileName: fileName, source: source)
    let table = try CSVTable(InputBytes.text(bytes, source: source), source: source)
    func column(_ name: String) throws -> Int {
      guard let index = table.header.firstIndex(of: name) else {
        throw InputFileError(source: source, line: 1, problem: "there is no column `\(name)`")
      }
      return index
    }
    let mean = try column("latency_mean_encoder")
    let deviation = try column("latency_std_encoder")
    for name in encoderFeatures { _ = try column(name) }
    guard !table.rows.isEmpty else { throw InputFileError(source: source, problem: "holds no row") }
    return try table.rows.enumerated().map { order, row in
      var features: [String: Double] = [:]
      var numbers: [Double] = []
      for (name, cell) in zip(table.header, row.cells) {
        let number = try number(cell, column: name, line: row.line, source: source)
        numbers.append(number)
        if !name.hasPrefix("latency_") { features[name] = number }
      }
      let latency = numbers[mean] / 1_000
      return Measurement(
        architecture: nil, features: features, device: device, runtime: "hat", batchSize: 1,
        sequenceLength: 30,
        precision: "fp32", order: order, latencySeconds: latency, batchLatencySeconds: latency,
        spreadSeconds: numbers[deviation] / 1_000, environment: ["task": task])
    }
  }

  private static func taskAndDevice(fileName: String, source: String) throws -> (task: String, device: String) {
    let stem = fileName.hasSuffix(".csv") ? String(fileName.dropLast(4)) : fileName
    let parts = stem.split(separator: "_", omittingEmptySubsequences: false)
    guard parts.count >= 3, !parts[0].isEmpty, let device = devices["\(parts[1])_\(parts[2])"] else {
      throw InputFileError(
        source: source,
        problem:
          "the file's name does not say task and device, as wmt14ende_cpu_raspberrypi_all.csv does; known are "
          + devices.keys.sorted().joined(separator: ", "))
    }
    return (String(parts[0]), device)
  }

  private static func number(_ cell: String, column: String, line: Int, source: String) throws -> Double {
    let text = cell.trimmingCharacters(in: .whitespaces)
    let isLatency = column.hasPrefix("latency_mean")
    let range: ClosedRange<Double>
    if column.hasPrefix("latency_") {
      range = isLatency ? 1e-9...1e12 : 0...1e12
    } else {
      range = MeasurementLimits.feature
    }
    let isPlain = text.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
    guard isPlain, let number = Double(text), range.contains(number) else {
      throw InputFileError(
        source: source, line: line, field: InputFileError.printable(column),
        problem: "must be a number from \(range.lowerBound) to \(range.upperBound), is"
          + " \"\(InputFileError.printable(text))\"; correct the row or delete it")
    }
    return number
  }
}
