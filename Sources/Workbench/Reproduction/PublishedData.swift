import Architectures
import Foundation

/// The authors' records, read from the folder `edgetran` of the data.
package struct PublishedData: Sendable {
  /// A pair that the published searches started from.
  package struct Pair: Sendable {
    package var model: String
    package var point: DesignPoint
    package var device: String
    /// Their "GLUE", 0 to 1.
    package var score: Double
    package var latencySeconds: Double
    package var energyJoules: Double
    package var peakPowerWatts: Double

    package var objective: Double {
      PublishedRecords.objective(
        score: score, latencySeconds: latencySeconds, energyJoules: energyJoules, peakPowerWatts: peakPowerWatts)
    }
  }

  package let pairs: [Pair]
  package let runs: [PublishedRecords.Run]

  /// - Parameter folder: the data's folder, `edgetran` in it.
  /// - Throws: `InputFileError` that names the file and the place.
  package init(folder: String) throws {
    let edgetran = URL(filePath: folder).appending(path: "edgetran")
    pairs = try Self.pairs(edgetran.appending(path: "codesign_dataset.json").path)
    runs = try Self.runs(edgetran.appending(path: "codesign_results.json").path)
  }

  private static let largest = 1e9

  private static func pairs(_ path: String) throws -> [Pair] {
    let document = try FieldReader(JSONParser.document(InputBytes.read(path), source: path), source: path)
    return try document.members.map { member in
      let key = InputFileError.printable(member.name)
      let row = try FieldReader(member.value, source: path, path: key)
      let performance = try FieldReader(row.required("performance"), source: path, path: "\(key).performance")
      func number(_ name: String) throws -> Double {
        let value = try performance.required(name)
        // Some of the scores are texts.
        if let text = value.string, let number = Double(text.trimmingCharacters(in: .whitespaces)) { return number }
        return try performance.number(value, field: performance.field(name), in: 0...largest)
      }
      let space = DesignSpace.flexibert2
      let embedding = try integers(row, "embedding_txf")
      let oneHot = try integers(row, "embedding_device")
      guard let device = oneHot.firstIndex(of: 1), PublishedRecords.devices.indices.contains(device) else {
        throw row.failure("embedding_device", problem: "names none of the seven devices")
      }
      let point: DesignPoint
      do {
        point = try space.point(ofEmbedding: embedding)
      } catch {
        throw row.failure("embedding_txf", problem: "\(error)")
      }
      return Pair(
        model: String(key.prefix(8)), point: point, device: PublishedRecords.devices[device], score: try number("glue"),
        latencySeconds: try number("latency"), energyJoules: try number("energy"),
        peakPowerWatts: try number("peak_power"))
    }
  }

  /// A list, or the text of one.
  private static func integers(_ row: FieldReader, _ name: String) throws -> [Int] {
    let value = try row.required(name)
    let list =
      try value.string.map { try JSONParser.document(Array($0.utf8), source: row.source, line: value.line) } ?? value
    return try row.list(list, field: row.field(name), count: 1...64).enumerated().map {
      try row.integer($1, field: "\(row.field(name))[\($0)]", in: 0...1_000_000)
    }
  }

  /// The value that an invalid query was given.
  private static let invalidValue = 100.0

  private static func runs(_ path: String) throws -> [PublishedRecords.Run] {
    let document = try FieldReader(JSONParser.document(InputBytes.read(path), source: path), source: path)
    return try document.members.map { member in
      let name = InputFileError.printable(member.name)
      let row = try FieldReader(member.value, source: path, path: name)
      var queries = try row.list("own_queries", count: 1...100_000).enumerated().map {
        try row.number($1, field: "\(row.field("own_queries"))[\($0)]", in: -largest...largest)
      }
      if name == "BOSHCODE" { queries = Array(queries.prefix(PublishedRecords.ownBOSHCODEQueries)) }
      let valid = queries.filter { $0 < invalidValue }
      let device = try row.string("device")
      return PublishedRecords.Run(
        name: name, best: valid.min() ?? invalidValue,
        seconds: try row.number(row.required("time"), field: row.field("time"), in: 0...largest),
        queries: queries.count,
        valid: valid.count, device: PublishedRecords.deviceFolders[device] ?? device,
        point: try? DesignSpace.flexibert2.point(ofEmbedding: integers(row, "embedding_txf")))
    }
  }
}
