import Architectures
import Foundation
import Testing

import struct Measurements.Measurement

@testable import Measurements

/// The shared data, where the environment names them.
enum SharedData {
  static let folder = ProcessInfo.processInfo.environment["EDGETWIN_DATA"].map { URL(fileURLWithPath: $0) }
  static let isPresent = folder.map { FileManager.default.fileExists(atPath: $0.path + "/protran") } ?? false
  static let hint: Comment = "set EDGETWIN_DATA to the folder that holds protran/ and hat/"

  static func path(_ name: String) throws -> String { try #require(folder).appendingPathComponent(name).path }
}

@Suite struct ProTranImporterTests {
  static let row =
    #"{"model_dict":{"l":2,"o":[["sa_sdp_64","c_5_64"],["sa_sdp_64","c_5_64"]],"h":[128,128],"f":[[256,512],[256]]},"#
    + #""model_type":"shallow_narrow","embedding":"[0, 0, 7, 4, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]","#
    + #""performance":{"latency":0.5,"energy":2.5,"peak_power":4.0}}"#
  static let dataset = #"{"zz":"# + row + #","aa":"# + row + "}"

  private func read(_ text: String) throws -> [Measurement] {
    try ProTranImporter.measurements(
      bytes: [UInt8](text.utf8), source: "d.json",
      platform: ProTranPlatform(folderName: "results_gpu_a100_b128_r3", source: "d.json"))
  }

  @Test func rowsKeepTheFilesOrderAndSayHowTheyWereMeasured() throws {
    let rows = try read(Self.dataset)
    #expect(rows.map { $0.environment["row"] } == ["zz", "aa"] && rows.map(\.order) == [0, 1])
    let first = rows[0]
    #expect(
      first.device == "a100" && first.runtime == "protran" && first.batchSize == 128
        && first.sequenceLength == 128)
    #expect(first.latencySeconds == 0.5 && first.batchLatencySeconds == 64 && first.energyJoules == 2.5)
    #expect(
      first.peakPowerWatts == 4 && first.powerScope == .module && first.idleIncluded == true
        && first.includesStartup)
    #expect(first.meter == "nvidia-smi" && first.samplingIntervalSeconds == 0.2 && first.precision == "fp32")
    #expect(first.environment["runs"] == "3" && first.environment["model_type"] == "shallow_narrow")
  }

  @Test(
    arguments: [
      ("results_cpu_m1-pro_b32_r1", "m1-pro-cpu", 32, "fp32", PowerScope.package, nil),
      ("results_gpu_m1-pro_b32_r3", "m1-pro-gpu", 32, "fp32", .package, nil),
      ("results_cpu_rpi_b1_r1", "rpi4-cpu", 1, "fp32", .board, 4),
      ("results_npu_ncs_b1_r1", "ncs2", 1, "fp16", .board, 1),
      ("results_cpu_jetson-nano_b1_r1", "jetson-nano-cpu", 1, "fp32", .board, 0.2),
      ("results_gpu_jetson-nano_b1_r1", "jetson-nano-gpu", 1, "fp32", .board, 0.2),
    ] as [(String, String, Int, String, PowerScope, Double?)])
  func folderNamesSayThePlatform(
    _ name: String, _ device: String, _ batch: Int, _ precision: String, _ scope: PowerScope,
    _ interval: Double?
  ) throws {
    let platform = try ProTranPlatform(folderName: name, source: "x")
    #expect(platform.device == device && platform.batchSize == batch && platform.precision == precision)
    #expect(platform.powerScope == scope && platform.samplingIntervalSeconds == interval)
  }

  @Test(arguments: [
    "results_gpu_h100_b1_r1", "results_gpu_a100_b0_r1", "results_gpu_a100_b1", "gpu_a100", "",
    "results_gpu_a100_bx_r1",
    "results_gpu_a100_b99999999999999999999_r1", "results_gpu_a100_b1_r1_old",
  ])
  func unknownFoldersAreRefused(_ name: String) {
    #expect(throws: InputFileError.self) { try ProTranPlatform(folderName: name, source: "x") }
  }

  @Test(arguments: [
    (#""latency":0.5"#, #""latency":0"#, "zz.performance.latency"),
    (#""latency":0.5"#, #""time":0.5"#, "zz.performance.latency: is missing"),
    (#""energy":2.5"#, #""energy":NaN"#, "zz.performance.energy"),
    (#""peak_power":4.0"#, #""peak_power":-4.0"#, "zz.performance.peak_power"),
    (
      "[0, 0, 7, 4", "[0, 0, 7, 5",
      "zz.embedding: does not belong to this model_dict: number 3 is 5, and should be 4"
    ),
    ("[0, 0, 7, 4", "[0, 0, 7", "zz.embedding: must have 37 to 37 items, has 36"),
    ("[0, 0, 7, 4", "[0, 0, x", "zz.embedding: is not a list"),
    (#""h":[128,128]"#, #""h":[128,130]"#, "zz.model_dict: is no member"),
    (#""h":[128,128]"#, #""h":[128]"#, "zz.model_dict.h: has 1 items"),
  ])
  func wrongRowsAreNamedByTheirKey(_ old: String, _ new: String, _ part: String) {
    do {
      _ = try read(Self.dataset.replacingOccurrences(of: old, with: new))
      Issue.record("accepted")
    } catch {
      #expect("\(error)".hasPrefix("d.json:1: ") && "\(error)".contains(part), "\(error)")
    }
  }

  @Test(.enabled(if: SharedData.isPresent, SharedData.hint)) func readsThePublishedResults() throws {
    let all = try ProTranImporter.read(SharedData.path("protran"))
    let folders = try FileManager.default.contentsOfDirectory(atPath: SharedData.path("protran"))
      .filter { $0.hasPrefix("results_") }.sorted()
    #expect(folders.count == 7 && Set(all.map(\.device)).count == 7)
    var joined: [Measurement] = []
    for folder in folders {
      let file = try SharedData.path("protran/\(folder)/dataset/dataset.json")
      let rows = try ProTranImporter.read(SharedData.path("protran/\(folder)"))
      #expect(try ProTranImporter.read(file) == rows)
      #expect(try ProTranImporter.read(SharedData.path("protran/\(folder)/")) == rows)
      #expect(try ProTranImporter.read(SharedData.path("protran/\(folder)/dataset/../.")) == rows)
      joined += rows
      // The order and the values by a pattern over the text. (Foundation's JSON parser is off by a last digit in some.)
      let text = try String(contentsOfFile: file, encoding: .utf8)
      let keys = text.matches(of: /"([0-9a-f]{32})": \{"model_dict"/).map { String($0.output.1) }
      #expect(rows.map { $0.environment["row"] } == keys)
      #expect(rows.map(\.order) == Array(0..<keys.count))
      let pattern =
        /"performance": \{"latency": ([0-9.e-]+), "energy": ([0-9.e-]+), "peak_power": ([0-9.e-]+)\}/
      let values: [[Double?]] = text.matches(of: pattern).map {
        [strtod(String($0.1), nil), strtod(String($0.2), nil), strtod(String($0.3), nil)]
      }
      #expect(rows.map { [$0.latencySeconds, $0.energyJoules, $0.peakPowerWatts] } == values)
    }
    #expect(joined == all)
    #expect(try MeasurementFile.read(bytes: [UInt8](MeasurementFile.text(all).utf8), source: "x") == all)
  }

  @Test func otherFoldersAreRefused() {
    #expect(throws: InputFileError.self) {
      try ProTranImporter.read(NSTemporaryDirectory() + "/nothing-here")
    }
    #expect(throws: InputFileError.self) { try ProTranImporter.read("/etc/hostname") }
    #expect(throws: InputFileError.self) { try ProTranImporter.read("/proc/self/task") }
  }
}

@Suite struct HATImporterTests {
  static let header =
    "encoder_embed_dim,encoder_layer_num,encoder_ffn_embed_dim_avg,encoder_self_attention_heads_avg,"
    + "latency_mean_encoder,latency_mean_decoder,latency_std_encoder,latency_std_decoder"
  static let table =
    header + "\n512,6,1877.3333333333333,6.0,1990.5,5932.5,413.5,45.5\n640,6,2304.0,5.0,200,3,0,6\n"

  private func read(_ text: String, _ name: String = "wmt14ende_cpu_raspberrypi_all.csv") throws
    -> [Measurement]
  {
    try HATImporter.measurements(bytes: [UInt8](text.utf8), source: "t.csv", fileName: name)
  }

  @Test func encoderLatencyIsInSeconds() throws {
    let rows = try read(Self.table)
    #expect(
      rows.map(\.order) == [0, 1] && rows[0].latencySeconds == 1.9905 && rows[0].spreadSeconds == 0.4135)
    #expect(rows[0].architecture == nil && rows[0].device == "rpi4-cpu" && rows[0].runtime == "hat")
    #expect(
      rows[0].features == [
        "encoder_embed_dim": 512, "encoder_layer_num": 6, "encoder_ffn_embed_dim_avg": 1877.3333333333333,
        "encoder_self_attention_heads_avg": 6,
      ])
    #expect(rows[0].batchSize == 1 && rows[0].sequenceLength == 30 && rows[0].precision == "fp32")
    #expect(rows[0].environment == ["task": "wmt14ende"] && !rows[0].includesStartup)
    #expect(try read(Self.table, "iwslt14deen_gpu_titanxp_all.csv").first?.device == "titan-xp")
    #expect(try read(Self.table, "wmt14enfr_cpu_xeon_all.csv").first?.device == "xeon-e5-2640")
  }

  @Test func quotesAndWindowsLinesAreRead() throws {
    let text = Self.table.replacingOccurrences(of: "\n", with: "\r\n")
      .replacingOccurrences(of: "1990.5", with: "\"1990.5\"")
      .replacingOccurrences(of: "latency_mean_decoder", with: "\"latency_\"\"x\"\",\ny\"")
    #expect(try read(text).map(\.latencySeconds) == (try read(Self.table)).map(\.latencySeconds))
  }

  @Test(arguments: [
    ("1990.5", "0", "t.csv:2: latency_mean_encoder: must be a number"),
    ("1990.5", "-3", "t.csv:2: latency_mean_encoder"),
    ("1990.5", "nan", "t.csv:2: latency_mean_encoder"),
    ("1990.5", "0x10", "t.csv:2: latency_mean_encoder"),
    ("1990.5", "1e999", "t.csv:2: latency_mean_encoder"),
    ("1990.5", "", "t.csv:2: latency_mean_encoder"),
    ("2304.0,", "", "t.csv:3: has 7 columns, the header has 8"),
    ("1990.5", "\"1990.5", "t.csv:2: a quote is not closed"),
    ("1990.5", "\"1\"2", "text after a closing quote"),
    ("1990.5", "1\"2", "a quote stands inside"),
    ("encoder_layer_num", "encoder_embed_dim", "two columns are named"),
    ("latency_std_encoder", "std", "there is no column `latency_std_encoder`"),
  ])
  func wrongTablesAreRefused(_ old: String, _ new: String, _ part: String) {
    do {
      _ = try read(Self.table.replacingOccurrences(of: old, with: new))
      Issue.record("accepted")
    } catch { #expect("\(error)".contains(part), "\(error)") }
  }

  @Test func namesMustSayTheDevice() {
    for name in ["x.csv", "wmt_cpu_m1_all.csv", "_cpu_xeon.csv", ""] {
      #expect(throws: InputFileError.self) { try read(Self.table, name) }
    }
    #expect(throws: InputFileError.self) { try read(Self.header) }
    #expect(throws: InputFileError.self) { try HATImporter.read("-") }
  }

  @Test(.enabled(if: SharedData.isPresent, SharedData.hint)) func readsThePublishedTables() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: SharedData.path("hat")).filter {
      $0.hasSuffix(".csv")
    }
    #expect(names.count == 8)
    for name in names {
      let path = try SharedData.path("hat/\(name)")
      let rows = try HATImporter.read(path)
      let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
      #expect(rows.count == lines.count - 1 && rows.allSatisfy { $0.features?.count == 10 })
      let last = try #require(lines.last).split(separator: ",")
      #expect(rows.last?.latencySeconds == (Double(last[10]) ?? 0) / 1_000)
      #expect(rows.last?.spreadSeconds == (Double(last[12]) ?? 0) / 1_000)
    }
  }
}
