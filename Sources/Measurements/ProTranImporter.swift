import Architectures
import Foundation

/// Turns ProTran's published results into measurements, in the order in which they were measured: that of the
/// keys in the file.
public enum ProTranImporter {
  /// Rows of a results folder, of all results folders in a folder (by name), or of one `dataset.json` inside
  /// a results folder.
  ///
  /// - Throws: `InputFileError`.
  public static func read(_ path: String) throws -> [Measurement] {
    try dataSets(path).flatMap { file in
      try measurements(
        bytes: InputBytes.read(file.path), source: file.path,
        platform: ProTranPlatform(folderName: file.folder, source: file.path))
    }
  }

  private static func dataSets(_ path: String) throws -> [(path: String, folder: String)] {
    let manager = FileManager.default
    var isFolder: ObjCBool = false
    guard !path.isEmpty, !path.utf8.contains(0), manager.fileExists(atPath: path, isDirectory: &isFolder)
    else {
      throw InputFileError(source: path, problem: "there is no such folder or file")
    }
    let names = URL(fileURLWithPath: path).standardizedFileURL.pathComponents
    guard isFolder.boolValue else {
      // dataset.json stands in `dataset/` in the folder whose name says the platform.
      let parents = names.dropLast().suffix(2).reversed()
      guard let folder = parents.first(where: { $0.hasPrefix("results_") }) else {
        throw InputFileError(
          source: path,
          problem:
            "is not inside a results folder, such as results_gpu_a100_b128_r3, whose name says the device")
      }
      return [(path, folder)]
    }
    if let file = dataSet(in: path) { return [(file, names.last ?? "")] }
    let children: [String]
    do {
      children = try manager.contentsOfDirectory(atPath: path).filter { $0.hasPrefix("results_") }.sorted()
    } catch {
      throw InputFileError(source: path, problem: "cannot be listed: \(error.localizedDescription)")
    }
    let found = children.compactMap { child in
      dataSet(in: (path as NSString).appendingPathComponent(child)).map { (path: $0, folder: child) }
    }
    guard !found.isEmpty else {
      throw InputFileError(
        source: path, problem: "holds neither dataset/dataset.json nor folders results_… that hold one")
    }
    return found
  }

  private static func dataSet(in folder: String) -> String? {
    let path = ((folder as NSString).appendingPathComponent("dataset") as NSString).appendingPathComponent(
      "dataset.json")
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }

  /// Rows in the bytes of a `dataset.json` of `platform`.
  ///
  /// - Throws: `InputFileError` that names the row by its key.
  public static func measurements(bytes: [UInt8], source: String, platform: ProTranPlatform) throws
    -> [Measurement]
  {
    let text = try InputBytes.text(bytes, source: source)
    let rows = try FieldReader(JSONParser.document(text, source: source), source: source).members
    guard !rows.isEmpty else { throw InputFileError(source: source, problem: "holds no row") }
    return try rows.enumerated().map { index, row in
      try measurement(row, order: index, source: source, platform: platform)
    }
  }

  private static func measurement(
    _ row: DocumentValue.Member, order: Int, source: String, platform: ProTranPlatform
  ) throws -> Measurement {
    let key = InputFileError.printable(row.name)
    let reader = try FieldReader(row.value, source: source, path: key)
    let architecture = try ProTranDictionary.architecture(
      reader.required("model_dict"), source: source, path: reader.field("model_dict"))
    try checkEmbedding(of: architecture, reader: reader)
    let performance = try FieldReader(
      reader.required("performance"), source: source, path: reader.field("performance"))
    let latency = try performance.number(
      performance.required("latency"), field: performance.field("latency"), in: MeasurementLimits.seconds)
    var environment = ["row": row.name, "runs": String(platform.runCount)]
    environment["model_type"] = try reader.optionalString("model_type")
    return Measurement(
      architecture: architecture, device: platform.device, runtime: "protran", batchSize: platform.batchSize,
      sequenceLength: 128, precision: platform.precision, order: order, latencySeconds: latency,
      batchLatencySeconds: latency * Double(platform.batchSize),
      energyJoules: try performance.optionalNumber("energy", in: MeasurementLimits.joules),
      peakPowerWatts: try performance.optionalNumber("peak_power", in: MeasurementLimits.watts),
      powerScope: platform.powerScope, idleIncluded: true,
      samplingIntervalSeconds: platform.samplingIntervalSeconds, meter: platform.meter,
      environment: environment,
      includesStartup: true)
  }

  /// The embedding is a list written as a text; it must name the same model as the dictionary.
  private static func checkEmbedding(of architecture: Architecture, reader: FieldReader) throws {
    guard let value = reader["embedding"] else { return }
    var list = value
    if let text = value.string {
      do {
        list = try JSONParser.document([UInt8](text.utf8), source: reader.source, line: value.line)
      } catch {
        throw reader.failure("embedding", problem: "is not a list of whole numbers")
      }
    }
    let field = reader.field("embedding")
    let found = try reader.list(list, field: field, count: 37...37).enumerated().map { index, item in
      try reader.integer(item, field: "\(field)[\(index)]", in: 0...1_000_000)
    }
    guard let expected = ProTranEmbedding.numbers(of: architecture) else {
      throw reader.failure(
        "model_dict", problem: "is no member of the published space, but the row has an embedding")
    }
    if let index = expected.indices.first(where: { expected[$0] != found[$0] }) {
      throw reader.failure(
        "embedding",
        problem:
          "does not belong to this model_dict: number \(index) is \(found[index]), and should be \(expected[index])"
      )
    }
  }
}
