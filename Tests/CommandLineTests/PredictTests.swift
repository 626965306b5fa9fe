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

  @Test func standardInputIsAnyOneFile() throws {
    defer { tool.remove() }
    try tool.write(try tool.run("sample", "--count", "3", "--seed", "3").output, to: "a.jsonl")
    let device = try tool.run("devices", "show", "rpi4-cpu", "--format", "yaml").output
    try tool.write(device, to: "d.yaml")
    let named = try tool.run("predict", "--device", "d.yaml", "--architectures", "a.jsonl", "--format", "jsonl")
    let read = try tool.run(
      "predict", "--device", "-", "--architectures", "a.jsonl", "--format", "jsonl", input: device)
    #expect(named.status == 0 && read.status == 0 && read.output == named.output, "\(read.errors)")
    #expect(try tool.run("predict", "--device", "-", "--architectures", "-", input: device).status == 64)
    // As Python's yaml.safe_dump writes an object that is there twice.
    let shared = """
      layers:
      - &id001
        feed_forward: [512]
        heads: [sa_sdp, l_dft]
        hidden_size: 128
      - *id001
      maximum_positions: 128
      position: absolute
      schema: edgetwin.architecture/1
      type_vocabulary_size: 2
      vocabulary_size: 1000

      """
    let written = shared.replacing(" &id001\n ", with: "").replacing(
      "- *id001", with: "- feed_forward: [512]\n  heads: [sa_sdp, l_dft]\n  hidden_size: 128")
    let twice = try tool.run(
      "predict", "--device", "rpi4-cpu", "--architectures", "-", "--format", "jsonl", input: shared)
    #expect(twice.status == 0, "\(twice.errors)")
    #expect(
      try tool.run("predict", "--device", "rpi4-cpu", "--architectures", "-", "--format", "jsonl", input: written)
        .output == twice.output)
    #expect(try tool.run("study", "create", "-", "--problem", "none.yaml").status != 0)
  }

  @Test func samplersCompare() throws {
    defer { tool.remove() }
    let rows = try tool.run("sample", "--count", "40", "--seed", "1", "--compare", "--format", "jsonl").rows()
    #expect(Set(rows.compactMap { $0["method"] as? String }) == ["lhs", "sobol", "halton", "hammersley", "random"])
    let means = rows.map { $0.number("mean_distance") }
    #expect(means == means.sorted(by: >) && means.allSatisfy { $0 > 1 })
    for row in rows {
      #expect(row.number("least_distance") < row.number("mean_distance") && row.number("distinct") == 40)
    }
    let table = try tool.run("sample", "--count", "40", "--seed", "1", "--compare")
    #expect(table.output.contains("hammersley") && table.output.contains("1.6859e88"))
    #expect(try tool.run("sample", "--count", "1", "--seed", "1", "--compare").status == 64)
    let csv = try tool.run("sample", "--count", "3", "--seed", "1", "--format", "csv")
    #expect(csv.lines.count == 4 && csv.lines[0].hasPrefix("schema,id,"))
    let list = try tool.run("sample", "--count", "3", "--seed", "1", "--format", "table").output
    for row in try tool.run("sample", "--count", "3", "--seed", "1").rows() {
      #expect(list.contains(try #require(row["id"] as? String)))
    }
  }

  @Test func spacesAreShownExactly() throws {
    defer { tool.remove() }
    let text = try tool.run("space", "show").output
    // All digits, as big integers of another program have them.
    let exact = "16858908734132497780908867493333806257614075489378357347998921892214947867599639413377600"
    #expect(text.contains(exact) && text.contains("1.6859e88") && text.contains("21805"))
    let record = try tool.run("space", "show", "--format", "json").rows()[0]
    #expect(record["cardinality"] as? String == exact && record["cardinality_rounded"] as? String == "1.6859e88")
    #expect((record["by_layers"] as? [Any])?.count == 6)
    let yaml = try tool.run("space", "show", "--format", "yaml").output
    let own = yaml.replacing("layer_counts: [2, 4, 6, 8, 10, 12]", with: "layer_counts: [2, 3]")
    #expect(own != yaml)
    try tool.write(own, to: "s.yaml")
    #expect(try tool.run("space", "show", "s.yaml").output.contains("11394817770583232193600"))
    // Embeddings of another space are told apart from FlexiBERT 2.0's.
    let sample = try tool.run("sample", "--count", "2", "--seed", "1", "--space", "s.yaml")
    try tool.write(sample.output, to: "a.jsonl")
    #expect(try sample.rows().allSatisfy { ($0["space_id"] as? String)?.count == 16 })
    #expect(try tool.run("predict", "--device", "rpi4-cpu", "--architectures", "a.jsonl").status == 0)
  }

  @Test func embeddingsMustAgreeWithLayers() throws {
    defer { tool.remove() }
    let rows = try tool.run("sample", "--count", "2", "--seed", "1").lines.map { line in
      try #require(line.range(of: "\"embedding\":").map { (line[..<$0.lowerBound], line[$0.lowerBound...]) })
    }
    try tool.write("\(rows[0].0)\(rows[0].1)\n\(rows[0].0)\(rows[1].1)\n", to: "a.jsonl")
    let result = try tool.run("predict", "--device", "rpi4-cpu", "--architectures", "a.jsonl")
    #expect(result.status == 65 && result.errors.contains("a.jsonl:2: embedding: is of another architecture"))
    try tool.write(
      "schema: edgetwin.problem/1\nspace: flexibert2\ndevices: [rpi4-cpu]\n"
        + "objectives: [{name: latency_s, direction: minimize}]\n", to: "p.yaml")
    let answers = try tool.run("evaluate", "--problem", "p.yaml", input: tool.read("a.jsonl")).rows()
    #expect(answers[0]["error"] is NSNull && (answers[1]["error"] as? String)?.contains("another architecture") == true)
  }

  @Test func rowsOfAnotherDeviceAreSaid() throws {
    defer { tool.remove() }
    let architecture = try tool.run("sample", "--count", "1", "--seed", "1").lines[0]
    func row(_ device: String, _ more: String = "") -> String {
      "{\"schema\":\"edgetwin.measurement/1\",\"device\":\"\(device)\",\"runtime\":\"protran\",\"batch_size\":4,"
        + "\"sequence_length\":128,\"precision\":\"fp32\",\(more)\"architecture\":\(architecture)}\n"
    }
    try tool.write(row("a100") + row("rpi4-cpu"), to: "m.jsonl")
    let result = try tool.run("predict", "--device", "rpi4-cpu", "--architectures", "m.jsonl", "--format", "jsonl")
    #expect(result.status == 0 && result.lines.count == 2)
    #expect(result.message == "1 of 2 rows were measured on another device (a100); predicted is rpi4-cpu")
    for (figures, status) in [
      ("\"latency_s\":1,\"batch_latency_s\":4.03,", 0), ("\"latency_s\":1,\"batch_latency_s\":4.05,", 65),
      ("\"latency_s\":1,\"batch_latency_s\":1,", 65),
      ("\"includes_startup\":true,\"latency_s\":1,\"batch_latency_s\":1,", 0),
    ] {
      try tool.write(row("rpi4-cpu") + row("rpi4-cpu", figures), to: "m.jsonl")
      let result = try tool.run("predict", "--device", "rpi4-cpu", "--architectures", "m.jsonl")
      #expect(result.status == Int32(status), "\(figures)")
      #expect(result.errors.contains("m.jsonl:2: batch_latency_s: ") == (status == 65), "\(result.errors)")
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
