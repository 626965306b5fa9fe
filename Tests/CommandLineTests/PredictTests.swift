import Foundation
import Testing

@Suite struct PredictTests {
  let tool: Tool

  init() throws { tool = try Tool() }

  @Test func sampleIsSeededAndReadsBack() throws {
    defer { tool.remove() }
    let first = try tool.run("sample", "--count", "6", "--seed", "3")
    #expect(first.status == 0 && first.lines.count == 6)
    #expect(try tool.run("sample", "--count", "6", "--seed", "3").output == first.output)
    #expect(try tool.run("sample", "--count", "6", "--seed", "4").output != first.output)
    for method in ["lhs", "sobol", "halton", "hammersley", "random"] {
      let rows = try tool.run("sample", "--count", "4", "--seed", "1", "--method", method).rows()
      #expect(rows.count == 4)
      for row in rows {
        #expect(row["schema"] as? String == "edgetwin.architecture/1")
        #expect((row["embedding"] as? [Int])?.count == 37 && (row["id"] as? String)?.count == 16)
      }
    }
  }

  @Test func rowsAreInOrderWithEveryField() throws {
    defer { tool.remove() }
    let file = try tool.sample(5)
    let ids = try tool.read(file).split(separator: "\n").map { try Tool.object(String($0))["id"] as? String }
    let result = try tool.run(
      "predict", "--device", "rpi4-cpu", "--architectures", file, "--format", "jsonl")
    #expect(result.status == 0)
    let rows = try result.rows()
    #expect(rows.map { $0["id"] as? String } == ids)
    for row in rows {
      for measure in ["latency_s", "batch_latency_s", "energy_j", "peak_power_w"] {
        let estimate = row.object(measure)
        #expect(estimate.number("lower") > 0 && estimate.number("lower") < estimate.number("median"))
        #expect(estimate.number("median") < estimate.number("upper"))
      }
      #expect(row["device"] as? String == "rpi4-cpu" && row["runtime"] as? String == "protran")
      #expect(row["fits_memory"] as? Bool == true && row["includes_startup"] as? Bool == false)
      #expect(["prior", "conformal"].contains(row["interval_basis"] as? String))
      #expect(row["power_scope"] as? String == "board" && row["bound_by"] is String)
      #expect(row["extrapolated"] is [String] && row.number("level") == 0.9)
      #expect(row.number("parameters") > 1e6 && row.number("memory_bytes") > row.number("parameters"))
    }
  }

  @Test func everyFormatSaysTheSame() throws {
    defer { tool.remove() }
    let file = try tool.sample(3)
    func run(_ format: String) throws -> String {
      try tool.run("predict", "--device", "m1-pro-cpu", "--architectures", file, "--format", format).output
    }
    let list = try #require(try JSONSerialization.jsonObject(with: Data(run("json").utf8)) as? [[String: Any]])
    let rows = try run("jsonl").split(separator: "\n").map { try Tool.object(String($0)) }
    #expect(list.map { $0.median("latency_s") } == rows.map { $0.median("latency_s") })
    let csv = try run("csv").split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    let column = try #require(csv[0].firstIndex(of: "latency_s.median"))
    for (cells, row) in zip(csv.dropFirst(), rows) {
      #expect(abs((Double(cells[column]) ?? .nan) / row.median("latency_s") - 1) < 1e-12)
    }
    #expect(try run("table").contains("90 % intervals"))
  }

  @Test func embeddingsAndStandardInput() throws {
    defer { tool.remove() }
    let rows = try tool.run("sample", "--count", "2", "--seed", "5").rows()
    let input = try rows.map { row in
      let data = try JSONSerialization.data(withJSONObject: ["embedding": row["embedding"] ?? []])
      return String(decoding: data, as: UTF8.self) + "\n"
    }.joined()
    let result = try tool.run(
      "predict", "--device", "rpi4-cpu", "--architectures", "-", "--format", "jsonl", input: input)
    #expect(try result.rows().map { $0["id"] as? String } == rows.map { $0["id"] as? String })
  }

  @Test func measurementsBringTheirSettings() throws {
    defer { tool.remove() }
    let architecture = try tool.run("sample", "--count", "1", "--seed", "5").output
    func row(_ extra: String) -> String {
      "{\"schema\":\"edgetwin.measurement/1\",\"device\":\"rpi4-cpu\",\"runtime\":\"protran\",\"batch_size\":4,"
        + "\"sequence_length\":64,\"precision\":\"fp32\",\"architecture\":\(architecture.dropLast())\(extra)}\n"
    }
    let input = row("") + row(",\"includes_startup\":true") + row(",\"order\":7,\"latency_s\":123.0")
    let result = try tool.run(
      "predict", "--device", "rpi4-cpu", "--architectures", "-", "--format", "jsonl", "--batch-size", "9",
      input: input)
    let rows = try result.rows()
    #expect(rows.count == 3)
    #expect(rows.allSatisfy { $0.number("batch_size") == 4 && $0.number("sequence_length") == 64 })
    #expect(rows[1]["includes_startup"] as? Bool == true)
    #expect(rows[1].median("latency_s") > rows[0].median("latency_s"))
    // What was measured, and when, is not used.
    #expect(rows[2].median("latency_s") == rows[0].median("latency_s"))
    #expect(result.errors.contains("--batch-size"))
  }

  @Test func overridesAreNamedAndWiden() throws {
    defer { tool.remove() }
    let file = try tool.sample(1)
    func row(_ extra: [String]) throws -> [String: Any] {
      let process = ["predict", "--device", "rpi4-cpu", "--architectures", file, "--format", "jsonl"] + extra
      let result = try tool.run(arguments: process)
      #expect(result.status == 0)
      return try result.rows()[0]
    }
    let plain = try row([])
    let fast = try row(["--set", "clock=2x", "--set", "ram=8GB"])
    #expect(fast["extrapolated"] as? [String] == ["clock", "memory.capacity"])
    #expect(fast.median("latency_s") < plain.median("latency_s"))
    func width(_ row: [String: Any]) -> Double {
      row.object("latency_s").number("upper") / row.object("latency_s").number("lower")
    }
    #expect(width(fast) > width(plain))
    #expect(try width(row(["--level", "0.5"])) < width(plain))
    #expect(try row(["--batch-size", "8"]).number("batch_size") == 8)
  }

  @Test func aModelThatDoesNotFitIsARowWithoutFigures() throws {
    defer { tool.remove() }
    let file = try tool.sample(2)
    let result = try tool.run(
      "predict", "--device", "a100", "--architectures", file, "--batch-size", "65536", "--format", "jsonl")
    #expect(result.status == 1)
    let rows = try result.rows()
    #expect(rows.count == 2)
    for row in rows {
      #expect(row["fits_memory"] as? Bool == false && row["error"] is String)
      #expect(row.object("latency_s")["median"] is NSNull && row.object("energy_j")["upper"] is NSNull)
    }
    #expect(result.errors.split(separator: "\n").count == 2)
  }
}
