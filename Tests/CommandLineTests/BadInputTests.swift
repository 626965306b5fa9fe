import Foundation
import Testing

@Suite struct BadInputTests {
  let tool: Tool

  init() throws { tool = try Tool() }

  /// One line on standard error that has all the words, nothing on standard output.
  private func expect(
    _ result: Tool.Result, _ status: Int32, _ words: String..., location: SourceLocation = #_sourceLocation
  ) {
    #expect(result.status == status, "\(result.errors)", sourceLocation: location)
    #expect(result.output.isEmpty, sourceLocation: location)
    if status == 65 {
      #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)", sourceLocation: location)
    }
    for word in words { #expect(result.errors.contains(word), "\(result.errors)", sourceLocation: location) }
  }

  private func predict(_ text: String, _ name: String = "a.jsonl") throws -> Tool.Result {
    try tool.write(text, to: name)
    return try tool.run("predict", "--device", "rpi4-cpu", "--architectures", name, "--format", "jsonl")
  }

  @Test func architectures() throws {
    defer { tool.remove() }
    let good = try tool.run("sample", "--count", "1", "--seed", "1").output
    try expect(predict(good + "{\"schema\":"), 65, "a.jsonl", "jsonl:2: ")
    try expect(predict(good + good.replacing("50265", with: "NaN")), 65, "a.jsonl", "jsonl:2: ", "vocabulary_size")
    try expect(predict(good.replacing("50265", with: "-5")), 65, "a.jsonl:1: ", "vocabulary_size")
    try expect(predict(good.replacing("architecture/1", with: "architecture/2")), 65, "schema", "newer")
    try expect(
      predict(good.replacing("\"hidden_size\"", with: "\"hiding_size\"")), 65, "layers[0].hidden_size", "hiding_size")
    try expect(predict(""), 65, "a.jsonl", "empty")
    try expect(predict("- 1\n- : :\n", "a.yaml"), 65, "a.yaml")
    try expect(tool.run("predict", "--device", "rpi4-cpu", "--architectures", "none.jsonl"), 65, "none.jsonl")
    try expect(tool.run("predict", "--device", "rpi4-cpu", "--architectures", "."), 65, "folder")
    let embedding = [Int](repeating: 0, count: 36) + [99_999]
    try expect(predict("{\"embedding\":\(embedding)}"), 65, "a.jsonl:1: ", "embedding")
  }

  @Test func measurements() throws {
    defer { tool.remove() }
    let architecture = try tool.run("sample", "--count", "1", "--seed", "1").output.dropLast()
    let good =
      "{\"schema\":\"edgetwin.measurement/1\",\"device\":\"rpi4-cpu\",\"runtime\":\"protran\",\"batch_size\":1,"
      + "\"sequence_length\":128,\"precision\":\"fp32\",\"latency_s\":1.5,\"architecture\":\(architecture)}\n"
    func calibrate(_ text: String) throws -> Tool.Result {
      try tool.write(text, to: "m.jsonl")
      return try tool.run(
        "calibrate", "m.jsonl", "--device", "rpi4-cpu", "--runtime", "protran", "--output", "out.yaml")
    }
    for value in ["-1.5", "0", "NaN", "Infinity", "\"fast\""] {
      try expect(
        calibrate(good + good.replacing("1.5", with: value)), 65, "m.jsonl", "jsonl:2: ", "latency_s")
    }
    try expect(calibrate(good.replacing("fp32", with: "fp99")), 65, ":1: ", "precision")
    try expect(calibrate(good.replacing("measurement/1", with: "measurement/9")), 65, "schema", "newer")
    try expect(calibrate(good.replacing("\"batch_size\":1", with: "\"batch_size\":0")), 65, "batch_size")
    #expect(!FileManager.default.fileExists(atPath: tool.path("out.yaml")))
  }

  @Test func deviceFiles() throws {
    defer { tool.remove() }
    let good = try tool.run("devices", "show", "rpi4-cpu", "--format", "yaml").output
    func show(_ text: String) throws -> Tool.Result {
      try tool.write(text, to: "d.yaml")
      return try tool.run("devices", "show", "d.yaml")
    }
    try expect(show(good.replacing("device/1", with: "device/7")), 65, "d.yaml:", "schema", "newer")
    try expect(show(good + "colour: red\n"), 65, "d.yaml:", "colour", "unknown field")
    try expect(show(good.replacing("overflow: page", with: "overflow: 7")), 65, "d.yaml:", "memory.overflow")
    try expect(show("schema: edgetwin.device/1\nid: [\n"), 65, "d.yaml")
    try expect(show("\u{0}"), 65, "d.yaml")
    // Values that only the whole file shows to be wrong have their lines too.
    func place(_ field: String, in text: String) throws -> String {
      let line = try #require(text.split(separator: "\n").firstIndex { $0.contains(field) })
      return "d.yaml:\(line + 1): "
    }
    for (from, to, field) in [
      ("cores: {value: 4", "cores: {value: .nan", "cores.value: nan is not"),
      ("cores: {value: 4", "cores: {value: 2.5", "cores.value: 2.5 is no number of cores"),
      ("bandwidth: {value: 12800000000.0, unit: B/s", "bandwidth: {value: 1, unit: B", "memory.bandwidth.unit"),
      ("capacity: {value: 4000000000.0", "capacity: {value: -4", "memory.capacity.value: -4.0 B"),
    ] {
      try #require(good.contains(from))
      try expect(show(good.replacing(from, with: to)), 65, place(to, in: good.replacing(from, with: to)) + field)
    }
    try expect(
      show("schema: edgetwin.device/1\nid: " + String(repeating: "[", count: 80)), 65, "d.yaml:2: ", "64 levels")
    try expect(tool.run("devices", "show", "./"), 65, "./: is a folder")
    try expect(tool.run("devices", "show", "none.yaml"), 65, "none.yaml")
    try expect(tool.run("devices", "show", "toaster"), 64, "toaster", "rpi4-cpu")
  }

  @Test func problemsAndSpaces() throws {
    defer { tool.remove() }
    func explore(_ text: String) throws -> Tool.Result {
      try tool.write(text, to: "p.yaml")
      return try tool.run("explore", "--problem", "p.yaml", "--evaluations", "100", "--format", "jsonl")
    }
    let objectives = "objectives: [{name: latency_s, direction: minimize}]\n"
    let head = "schema: edgetwin.problem/1\nspace: flexibert2\n"
    try expect(
      explore(head + "devices:\n- rpi4-cpu\n- toaster\n" + objectives), 65,
      "p.yaml:5: devices[1]: no device \"toaster\"")
    try expect(
      explore(head + "devices: [rpi4-cpu]\n" + objectives.replacing("minimize", with: "maximize")), 65, "p.yaml",
      "direction")
    try expect(
      explore(head + "devices: [rpi4-cpu]\nbudgets: {max_latency_s: -1}\n" + objectives), 65, "p.yaml", "max_latency_s")
    try expect(explore(head.replacing("/1", with: "/2") + "devices: [rpi4-cpu]\n" + objectives), 65, "p.yaml", "newer")
    try expect(
      explore(head.replacing("flexibert2", with: "none.yaml") + "devices: [rpi4-cpu]\n" + objectives), 65, "none.yaml")
    try expect(tool.run("evaluate", "--problem", "none.yaml"), 65, "none.yaml")
    try tool.write("schema: edgetwin.space/1\nlayer_counts: []\n", to: "s.yaml")
    try expect(tool.run("sample", "--count", "1", "--seed", "1", "--space", "s.yaml"), 65, "s.yaml:")
    try expect(
      tool.run("sample", "--count", "1", "--seed", "1", "--space", "none.yaml"), 65, "none.yaml: there is no such file")
    try expect(tool.run("explore", "--space", ".", "--evaluations", "9"), 65, ".: is a folder")
  }

  @Test func outputs() throws {
    defer { tool.remove() }
    let table = "wmt14ende_cpu_raspberrypi.csv"
    try tool.write("x\n", to: table)
    for (path, words) in [
      (".", "is a folder"), ("none/m.jsonl", "there is no folder"), ("", "no name"), ("m/", "is a folder"),
    ] {
      try expect(tool.run("import", "hat", table, "--output", path), 1, words)
      try expect(
        tool.run("explore", "--devices", "ncs2", "--evaluations", "9", "--trace", path), 1, words)
      try expect(
        tool.run(
          "calibrate", "none.jsonl", "--device", "ncs2", "--runtime", "protran", "--output", path), 1, words)
    }
  }

  @Test func usage() throws {
    defer { tool.remove() }
    let file = try tool.sample(1)
    try expect(tool.run("explore", "--max-latency", "20"), 64, "20ms")
    try expect(tool.run("explore", "--max-energy", "2W"), 64, "0.2J")
    try expect(tool.run("explore", "--max-power", "-3W"), 64, "\"-3W\" must be above 0")
    try expect(tool.run("explore", "--max-latency", "-20ms"), 64, "\"-20ms\" must be above 0")
    try expect(tool.run("explore", "--seconds", "-.5"), 64, "\"-.5\" must be above 0")
    try expect(tool.run("sample", "--count", "-4", "--seed", "1"), 64, "--count must be from 1")
    try expect(tool.run("explore", "--evaluations", "5", "--seconds", "1"), 64, "not both")
    try expect(tool.run("explore", "--objectives", "beauty"), 64, "beauty")
    try expect(tool.run("explore", "--devices", "toaster", "--evaluations", "10"), 64, "toaster")
    try expect(tool.run("predict", "--device", "rpi4-cpu"), 64, "--architectures")
    try expect(tool.run("predict", "--device", "toaster", "--architectures", file), 64, "toaster")
    try expect(
      tool.run("predict", "--device", "rpi4-cpu", "--architectures", file, "--runtime", "magic"), 64, "magic", "protran"
    )
    try expect(
      tool.run("predict", "--device", "rpi4-cpu", "--architectures", file, "--set", "bandwidth=25"), 64, "25.6GB/s")
    try expect(
      tool.run("predict", "--device", "rpi4-cpu", "--architectures", file, "--set", "colour=2x"), 64, "colour")
    try expect(
      tool.run("predict", "--device", "rpi4-cpu", "--architectures", file, "--batch-size", "0"), 64, "batch size")
    try expect(tool.run("predict", "--device", "rpi4-cpu", "--architectures", file, "--level", "1"), 64, "--level")
    try expect(tool.run("sample", "--count", "many", "--seed", "1"), 64, "many")
    try expect(tool.run("dance"), 64, "dance")
  }

  @Test func helpAndVersion() throws {
    defer { tool.remove() }
    #expect(try tool.run("--version").output.contains("."))
    #expect(try tool.run().status == 0)
    for command in [
      "run", "explore", "evaluate", "predict", "explain", "devices", "import", "calibrate", "suggest", "sample",
      "space",
    ] {
      let help = try tool.run("help", command)
      #expect(help.status == 0 && help.output.contains("edgetwin \(command)"))
    }
    #expect(try tool.run("predict", "--help").output.contains("memory.bandwidth (bandwidth)"))
    #expect(try tool.run("--generate-completion-script", "bash").output.contains("explore"))
  }
}
