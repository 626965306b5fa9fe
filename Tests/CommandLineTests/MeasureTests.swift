import Foundation
import Testing

@Suite struct MeasureTests {
  let tool: Tool

  init() throws { tool = try Tool() }

  private func model(layers: Int, hidden: Int = 128, positions: Int = 64) -> String {
    let layer = #"{"hidden_size":\#(hidden),"heads":["sa_sdp","c_5"],"feed_forward":[256]}"#
    return #"{"schema":"edgetwin.architecture/1","vocabulary_size":100,"maximum_positions":\#(positions),"#
      + #""type_vocabulary_size":2,"position":"absolute","layers":[\#(Array(repeating: layer, count: layers).joined(separator: ","))]}"#
      + "\n"
  }

  private let quick = [
    "--batch-size", "2", "--sequence-length", "16", "--threads", "1", "--repeats", "3", "--repeat-time", "1ms",
  ]

  @Test func rowsCanBeCalibratedFrom() throws {
    defer { tool.remove() }
    try tool.write((1...3).map { model(layers: $0) }.joined(), to: "a.jsonl")
    let arguments =
      ["measure", "--architectures", "a.jsonl", "--board", "local", "--runtime", "native"] + quick
      + ["--output", "m.jsonl"]
    let result = try tool.run(arguments: arguments)
    #expect(result.status == 0 && result.output.isEmpty, "\(result.errors)")
    #expect(result.errors.contains("measured 3 architectures"))
    let rows = try tool.read("m.jsonl").split(separator: "\n").map { try Tool.object(String($0)) }
    #expect(rows.count == 3)
    for (index, row) in rows.enumerated() {
      #expect(row["schema"] as? String == "edgetwin.measurement/1" && row["runtime"] as? String == "native")
      #expect(row["device"] as? String == "local" && row.number("order") == Double(index))
      #expect(row.number("batch_size") == 2 && row.number("sequence_length") == 16 && row.number("threads") == 1)
      #expect(abs(row.number("batch_latency_s") / row.number("latency_s") - 2) < 1e-9 && row.number("latency_s") > 0)
      #expect(
        row.number("latency_p95_s") > 0 && row.number("spread_s") >= 0 && row["energy_j"] == nil || row["meter"] != nil)
      let environment = row.object("environment")
      #expect(environment["matrix_library"] != nil && environment["cores"] != nil && environment["program"] != nil)
      #expect((row["measured_at"] as? String).flatMap { ISO8601DateFormatter().date(from: $0) } != nil)
    }
    // What is there is not measured again.
    try tool.write((1...4).map { model(layers: $0) }.joined(), to: "a.jsonl")
    let more = try tool.run(arguments: arguments + ["--resume"])
    #expect(more.status == 0 && more.errors.contains("3 of 4 are measured already"))
    let all = try tool.read("m.jsonl").split(separator: "\n").map { try Tool.object(String($0)) }
    #expect(all.map { $0.number("order") } == [0, 1, 2, 3])
    #expect(
      try tool.run("predict", "--device", "rpi4-cpu", "--architectures", "m.jsonl", "--format", "jsonl").rows().count
        == 4)
  }

  @Test func whatCannotBeMeasuredIsNamed() throws {
    defer { tool.remove() }
    try tool.write(model(layers: 1) + model(layers: 2, positions: 8), to: "a.jsonl")
    let long = try tool.run(arguments: ["measure", "--architectures", "a.jsonl"] + quick)
    #expect(long.status == 65 && long.output.isEmpty)
    #expect(long.message.contains("a.jsonl:2: maximum_positions") && long.message.contains("--sequence-length 8"))
    let board = try tool.run(arguments: ["measure", "--architectures", "a.jsonl", "--board", "moon"] + quick)
    #expect(board.status == 64 && board.message.contains("moon"))
    let meter = try tool.run(
      arguments: ["measure", "--architectures", "-", "--meter", "x"] + quick)
    #expect(meter.status != 0)
    #expect(try tool.run(arguments: ["measure", "--architectures", "a.jsonl", "--repeats", "0"]).status == 64)
    #expect(
      try tool.run(arguments: ["measure", "--architectures", "a.jsonl", "--output", "no/m.jsonl"] + quick).status == 1)
  }

  @Test func missingRuntimesAreExplained() throws {
    defer { tool.remove() }
    var tool = tool
    tool.environment = ["XDG_DATA_HOME": tool.folder.path, "EDGETWIN_PYTHON": ""]
    try tool.write(model(layers: 1), to: "a.jsonl")
    let result = try tool.run(
      arguments: ["measure", "--architectures", "a.jsonl", "--runtime", "onnxruntime"] + quick)
    #expect(result.status == 1 && result.message.contains("edgetwin runtime install onnxruntime"))
    let list = try tool.run("runtime", "list")
    #expect(list.status == 0 && list.output == "native  built in\nonnxruntime  not set up\n")
  }

  @Test func interruptedMeasurementsAreKept() async throws {
    defer { tool.remove() }
    try tool.write((1...4).map { model(layers: $0) }.joined(), to: "a.jsonl")
    let process = tool.process([
      "measure", "--architectures", "a.jsonl", "--sequence-length", "16", "--repeats", "10000", "--repeat-time", "10ms",
      "--output", "m.jsonl",
    ])
    let errors = Pipe()
    process.standardError = errors
    try process.run()
    // Warm-ups take less than a second; rows that have no repeat yet are not written, so there may be fewer than four.
    try await Task.sleep(for: .seconds(3))
    process.interrupt()
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 130)
    #expect(text.contains("stopped before the end"))
    let rows = try tool.read("m.jsonl").split(separator: "\n").map { try Tool.object(String($0)) }
    #expect(!rows.isEmpty)
    for row in rows { #expect(Double(row.object("environment")["repeats"] as? String ?? "") ?? 0 >= 1) }
  }

  @Test func tracesAreWellFormed() throws {
    defer { tool.remove() }
    try tool.write(model(layers: 2), to: "a.json")
    let result = try tool.run(
      "trace", "--device", "rpi4-cpu", "--architecture", "a.json", "--sequence-length", "16", "--measured")
    #expect(result.status == 0, "\(result.errors)")
    let document = try Tool.object(result.output)
    let events = document["traceEvents"] as? [[String: Any]] ?? []
    let names = events.filter { $0["ph"] as? String == "M" && $0["name"] as? String == "process_name" }
    #expect(names.count == 2)
    for process in [1.0, 2.0] {
      let spans = events.filter { $0["ph"] as? String == "X" && $0.number("pid") == process }
      let kernels = spans.filter { $0.number("tid") == 2 }
      #expect(kernels.count > 8 && spans.contains { $0["name"] as? String == "layer 1" })
      // Kernels follow each other without overlap.
      for (first, second) in zip(kernels, kernels.dropFirst()) {
        #expect(second.number("ts") >= first.number("ts") + first.number("dur") - 1e-3)
      }
    }
    func hasPower(_ process: Double) -> Bool {
      events.contains {
        $0["ph"] as? String == "C" && $0.number("pid") == process && $0.object("args").number("watts") > 0
      }
    }
    #expect(hasPower(1))
    // Measured power is there where there is something to measure it with, and the file says by what.
    let facts = document.object("otherData")
    #expect(facts.keys.contains("power_meter") && hasPower(2) == facts.keys.contains("mean_power_w"))
    #expect((facts["power_meter"] is String) == facts.keys.contains("mean_power_w"))
    // The predicted timeline lasts as long as the prediction.
    let prediction = try tool.run(
      "predict", "--device", "rpi4-cpu", "--architectures", "a.json", "--sequence-length", "16", "--format", "jsonl"
    ).rows()[0]
    let ends = events.filter { $0["ph"] as? String == "X" && $0.number("pid") == 1 }.map {
      $0.number("ts") + $0.number("dur")
    }
    #expect(abs((ends.max() ?? 0) * 1e-6 / prediction.median("batch_latency_s") - 1) < 1e-6)
  }

  @Test(arguments: ["trace", "measure"]) func aMeterThatIsNotThereIsAMistakeOfUse(command: String) throws {
    defer { tool.remove() }
    try tool.write(model(layers: 1), to: "a.json")
    var arguments = [command, "--architectures", "a.json", "--meter", "steam gauge"]
    if command == "trace" { arguments += ["--device", "rpi4-cpu", "--measured"] }
    if command == "measure" { arguments += ["--board", "local", "--output", "m.jsonl"] }
    let result = try tool.run(arguments: arguments)
    #expect(result.status == 64 && result.errors.contains("steam gauge"), "\(result.errors)")
    #expect(!FileManager.default.fileExists(atPath: tool.path("m.jsonl")))
  }

  /// A file that is read and written is gone on with, however its path is spelled.
  @Test func confirmKeepsTheRowsThatItWasGiven() throws {
    defer { tool.remove() }
    try tool.write(model(layers: 1), to: "a.json")
    try tool.write(model(layers: 1) + model(layers: 2), to: "two.jsonl")
    func confirm(_ architectures: String, _ more: String...) throws -> Tool.Result {
      try tool.run(
        arguments: [
          "confirm", "--device", "rpi4-cpu", "--runtime", "native", "--sequence-length", "16", "--threads", "1",
          "--architectures", architectures, "--output", "m.jsonl", "--repeats", "3", "--repeat-time", "1ms", "--format",
          "json",
        ] + more)
    }
    let first = try confirm("a.json")
    #expect(first.status == 0, "\(first.errors)")
    let row = try tool.read("m.jsonl")
    let second = try confirm("two.jsonl", "--measurements", "./m.jsonl")
    #expect(second.status == 0 && !second.errors.contains("different calls"), "\(second.errors)")
    let rows = try tool.read("m.jsonl")
    #expect(rows.hasPrefix(row) && rows.split(separator: "\n").count == 2)
    // Medians beside fastest calls are said.
    try tool.write(
      row.replacing("\"latency_statistic\":\"median\"", with: "\"latency_statistic\":\"fastest\""), to: "fastest.jsonl")
    let mixed = try confirm("two.jsonl", "--measurements", "fastest.jsonl")
    #expect(mixed.status == 0 && mixed.errors.contains("different calls (fastest and median)"), "\(mixed.errors)")
  }

  @Test func confirmComparesWithMeasurements() throws {
    defer { tool.remove() }
    // Measured figures that are 10 % above the prediction, made from it.
    let sample = try tool.sample(6)
    let predictions = try tool.run(
      "predict", "--device", "rpi4-cpu", "--architectures", sample, "--format", "jsonl"
    ).rows()
    let models = try tool.read(sample).split(separator: "\n").map(String.init)
    let lines = zip(models, predictions).map { model, row in
      let seconds = 1.1 * row.median("latency_s")
      return #"{"schema":"edgetwin.measurement/1","architecture":\#(model),"device":"rpi4-cpu","runtime":"protran","#
        + #""batch_size":\#(Int(row.number("batch_size"))),"sequence_length":\#(Int(row.number("sequence_length"))),"#
        + #""precision":"fp32","latency_s":\#(seconds)}"#
    }
    try tool.write(lines.joined(separator: "\n") + "\n", to: "m.jsonl")
    func confirm(_ more: String...) throws -> Tool.Result {
      try tool.run(
        arguments: [
          "confirm", "--device", "rpi4-cpu", "--runtime", "protran", "--architectures", sample, "--measurements",
          "m.jsonl",
        ] + more)
    }
    let result = try confirm("--format", "json")
    #expect(result.status == 0, "\(result.errors)")
    let summary = try Tool.object(result.output)
    #expect(summary.number("rows") == 6 && abs(summary.number("bias") - 0.1) < 1e-6)
    #expect(abs(summary.number("spearman") - 1) < 1e-9 && summary.number("expected_regression") == 0)
    #expect(abs(summary.number("seen_regression") - 0.1) < 1e-6)
    let table = try confirm()
    #expect(table.output.contains("optimiser's curse") && table.output.contains("+10 %"))
    // Two of the six were chosen: the choice is simulated, with all six in it.
    let front = zip(models, 0...).map { model, index in
      #"{"device":"rpi4-cpu","finalist":\#(index < 2),"accuracy":{"median":80.5},"architecture":\#(model)}"#
    }
    try tool.write(front.joined(separator: "\n") + "\n", to: sample)
    let chosen = try Tool.object(confirm("--format", "json").output)
    #expect(chosen.number("rows") == 2 && chosen.number("candidates") == 6)
    #expect(chosen.number("expected_regression") != 0 && abs(chosen.number("expected_regression")) < 0.3)
    // A model without a row cannot be measured with a runtime of another board.
    try tool.write(lines.dropFirst().joined(separator: "\n") + "\n", to: "m.jsonl")
    let missing = try confirm()
    #expect(missing.status == 64 && missing.message.contains("protran"))
  }
}
