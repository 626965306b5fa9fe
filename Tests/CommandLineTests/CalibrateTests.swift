import Foundation
import Testing

@Suite struct CalibrateTests {
  let tool: Tool

  init() throws { tool = try Tool() }

  /// Measurements that agree with a device's datasheet twin but for a factor, in a file.
  private func measured(_ count: Int, factor: Double, to name: String) throws -> String {
    let file = try tool.sample(count, seed: 11, to: "truth.jsonl")
    let architectures = try tool.read(file).split(separator: "\n")
    let rows = try tool.run("predict", "--device", "rpi4-cpu", "--architectures", file, "--format", "jsonl").rows()
    let text = zip(architectures, rows).enumerated().map { order, pair in
      // A few percent of scatter that the seed does not decide.
      let scatter = 1 + 0.02 * sin(Double(order * order))
      func cost(_ name: String) -> Double { pair.1.median(name) * scatter }
      return "{\"schema\":\"edgetwin.measurement/1\",\"architecture\":\(pair.0),\"device\":\"rpi4-cpu\","
        + "\"runtime\":\"protran\",\"batch_size\":1,\"sequence_length\":128,\"precision\":\"fp32\",\"order\":\(order),"
        + "\"latency_s\":\(factor * cost("latency_s")),\"energy_j\":\(factor * cost("energy_j")),"
        + "\"peak_power_w\":\(cost("peak_power_w")),\"power_scope\":\"board\"}\n"
    }.joined()
    return try tool.write(text, to: name)
  }

  @Test func aTwinLearnsItsDevice() throws {
    defer { tool.remove() }
    let measurements = try measured(24, factor: 3, to: "m.jsonl")
    let result = try tool.run(
      "calibrate", measurements, "--device", "rpi4-cpu", "--runtime", "protran", "--output", "twin.yaml", "--report",
      "report.json", "--seed", "5")
    #expect(result.status == 0 && result.output.isEmpty)
    #expect(result.errors.contains("fitted on 24 measurements"))
    let report = try Tool.object(tool.read("report.json"))
    #expect(report["schema"] as? String == "edgetwin.report/1" && report.number("rows") == 24)

    let unseen = try tool.sample(10, seed: 99, to: "unseen.jsonl")
    func predict(_ device: String) throws -> [[String: Any]] {
      try tool.run("predict", "--device", device, "--architectures", unseen, "--format", "jsonl").rows()
    }
    for (fitted, datasheet) in zip(try predict("twin.yaml"), try predict("rpi4-cpu")) {
      let ratio = fitted.median("latency_s") / (3 * datasheet.median("latency_s"))
      #expect(ratio > 0.75 && ratio < 1.33)
      #expect(fitted["interval_basis"] as? String == "conformal")
    }
    // The file that was written is a device file like any other.
    let shown = try tool.run("devices", "show", "twin.yaml").output
    #expect(shown.contains("fitted on 24 rows"))

    let again = try tool.run(
      "calibrate", measurements, "--device", "rpi4-cpu", "--runtime", "protran", "--output", "-", "--seed", "5")
    #expect(try again.output == tool.read("twin.yaml"))
  }

  @Test func fewRowsRestOnThePrior() throws {
    defer { tool.remove() }
    let all = try tool.read(measured(4, factor: 2, to: "m.jsonl"))
    let result = try tool.run(
      "calibrate", "-", "--device", "rpi4-cpu", "--runtime", "protran", "--output", "twin.yaml", input: all)
    #expect(result.status == 0)
    let unseen = try tool.sample(1, seed: 99, to: "unseen.jsonl")
    let row = try tool.run(
      "predict", "--device", "./twin.yaml", "--architectures", unseen, "--format", "jsonl"
    ).rows()[0]
    #expect(row["interval_basis"] as? String == "prior")
  }

  @Test func nothingIsWrittenWhereItFails() throws {
    defer { tool.remove() }
    try tool.write("precious", to: "twin.yaml")
    let measurements = try measured(4, factor: 2, to: "m.jsonl")
    let three = try tool.read(measurements).split(separator: "\n").prefix(3).joined(separator: "\n")
    let few = try tool.run(
      "calibrate", "-", "--device", "rpi4-cpu", "--runtime", "protran", "--output", "twin.yaml", input: three)
    #expect(few.status == 65 && few.message.contains("at least 4"))
    #expect(try tool.read("twin.yaml") == "precious")

    let other = try tool.run(
      "calibrate", measurements, "--device", "ncs2", "--runtime", "protran", "--output", "twin.yaml")
    #expect(other.status == 65 && other.message.contains("m.jsonl") && other.message.contains("rpi4-cpu with protran"))

    let mixed = try tool.read(measurements)
    let last = mixed.split(separator: "\n")[3].replacing("\"batch_size\":1", with: "\"batch_size\":2")
    try tool.write("\n" + mixed + last, to: "mixed.jsonl")
    let settings = try tool.run(
      "calibrate", "mixed.jsonl", "--device", "rpi4-cpu", "--runtime", "protran", "--output", "twin.yaml")
    #expect(settings.status == 65 && settings.message.contains("mixed.jsonl:6"))

    let nowhere = try tool.run(
      "calibrate", measurements, "--device", "rpi4-cpu", "--runtime", "protran", "--output", "no/folder/twin.yaml")
    #expect(nowhere.status == 1 && nowhere.message.contains("no/folder"))
    let unknown = try tool.run(
      "calibrate", measurements, "--device", "rpi4-cpu", "--runtime", "magic", "--output", "twin.yaml")
    #expect(unknown.status == 64 && unknown.message.contains("magic"))
  }

  @Test func suggestionsAreOfTheCandidates() throws {
    defer { tool.remove() }
    let measurements = try measured(8, factor: 2, to: "m.jsonl")
    let candidates = try tool.sample(30, seed: 4, to: "candidates.jsonl")
    let ids = try tool.read(candidates).split(separator: "\n").map { try Tool.object(String($0))["id"] as? String }
    let arguments = ["suggest", measurements, "--device", "rpi4-cpu", "--runtime", "protran", "--count", "5"]
    let result = try tool.run(arguments: arguments + ["--candidates", candidates])
    #expect(result.status == 0)
    let rows = try result.rows()
    #expect(rows.count == 5 && Set(rows.map { $0["id"] as? String }).isSubset(of: ids))
    #expect(rows.allSatisfy { $0.number("gain") > 0 && $0["reason"] is String && $0["architecture"] is [String: Any] })
    #expect(try tool.run(arguments: arguments + ["--seed", "3"]).rows().count == 5)
    // What is measured already is not suggested.
    let truth = try tool.run(arguments: arguments + ["--candidates", "truth.jsonl"])
    #expect(truth.status == 65 && truth.message.contains("measured already"))
    // Nothing measured is fine.
    try tool.write("", to: "none.jsonl")
    #expect(
      try tool.run("suggest", "none.jsonl", "--device", "rpi5-cpu", "--runtime", "protran", "--count", "2").lines.count
        == 2)
  }

  static let data = ProcessInfo.processInfo.environment["EDGETWIN_DATA"]

  @Test(.enabled(if: data != nil, "set EDGETWIN_DATA to the folder of the published data"))
  func publishedResultsAreImportedInOrder() throws {
    defer { tool.remove() }
    let data = try #require(Self.data)
    let all = try tool.run("import", "protran", "\(data)/protran", "--output", "m.jsonl")
    #expect(all.status == 0 && all.output.isEmpty && all.errors.contains("587 measurements"))
    let one = try tool.run(
      "import", "protran", "\(data)/protran/results_npu_ncs_b1_r1", "\(data)/protran/results_cpu_rpi_b1_r1", "--output",
      "-")
    let rows = try one.rows()
    #expect(
      rows.map { $0["device"] as? String } == Array(repeating: "ncs2", count: 16)
        + Array(repeating: "rpi4-cpu", count: 61))
    #expect(rows.prefix(16).map { $0.number("order") } == (0..<16).map(Double.init))

    let hat = try tool.run(
      "import", "hat", "\(data)/hat/wmt14ende_cpu_raspberrypi_all.csv", "--output", "-")
    let first = try Tool.object(hat.lines[0])
    #expect(
      first["architecture"] is NSNull && first["features"] is [String: Any] && first["runtime"] as? String == "hat")
    #expect(first.number("latency_s") > 0 && first.number("spread_s") >= 0)
    let head = hat.lines.prefix(40).joined(separator: "\n")
    let predicted = try tool.run(
      "predict", "--device", "rpi4-cpu", "--architectures", "-", "--format", "jsonl", input: head)
    #expect(predicted.status == 0 && predicted.lines.count == 40)
    let row = try predicted.rows()[0]
    #expect(row["runtime"] as? String == "hat" && row.median("latency_s") > 0 && row["parameters"] is NSNull)
    let elsewhere = try tool.run("predict", "--device", "a100", "--architectures", "-", input: head)
    #expect(elsewhere.status == 65 && elsewhere.message.contains("standard input:1"))
  }
}
