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
    try refines(withTwin)
    try goesOnAfterBeingKilled(withTwin)
    // The rows are what the file was fitted on, and can be fitted again.
    let again = try tool.run(
      "calibrate", "m.jsonl", "--device", "d.yaml", "--runtime", "native", "--output", "e.yaml")
    #expect(again.status == 0, "\(again.errors)")
  }

  private static let profile = """
    schema: edgetwin.refinement/1
    children: 1
    rounds: 2
    importance_batches: 2
    batch_size: 16
    grow_heads: {steps: 3}
    grow_feed_forward: {steps: 3, width: 8}
    approach: {rounds: 2, recovery_steps: 3, steps: 6, learning_rate: 1.0e-3}
    """

  private static let refine = [
    "run", "--no-confirm", "--devices", "a100", "--evaluations", "500", "--latencies", "10s", "--task", "sst2",
    "--train", "train.tsv", "--dev", "dev.tsv", "--profile", "p.yaml", "--training-steps", "24", "--format", "jsonl",
  ]

  /// Explored, trained, refined and measured, as the whole of the main job.
  private func refines(_ tool: Tool) throws {
    let refine = Self.refine
    let texts = (0..<300).map { index in
      let (animal, sound) = [("cat", "meow"), ("dog", "woof"), ("cow", "moo"), ("duck", "quack")][index * 7 % 4]
      return "\(["the", "a", "this"][index % 3]) \(animal) says \(sound)\t\(index * 7 % 4 < 2 ? 1 : 0)\n"
    }
    try tool.write("sentence\tlabel\n" + texts.prefix(200).joined(), to: "train.tsv")
    try tool.write("sentence\tlabel\n" + texts.suffix(100).joined(), to: "dev.tsv")
    try tool.write(Self.profile, to: "p.yaml")
    let whole = try tool.run(arguments: refine + ["--study", "s.db", "--output", "out"])
    #expect(whole.status == 0, "\(whole.errors)")
    let report = try #require(try whole.rows().last)
    #expect(report["schema"] as? String == "edgetwin.main_job_refinement/1")
    #expect(report.number("root_training_steps") == 21 && report.number("judging_rows") == 50)
    let (root, refined) = (report.object("root"), report.object("refined"))
    for side in [root, refined] {
      #expect(side.number("measured_latency_s") > 0 && side.number("score") >= 0 && side.number("loss") > 0)
    }
    let budget = root.median("latency_s") / report.number("budget_speed_up")
    #expect(refined.median("latency_s") <= budget * (1 + 1e-9))
    #expect(
      abs(report.number("predicted_speed_up") - root.median("latency_s") / refined.median("latency_s")) < 1e-9)
    // What is reported is in the folder, and its models are models.
    #expect(try Tool.object(tool.read("out/report.json")).object("root")["id"] as? String == root["id"] as? String)
    #expect(try tool.read("out/report.txt").contains("Gained:"))
    for name in ["root", "refined/best"] {
      let score = try tool.run("score", "--model", "out/\(name)", "--task", "sst2", "--data", "dev.tsv")
      #expect(score.status == 0, "\(score.errors)")
    }
    let nodes = try tool.run("study", "export", "s.db", "--what", "refinements")
    let tree = try tool.read("out/refined/tree.jsonl")
    #expect(nodes.output == tree, "\(nodes.errors)")
    // The same again, but for what was measured; then in a folder that holds it already.
    let again = try #require(try tool.run(arguments: refine).rows().last)
    for name in ["root", "refined"] {
      for field in ["id", "score", "loss"] {
        #expect("\(again.object(name)[field] ?? 0)" == "\(report.object(name)[field] ?? 1)", "\(name) \(field)")
      }
    }
    let taken = try tool.run(arguments: refine + ["--output", "out"])
    #expect(taken.status == 64 && taken.message.contains("another folder"), "\(taken.errors)")

    // Ctrl-C while the root is trained.
    let process = tool.process(refine.map { $0 == "24" ? "1000000" : $0 } + ["--output", "stopped"])
    let errors = Pipe()
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors
    try process.run()
    var said = ""
    while !said.contains("training the root"), let more = try errors.fileHandleForReading.read(upToCount: 1) {
      said += String(decoding: more, as: UTF8.self)
    }
    process.interrupt()
    said += String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 130 && said.contains("stopped"), "\(said)")
  }

  /// With a study it goes on from wherever it was killed, to the models of the run that was not (``refines(_:)``).
  private func goesOnAfterBeingKilled(_ tool: Tool) throws {
    // What follows the first time is in the study: the task too.
    let goOn = ["run", "--study", "k.db", "--no-confirm", "--refine", "--evaluations", "500", "--format", "jsonl"]
    for (arguments, word) in [
      (Self.refine + ["--study", "k.db"], "training the root"), (goOn, "node 0"), (goOn, "node 1"),
    ] {
      let process = tool.process(arguments)
      let errors = Pipe()
      process.standardOutput = FileHandle.nullDevice
      process.standardError = errors
      try process.run()
      var said = ""
      while !said.contains(word), let more = try errors.fileHandleForReading.read(upToCount: 1), !more.isEmpty {
        said += String(decoding: more, as: UTF8.self)
      }
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      #expect(process.terminationReason == .uncaughtSignal && said.contains(word), "\(said)")
    }
    let last = try tool.run(arguments: goOn)
    #expect(last.status == 0, "\(last.errors)")
    #expect(last.errors.contains("the root is trained already") && !last.errors.contains("node 0"), "\(last.errors)")
    for name in ["root/model.safetensors", "refined/best/model.safetensors", "refined/tree.jsonl"] {
      func bytes(_ folder: String) throws -> Data {
        try Data(contentsOf: tool.folder.appending(path: "\(folder)/\(name)"))
      }
      #expect(try bytes("out") == bytes("k.db.run"), "\(name)")
    }
    let nodes = try tool.run("study", "export", "k.db", "--what", "refinements")
    #expect(try nodes.output == tool.read("k.db.run/refined/tree.jsonl"), "\(nodes.errors)")
    // Once more: nothing is trained or measured again.
    let report = try #require(try last.rows().last)
    let known = try #require(try tool.run(arguments: goOn).rows().last)
    for name in ["root", "refined"] {
      for field in ["id", "score", "measured_latency_s"] {
        #expect("\(known.object(name)[field] ?? 0)" == "\(report.object(name)[field] ?? 1)", "\(name) \(field)")
      }
    }
    // Something else is not mixed with it.
    let other = try tool.run(arguments: goOn + ["--speed-up", "1.2"])
    #expect(other.status == 64 && other.message.contains("--speed-up"), "\(other.errors)")
    try tool.write(try tool.read("train.tsv").replacing("cow", with: "pig"), to: "train.tsv")
    let changed = try tool.run(arguments: goOn)
    #expect(changed.status == 64 && changed.message.contains("changed"), "\(changed.errors)")
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
    for (arguments, word) in [
      (["--confirm", "--runtime", "protran"], "native"), (["--refine", "--runtime", "protran"], "native"),
      (["--task", "sst2"], "--train"), (["--train", "t.tsv"], "--task"), (["--speed-up", "1"], "--speed-up"),
      (["--no-refine", "--output", "o"], "--output"), (["--refine", "--profile", "long"], "long"),
    ] {
      let run = try tool.run(arguments: ["run"] + arguments)
      #expect(run.status == 64 && run.errors.contains(word), "\(arguments): \(run.errors)")
    }
  }
}
