import Architectures
import Foundation
import Testing

import struct Measurements.Measurement

@testable import Measurements

@Suite struct MeasurementTests {
  static let architecture =
    #"{"schema":"edgetwin.architecture/1","vocabulary_size":30522,"maximum_positions":512,"type_vocabulary_size":2,"#
    + #""position":"absolute","layers":[{"hidden_size":128,"head_size":64,"heads":["sa_sdp","sa_sdp"],"feed_forward":[512]}]}"#
  static let line =
    #"{"schema":"edgetwin.measurement/1","architecture":"#
    + architecture.replacing("/1\",", with: "/1\",\"id\":\"35a0949b5245a3ab\",")
    + #","device":"a100","runtime":"protran","batch_size":128,"sequence_length":128,"precision":"fp32","threads":2,"order":7,"#
    + #""latency_s":0.1,"batch_latency_s":12.8,"latency_p95_s":0.30000000000000004,"spread_s":0.0,"energy_j":1e-05,"#
    + #""peak_power_w":119.1,"power_scope":"module","idle_included":true,"sampling_interval_s":0.2,"meter":"m \"1\"","#
    + #""measured_at":"2024-01-02T03:04:05Z","environment":{"a":"1","b":"é"},"includes_startup":true}"#

  static func message(_ text: String) -> String? {
    do {
      _ = try MeasurementFile.read(bytes: [UInt8](text.utf8), source: "m")
      return nil
    } catch { return (error as? InputFileError)?.description }
  }

  @Test func everyFieldRoundTrips() throws {
    let row = try #require(MeasurementFile.read(bytes: [UInt8](Self.line.utf8), source: "m").first)
    #expect(row.jsonLine == Self.line)
    #expect(row.latencyP95Seconds == 0.1 + 0.2 && row.energyJoules == 1e-5 && row.order == 7)
    #expect(row.powerScope == .module && row.environment == ["a": "1", "b": "é"] && row.includesStartup)
  }

  /// As other programs write them: numbers where this one has texts.
  @Test func environmentsTakeNumbers() throws {
    let text = Self.line.replacing(
      #"{"a":"1","b":"é"}"#, with: #"{"temperature_c":45.5,"fan":true,"runs":3,"site":null,"a":"x"}"#)
    let row = try #require(MeasurementFile.read(bytes: [UInt8](text.utf8), source: "m").first)
    #expect(row.environment == ["temperature_c": "45.5", "fan": "true", "runs": "3", "a": "x"])
  }

  @Test func nullAndAbsentAreNil() throws {
    let text =
      #"{"schema":"edgetwin.measurement/1","architecture":null,"features":{"x":1},"device":"d","runtime":"r","batch_size":1,"#
      + #""sequence_length":1,"precision":"fp16","latency_s":null,"environment":null,"idle_included":null}"#
    let row = try #require(MeasurementFile.read(bytes: [UInt8](text.utf8), source: "m").first)
    #expect(
      row.architecture == nil && row.features == ["x": 1] && row.latencySeconds == nil
        && row.energyJoules == nil)
    #expect(row.idleIncluded == nil && row.environment.isEmpty && !row.includesStartup)
    #expect(!row.jsonLine.contains("latency_s") && row.jsonLine.contains(#""architecture":null"#))
  }

  @Test(arguments: [
    (
      #""latency_s":0.1"#, #""latency_s":0"#,
      "m:3: latency_s: must be a number from 1e-12 to 1000000000.0, is 0; leave out what was not measured, or write null"
    ),
    (#""latency_s":0.1"#, #""latency_s":NaN"#, "latency_s: must be a number from"),
    (#""energy_j":1e-05"#, #""energy_j":-1"#, "energy_j: must be a number from"),
    (#""peak_power_w":119.1"#, #""peak_power_w":1e400"#, "peak_power_w: must be a number from"),
    (#""peak_power_w":119.1"#, #""peak_power_w":"119""#, "peak_power_w: must be a number, is"),
    (#""device":"a100""#, #""devise":"a100""#, "device: is missing (not known: `devise`)"),
    (#""device":"a100""#, #""device":"""#, "device: must be a text of"),
    (
      #""power_scope":"module""#, #""power_scope":"wall""#,
      "power_scope: must be one of board, package, accelerator, module"
    ),
    (#""precision":"fp32""#, #""precision":"fp64""#, "precision: must be one of"),
    (#""batch_size":128"#, #""batch_size":0"#, "batch_size: must be from 1"),
    (#""order":7"#, #""order":-1"#, "order: must be from 0"),
    (#""idle_included":true"#, #""idle_included":1"#, "idle_included: must be true or false"),
    (#""a":"1""#, #""a":[1]"#, "environment.a: must be a text"),
    (#""hidden_size":128"#, #""hidden_size":-128"#, "architecture.layers[0].hidden_size"),
    ("measurement/1", "measurement/9", "schema: is version 9"),
    (#""architecture":{"#, #""arch":{"#, "architecture: is missing, and there are no `features`"),
    (#""threads":2"#, #""threads":2,"threads":2"#, "given twice"),
    (#""threads":2,"#, #""threads":2,}"#, "m:3: expected"),
  ])
  func badFieldsAreNamed(_ old: String, _ new: String, _ part: String) {
    let text = Self.line + "\n\n" + Self.line.replacingOccurrences(of: old, with: new) + "\n"
    #expect(Self.message(text)?.contains(part) == true, "\(Self.message(text) ?? "accepted")")
    #expect(Self.message(text)?.hasPrefix("m:3") == true)
  }

  @Test func awkwardFilesAreRead() throws {
    let text = "\u{FEFF}\r\n" + Self.line + "\r\n \r\n" + Self.line
    #expect(try MeasurementFile.read(bytes: [UInt8](text.utf8), source: "m").count == 2)
    #expect(Self.message("\n\n") == "m: holds no measurement")
    #expect(Self.message("[\(Self.line)]")?.contains("must be an object, is a list") == true)
  }

  @Test func filesLargerThanAChunkAreRead() throws {
    let row = try #require(MeasurementFile.read(bytes: [UInt8](Self.line.utf8), source: "m").first)
    let rows = (0..<2_000).map { order in
      var copy = row
      copy.order = order
      return copy
    }
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try MeasurementFile.write(rows, to: path)
    #expect(try MeasurementFile.read(path) == rows)
    var lines: [Int] = []
    try MeasurementFile.forEach(in: path) { line, _ in lines.append(line) }
    #expect(lines == Array(1...2_000))
  }

  @Test func contentHashSeesContentAndOrder() throws {
    let row = try #require(MeasurementFile.read(bytes: [UInt8](Self.line.utf8), source: "m").first)
    var other = row
    other.latencySeconds = 0.1.nextUp
    #expect([Measurement]().contentHash == "cbf29ce484222325")
    #expect([row].contentHash.count == 16 && [row].contentHash == [row].contentHash)
    #expect(Set([[row], [other], [row, other], [other, row]].map(\.contentHash)).count == 4)
    // FNV-1a of the line and a line feed, computed by another implementation.
    #expect([row].contentHash == "ff1fcfc6705cdf2e")
  }

  @Test func rowsForPredictionKeepTheirSettings() throws {
    let embedding = "[" + Array(repeating: "0", count: 37).joined(separator: ",") + "]"
    let space = DesignSpace.flexibert2
    let own = space.architecture(of: try space.point(ofEmbedding: Array(repeating: 0, count: 37)))
    let text = [
      Self.architecture, Self.line, #"{"id":"x","embedding":"# + embedding + "}",
      #"{"trial":3,"architecture":"# + own.jsonLine + #","embedding":"# + embedding
        + #","device":"a100"}"#,
    ].joined(separator: "\n")
    let rows = try ArchitectureRow.read(bytes: [UInt8](text.utf8), source: "m")
    #expect(rows.map(\.line) == [1, 2, 3, 4])
    #expect(rows.map { $0.measurement != nil } == [false, true, false, false])
    #expect(rows.map { $0.embedding != nil } == [false, false, true, true])
    #expect(rows.map { $0.architecture != nil } == [true, true, false, true])
    #expect(throws: InputFileError.self) {
      try ArchitectureRow.read(bytes: [UInt8](#"{"embedding":[1,2]}"#.utf8), source: "m")
    }
    // An embedding that says something else than the layers; one of another space says nothing about them.
    let other = #"{"architecture":"# + Self.architecture + #","embedding":"# + embedding
    #expect(throws: InputFileError.self) {
      try ArchitectureRow.read(bytes: [UInt8]((other + "}").utf8), source: "m")
    }
    let foreign = try ArchitectureRow.read(bytes: [UInt8]((other + #","space_id":"x"}"#).utf8), source: "m")
    #expect(foreign[0].architecture != nil && foreign[0].embedding == nil)
  }
}
