import Foundation
import Testing

@Suite struct HostCommandTests {
  let tool: Tool

  init() throws { tool = try Tool() }

  @Test func theTwinOfThisMachineWorksByPath() throws {
    defer { tool.remove() }
    let result = try tool.run(
      "calibrate", "--board", "local", "--budget", "4s", "--threads", "1", "--output", "d.yaml", "--report", "r.json",
      "--measurements", "m.jsonl")
    #expect(result.status == 0 && result.output.isEmpty, "\(result.errors)")
    for word in ["products", "unseen models on 1 thread", "Spearman"] { #expect(result.errors.contains(word)) }
    let rows = try tool.read("m.jsonl").split(separator: "\n").map { try Tool.object(String($0)) }
    #expect(rows.count >= 9 && rows.allSatisfy { $0["device"] as? String == "local" })
    try tool.write(try tool.run("sample", "--count", "2", "--seed", "3").output, to: "a.jsonl")
    let predicted = try tool.run(
      "predict", "--device", "d.yaml", "--architectures", "a.jsonl", "--format", "jsonl")
    #expect(try predicted.rows().allSatisfy { $0.median("latency_s") > 0 && $0["runtime"] as? String == "native" })
    #expect(try tool.run("explain", "--device", "d.yaml", "--architectures", "m.jsonl").status != 1)
    // A twin that is kept takes part in the main job, and its finalists are measured.
    var withTwin = tool
    withTwin.environment["XDG_DATA_HOME"] = tool.folder.path
    try FileManager.default.createDirectory(
      at: tool.folder.appending(path: "edgetwin"), withIntermediateDirectories: true)
    try tool.write(try tool.read("d.yaml"), to: "edgetwin/host.yaml")
    let run = [
      "run", "--confirm", "--devices", "a100", "--evaluations", "500", "--latencies", "10s", "--finalists", "2",
    ]
    let text = try withTwin.run(arguments: run)
    #expect(text.status == 0, "\(text.errors)")
    for word in ["Measured on this machine", "the device local", "a100", "Spearman"] {
      #expect(text.output.contains(word))
    }
    let measured = try withTwin.run(arguments: run + ["--format", "jsonl"]).rows().filter {
      $0["measured_latency_s"] != nil
    }
    #expect(!measured.isEmpty && measured.allSatisfy { $0["device"] as? String == "local" })
    // The rows are what the file was fitted on, and can be fitted again.
    let again = try tool.run(
      "calibrate", "m.jsonl", "--device", "d.yaml", "--runtime", "native", "--output", "e.yaml")
    #expect(again.status == 0, "\(again.errors)")
  }

  @Test func wrongUsageIsSaid() throws {
    defer { tool.remove() }
    for (arguments, word) in [
      (["--board", "moon", "--output", "d.yaml"], "moon"),
      (["m.jsonl", "--board", "local", "--output", "d.yaml"], "not both"),
      (["--output", "d.yaml"], "--board local"),
      (["--board", "local", "--runtime", "protran", "--output", "d.yaml"], "native"),
      (["--board", "local", "--threads", "0", "--output", "d.yaml"], "threads"),
      (["--board", "local", "--threads", "1,1", "--output", "d.yaml"], "twice"),
      (
        ["m.jsonl", "--device", "a100", "--runtime", "protran", "--budget", "5s", "--output", "d.yaml"], "--board local"
      ),
    ] {
      let result = try tool.run(arguments: ["calibrate"] + arguments)
      #expect(result.status == 64 && result.errors.contains(word), "\(arguments): \(result.errors)")
    }
    let run = try tool.run("run", "--confirm", "--runtime", "protran")
    #expect(run.status == 64 && run.errors.contains("native"))
  }
}
