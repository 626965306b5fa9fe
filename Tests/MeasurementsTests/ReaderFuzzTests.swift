import Foundation
import Testing

import struct Measurements.Measurement

@testable import Architectures
@testable import Measurements

/// Every reader is given thousands of damaged files: it answers, or throws an error that a person can use; it never crashes.
@Suite struct ReaderFuzzTests {
  struct Target: CustomTestStringConvertible, Sendable {
    let name: String
    let samples: [[UInt8]]
    /// Reads, and returns what of the accepted breaks a promise.
    let read: @Sendable ([UInt8]) throws -> String?
    var testDescription: String { name }

    init(_ name: String, _ samples: [String], _ read: @escaping @Sendable ([UInt8]) throws -> String?) {
      self.name = name
      self.samples = samples.map { Array($0.utf8) }
      self.read = read
    }
  }

  static let casesPerTarget = 2_000

  // MARK: What accepted values promise

  static func violation(_ architecture: Architecture) throws -> String? {
    if let (field, problem) = ArchitectureLimits.violation(in: architecture) { return "\(field) \(problem)" }
    let copy = try ArchitectureReader.architecture(json: architecture.jsonLine, source: "copy")
    return copy == architecture ? nil : "does not round-trip: \(architecture.jsonLine)"
  }

  static func violation(_ row: Measurement) throws -> String? {
    if let architecture = row.architecture, let found = try violation(architecture) { return found }
    let positive = [
      row.latencySeconds, row.batchLatencySeconds, row.latencyP95Seconds, row.energyJoules,
      row.peakPowerWatts,
      row.samplingIntervalSeconds,
    ].compactMap(\.self)
    guard positive.allSatisfy({ $0 > 0 && $0.isFinite }), (row.spreadSeconds ?? 0) >= 0,
      row.spreadSeconds?.isFinite ?? true
    else { return "a measured value is not positive and finite" }
    guard row.features?.values.allSatisfy(\.isFinite) ?? true, row.architecture != nil || row.features != nil
    else {
      return "features"
    }
    guard row.batchSize > 0, row.sequenceLength > 0, row.threads ?? 1 > 0, row.order ?? 0 >= 0,
      !row.device.isEmpty
    else { return "settings" }
    let copy = try MeasurementFile.read(bytes: Array(row.jsonLine.utf8), source: "copy")
    return copy == [row] ? nil : "does not round-trip: \(row.jsonLine)"
  }

  static func violation(_ rows: [ArchitectureRow]) throws -> String? {
    for row in rows {
      if let architecture = row.architecture, let found = try violation(architecture) { return found }
      if let measurement = row.measurement, let found = try violation(measurement) { return found }
      if row.architecture == nil, row.embedding?.count != 37, row.measurement?.features == nil {
        return "an empty row"
      }
    }
    return rows.contains { $0.line < 1 } ? "a line" : nil
  }

  static func firstViolation(_ rows: [Measurement]) throws -> String? {
    for row in rows { if let found = try violation(row) { return found } }
    return nil
  }

  // MARK: Samples

  static let yaml = """
    # two layers
    schema: edgetwin.architecture/1
    vocabulary_size: 50265
    maximum_positions: 514
    type_vocabulary_size: 1
    position: relative_key
    layers:
      - hidden_size: 128
        heads: [sa_sdp, 'c_5']
        feed_forward:
        - 256
        - 512
      - {hidden_size: 256, head_size: 32, heads: ["l_dft"], feed_forward: [1024]}

    """
  static let config =
    #"{"model_type":"roberta","hidden_act":"gelu","hidden_size":384,"num_hidden_layers":6,"num_attention_heads":12,"#
    + #""intermediate_size":1536,"vocab_size":30522,"max_position_embeddings":512,"position_embedding_type":"absolute"}"#
  static let dictionary =
    #"{"l":2,"o":[["sa_sdp_64","c_5_64"],["l_dct_32","c_13_32","sa_wma_32","l_dft_32"]],"h":[128,128],"f":[[256,512],[256]]}"#

  /// The first rows of a published data set, as a file of its own.
  static func firstRows(_ path: String, count: Int) -> String? {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
    let parts = text.components(separatedBy: "}}, \"")
    return parts.count > count ? parts[..<count].joined(separator: "}}, \"") + "}}}" : text
  }

  static func firstLines(_ path: String, count: Int) -> String? {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
    return text.split(separator: "\n").prefix(count).joined(separator: "\n") + "\n"
  }

  static let targets: [Target] = {
    let folder = SharedData.folder?.path
    let platform = try? ProTranPlatform(folderName: "results_gpu_a100_b128_r3", source: "f")
    let realSets = ["results_gpu_a100_b128_r3", "results_npu_ncs_b1_r1"].compactMap { name in
      folder.flatMap { firstRows("\($0)/protran/\(name)/dataset/dataset.json", count: 3) }
    }
    let realTables = ["wmt14ende_cpu_raspberrypi_all", "iwslt14deen_gpu_titanxp_all"].compactMap { name in
      folder.flatMap { firstLines("\($0)/hat/\(name).csv", count: 5) }
    }
    let realRows = realSets.compactMap { text -> [Measurement]? in
      platform.flatMap {
        try? ProTranImporter.measurements(bytes: Array(text.utf8), source: "f", platform: $0)
      }
    }.flatMap(\.self)
    let ownLines = [MeasurementTests.architecture] + realRows.compactMap { $0.architecture?.jsonLine }
    let rows = [MeasurementTests.line] + realRows.map(\.jsonLine)
    let sets = [ProTranImporterTests.dataset] + realSets
    let tables = [HATImporterTests.table] + realTables

    let architectures: @Sendable ([UInt8]) throws -> String? = { bytes in
      for row in try ArchitectureReader.read(bytes: bytes, source: "f") {
        if let found = try violation(row.architecture) { return found }
      }
      return nil
    }
    return [
      Target("architecture JSON", Array(ownLines.prefix(3)), architectures),
      Target("architecture JSON Lines", [ownLines.prefix(3).joined(separator: "\r\n")], architectures),
      Target("architecture YAML", [yaml, ownLines[0]]) { bytes in
        for row in try ArchitectureReader.read(bytes: bytes, source: "f", isYAML: true) {
          if let found = try violation(row.architecture) { return found }
        }
        return nil
      },
      Target("ProTran dictionary", [dictionary], architectures),
      Target("ProTran data set as architectures", sets, architectures),
      Target("Hugging Face configuration", [config], architectures),
      Target("measurement JSON Lines", [rows[0], rows.prefix(3).joined(separator: "\n")]) { bytes in
        try firstViolation(MeasurementFile.read(bytes: bytes, source: "f"))
      },
      Target(
        "rows to predict", [rows[0], (rows.prefix(2) + ownLines.prefix(2)).joined(separator: "\n"), yaml]
      ) { bytes in
        try violation(ArchitectureRow.read(bytes: bytes, source: "f"))
      },
      Target("ProTran data set", sets) { bytes in
        guard let platform else { return "no platform" }
        return try firstViolation(ProTranImporter.measurements(bytes: bytes, source: "f", platform: platform))
      },
      Target("HAT table", tables) { bytes in
        try firstViolation(
          HATImporter.measurements(bytes: bytes, source: "f", fileName: "wmt14ende_cpu_raspberrypi_all.csv"))
      },
    ]
  }()

  @Test(arguments: targets) func damagedFilesAreAnsweredOrRefused(_ target: Target) throws {
    for sample in target.samples {
      #expect(try target.read(sample) == nil)
    }
    var mutator = Mutator(seed: UInt64(target.name.utf8.reduce(7) { ($0 &* 31) &+ Int($1) } & 0xFFFF_FFFF))
    var refused = 0
    for number in 0..<Self.casesPerTarget {
      let bytes = mutator.damage(target.samples[mutator.below(target.samples.count)])
      do {
        if let found = try target.read(bytes) { Issue.record("case \(number): accepted, but \(found)") }
      } catch let error as InputFileError {
        refused += 1
        let text = error.description
        let isUseful =
          text.hasPrefix("f") && text.count > 5 && !text.contains(where: \.isNewline)
          && (error.line ?? 1) >= 1
        #expect(isUseful, "case \(number): \(text)")
      } catch {
        Issue.record("case \(number): an error that is not ours: \(error)")
      }
    }
    // Damage that never shows, or always, would test nothing.
    #expect(refused > Self.casesPerTarget / 4 && refused < Self.casesPerTarget)
  }
}
