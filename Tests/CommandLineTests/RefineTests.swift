import Foundation
import Testing

/// Growing and pruning, as a user types it.
@Suite struct RefineTests {
  let tool: Tool

  private static let architecture = """
    {"schema":"edgetwin.architecture/1","vocabulary_size":80,"maximum_positions":24,"type_vocabulary_size":2,\
    "position":"absolute","layers":[{"hidden_size":32,"heads":["sa_sdp","sa_wma"],"feed_forward":[64]},\
    {"hidden_size":32,"heads":["sa_sdp","c_5"],"feed_forward":[64]}]}
    """
  private static let corpus = (0..<300).map { index in
    let (animal, sound) = [("cat", "meow"), ("dog", "woof"), ("cow", "moo"), ("duck", "quack")][index * 7 % 4]
    return "\(["the", "a", "this"][index % 3]) \(animal) \(["says", "said"][index / 3 % 2]) \(sound)"
  }
  private static let profile = """
    schema: edgetwin.refinement/1
    children: 2
    rounds: 3
    importance_batches: 2
    batch_size: 16
    root: {steps: 60, learning_rate: 3.0e-3}
    grow_heads: {steps: 5}
    grow_feed_forward: {steps: 5, width: 8}
    prune_heads: {steps: 5, count: 1}
    approach: {rounds: 2, recovery_steps: 5, steps: 20, learning_rate: 1.0e-3, neurons: 8}
    """

  init() throws {
    tool = try Tool()
    try tool.write(Self.architecture, to: "a.json")
    try tool.write(Self.corpus.joined(separator: "\n") + "\n", to: "c.txt")
    let rows = Self.corpus.map { "\($0)\t\($0.contains("cat") || $0.contains("dog") ? 1 : 0)\n" }
    try tool.write("sentence\tlabel\n" + rows.prefix(200).joined(), to: "train.tsv")
    try tool.write("sentence\tlabel\n" + rows.suffix(100).joined(), to: "dev.tsv")
    try tool.write(Self.profile, to: "p.yaml")
    var made = try tool.run(
      "tokenizer", "train", "--corpus", "c.txt", "--vocabulary-size", "80", "--kind", "wordpiece", "--output", "m")
    #expect(made.status == 0, "\(made.errors)")
    made = try tool.run("init", "--architecture", "a.json", "--seed", "1", "--output", "m")
    #expect(made.status == 0, "\(made.errors)")
  }

  private func arguments(_ output: String, latency: String = "1s", _ more: String...) -> [String] {
    [
      "refine", "m", "--device", "rpi4-cpu", "--runtime", "native", "--task", "sst2", "--train", "train.tsv", "--dev",
      "dev.tsv", "--max-latency", latency, "--profile", "p.yaml", "--seed", "1", "--pooling", "mean", "--output",
      output,
    ] + more
  }

  private func tree(_ output: String) throws -> [[String: Any]] {
    try tool.read("\(output)/tree.jsonl").split(separator: "\n").map { try Tool.object(String($0)) }
  }

  private func bytes(_ name: String) throws -> Data { try Data(contentsOf: tool.folder.appending(path: name)) }

  /// The best is a model like any other, and costs what the tree says.
  @Test func refinesATask() throws {
    defer { tool.remove() }
    let free = try tool.run(arguments: arguments("o"))
    #expect(free.status == 0 && free.output.contains("selected"), "\(free.errors)")
    let rows = try tree("o")
    #expect(rows[0]["mode"] as? String == "root" && rows[0].number("score") > 0.8, "\(rows[0])")
    #expect(rows.count > 4 && rows.filter { $0["selected"] as? Bool == true }.count == 1)
    #expect(rows.allSatisfy { $0["admissible"] as? Bool == true && $0.number("latency_s") <= 1 })

    // A budget below the root: pruned towards it.
    let budget = rows[0].number("latency_s") * 0.8
    let tight = try tool.run(arguments: arguments("p", latency: "\(budget)s", "--format", "jsonl"))
    #expect(tight.status == 0, "\(tight.errors)")
    let pruned = try tree("p")
    #expect(try tight.rows().count == pruned.count)
    #expect(pruned[0]["admissible"] as? Bool == false && pruned[1]["mode"] as? String == "prune")
    let best = try #require(pruned.first { $0["selected"] as? Bool == true })
    #expect(best.number("latency_s") <= budget && best["admissible"] as? Bool == true)
    let predicted = try tool.run(
      "predict", "--device", "rpi4-cpu", "--runtime", "native", "--architectures", "p/best/config.json", "--format",
      "jsonl")
    let row = try #require(predicted.rows().first)
    for name in ["latency_s", "energy_j", "peak_power_w"] { #expect(row.median(name) == best.number(name), "\(name)") }
    for name in ["parameters", "memory_bytes"] { #expect(row.number(name) == best.number(name), "\(name)") }
    let score = try tool.run("score", "--model", "p/best", "--task", "sst2", "--data", "dev.tsv", "--format", "json")
    #expect(try Tool.object(score.output).number("loss") == best.number("loss"), "\(score.errors)")
    let answer = try tool.run(
      "infer", "--model", "p/best", "--input", "-", input: #"{"id":1,"text":"the cow said moo"}"# + "\n")
    #expect(try answer.rows().count == 1, "\(answer.errors)")
    #expect(try tool.read("p/tree.svg").hasPrefix("<svg"))
  }

  /// Killed wherever it is, it goes on to the same files.
  @Test func goesOnAfterBeingKilled() throws {
    defer { tool.remove() }
    #expect(try tool.run(arguments: arguments("whole")).status == 0)
    var kills = 0
    for delay in [0.15, 0.3, 0.5, 0.7] {
      let process = tool.process(arguments("parts", "--resume"))
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      Thread.sleep(forTimeInterval: delay)
      if process.isRunning {
        kill(process.processIdentifier, SIGKILL)
        kills += 1
      }
      process.waitUntilExit()
    }
    let last = try tool.run(arguments: arguments("parts", "--resume", "--training-threads", "2"))
    #expect(last.status == 0 && kills > 0, "\(last.errors)")
    for name in ["tree.jsonl", "tree.svg", "best/model.safetensors", "best/config.json", "best/vocab.txt"] {
      let (whole, parts) = (try bytes("whole/\(name)"), try bytes("parts/\(name)"))
      let texts = name.hasSuffix("jsonl") ? String(decoding: whole + parts, as: UTF8.self) : ""
      #expect(whole == parts, "\(name) \(texts)")
    }
  }

  /// The study has the trees of all refinements that ended, each by its folder's name, whatever was killed before.
  @Test func aStudyKeepsTheTrees() throws {
    defer { tool.remove() }
    try tool.write(
      """
      schema: edgetwin.problem/1
      space: flexibert2
      devices: [rpi4-cpu]
      objectives: [{name: accuracy, direction: maximize}, {name: latency_s, direction: minimize}]
      """, to: "problem.yaml")
    let made = try tool.run("study", "create", "s.db", "--problem", "problem.yaml", "--seed", "1")
    #expect(made.status == 0, "\(made.errors)")
    func trees() throws -> String { try tool.run("study", "export", "s.db", "--what", "refinements").output }

    // Killed after its second node was told of: nothing is kept of it yet.
    let process = tool.process(arguments("first", "--study", "s.db"))
    let errors = Pipe()
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors
    try process.run()
    var said = ""
    while !said.contains("node 1"), let more = try errors.fileHandleForReading.read(upToCount: 1), !more.isEmpty {
      said += String(decoding: more, as: UTF8.self)
    }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(process.terminationReason == .uncaughtSignal && said.contains("node 0"), "\(said)")
    #expect(try trees().isEmpty)

    let first = try tool.run(arguments: arguments("first", "--study", "s.db", "--resume"))
    #expect(first.status == 0 && !first.errors.contains("node 0"), "\(first.errors)")
    let tree = try tool.read("first/tree.jsonl")
    #expect(try trees() == tree && tree.contains("\"selected\":true"))
    // Another folder is another tree; the same again changes nothing.
    let other = try tool.run(arguments: arguments("other", "--study", "s.db").map { $0 == "1" ? "2" : $0 })
    #expect(other.status == 0, "\(other.errors)")
    let both = try tree + tool.read("other/tree.jsonl")
    #expect(try trees() == both)
    let again = try tool.run(arguments: arguments("first", "--study", "s.db", "--resume"))
    #expect(again.status == 0, "\(again.errors)")
    #expect(try trees() == both && tool.run("study", "check", "s.db").status == 0)
    let none = try tool.run(arguments: arguments("third", "--study", "none.db"))
    #expect(none.status == 65 && none.message.contains("none.db"), "\(none.errors)")
  }

  @Test func refinesAMaskedLanguageModel() throws {
    defer { tool.remove() }
    let result = try tool.run(
      "refine", "m", "--device", "rpi4-cpu", "--task", "mlm", "--corpus", "c.txt", "--profile", "p.yaml", "--seed", "2",
      "--max-energy", "1J", "--held-out-every", "10", "--output", "o")
    #expect(result.status == 0, "\(result.errors)")
    let rows = try tree("o")
    #expect(rows.count > 3 && rows.allSatisfy { $0["score"] is NSNull && $0.number("loss") > 0 })
    let answer = try tool.run(
      "infer", "--model", "o/best", "--input", "-", "--head", "mlm",
      input: #"{"id":1,"text":"the cow said moo"}"# + "\n")
    #expect(try answer.rows().count == 1, "\(answer.errors)")
  }

  @Test func mistakes() throws {
    defer { tool.remove() }
    let unknown = try tool.run(arguments: arguments("o").map { $0 == "sst2" ? "sst9" : $0 })
    #expect(unknown.status == 64 && unknown.message.contains("sst9"))
    #expect(try tool.run(arguments: arguments("o", "--min-accuracy", "80")).status == 64)
    #expect(try tool.run(arguments: arguments("o").map { $0 == "p.yaml" ? "long" : $0 }).status == 64)
    #expect(try tool.run(arguments: arguments("o").map { $0 == "m" ? "none" : $0 }).status == 65)
    try tool.write("schema: edgetwin.refinement/1\nchildren: many\n", to: "q.yaml")
    let field = try tool.run(arguments: arguments("o").map { $0 == "p.yaml" ? "q.yaml" : $0 })
    #expect(field.status == 65 && field.message.contains("q.yaml:2: children"), "\(field.errors)")
    let impossible = try tool.run(arguments: arguments("o", latency: "1ns"))
    #expect(impossible.status == 1 && impossible.message.contains("times the budget"), "\(impossible.errors)")
    // The folder holds a refinement now.
    let again = try tool.run(arguments: arguments("o", latency: "1ns"))
    #expect(again.status == 64 && again.message.contains("--resume"), "\(again.errors)")
    let other = try tool.run(arguments: arguments("o", latency: "2ns", "--resume"))
    #expect(other.status == 64 && other.message.contains("latency budget"), "\(other.errors)")
  }
}
