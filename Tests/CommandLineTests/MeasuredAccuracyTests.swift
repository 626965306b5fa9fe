import Foundation
import Testing

/// Searches on accuracies that were measured, as a user types it.
@Suite struct MeasuredAccuracyTests {
  let tool: Tool

  private static let space = """
    schema: edgetwin.space/1
    layer_counts: [1, 2]
    hidden_sizes: [64, 128]
    head_counts: [2, 4]
    operations: [sa_sdp, l_dft, c_5]
    feed_forward_widths: [128, 256]
    maximum_feed_forward_stack: 1
    vocabulary_size: 1000
    maximum_positions: 512
    type_vocabulary_size: 1
    position: relative_key
    """
  private static let problem = """
    schema: edgetwin.problem/1
    space: space.yaml
    accuracy: measured=rows.jsonl
    devices: [rpi4-cpu]
    objectives: [{name: accuracy, direction: maximize}, {name: latency_s, direction: minimize}]
    """

  init() throws {
    tool = try Tool()
    try FileManager.default.createDirectory(at: tool.folder.appending(path: "p"), withIntermediateDirectories: true)
    try tool.write(Self.space, to: "p/space.yaml")
    try tool.write(Self.problem, to: "p/problem.yaml")
    let sampled = try tool.run("sample", "--count", "24", "--seed", "3", "--space", "p/space.yaml")
    try tool.write(sampled.output, to: "a.jsonl")
    // Made up: deep and narrow models are worse here, convolutions help.
    let rows = try sampled.lines.map { line in
      let layers = try Tool.object(line)["layers"] as? [[String: Any]] ?? []
      let width = layers.reduce(0.0) { $0 + $1.number("hidden_size") } / Double(layers.count)
      let kinds = layers.flatMap { $0["heads"] as? [String] ?? [] }
      let share = Double(kinds.count { $0 == "c_5" }) / Double(kinds.count)
      let score = 0.5 + 0.001 * width - 0.05 * Double(layers.count) + 0.1 * share
      return "{\"schema\":\"edgetwin.accuracy/1\",\"architecture\":\(line),\"seed\":1,\"steps\":50,\"total_steps\":50,"
        + "\"batch_size\":8,\"sequence_length\":16,\"loss\":4.5,\"task\":\"sst2\",\"score\":\(score)}\n"
    }
    try tool.write(rows.joined(), to: "p/rows.jsonl")
  }

  @Test func searchesOnRows() throws {
    defer { tool.remove() }
    let predicted = try tool.run(
      "accuracy", "predict", "--accuracy", "measured=p/rows.jsonl", "--architectures", "a.jsonl", "--format", "jsonl")
    #expect(predicted.status == 0 && predicted.errors.contains("24 architectures"), "\(predicted.errors)")
    let known = try predicted.rows()
    #expect(known.count == 24 && known.allSatisfy { $0.median("accuracy") > 40 && $0.median("accuracy") < 80 })
    let table = try tool.run(
      "accuracy", "predict", "--accuracy", "measured=p", "--architectures", "a.jsonl")
    #expect(table.status == 0 && table.lines.count == 26)

    let explore = ["explore", "--problem", "p/problem.yaml", "--evaluations", "3000", "--format", "jsonl"]
    let front = try tool.run(arguments: explore)
    #expect(front.status == 0 && front.errors.contains("sst2"), "\(front.errors)")
    let best = try #require(try front.rows().first)
    // One wide layer of convolutions is the best that there is.
    let layers = try #require(best.object("architecture")["layers"] as? [[String: Any]])
    #expect(layers.count == 1 && layers[0].number("hidden_size") == 128, "\(layers)")
    #expect(Set(layers[0]["heads"] as? [String] ?? []) == ["c_5"])
    #expect(try tool.run(arguments: explore + ["--threads", "2"]).output == front.output)
    // Flags go before the file; rows are looked for in the working folder.
    let flags = try tool.run(arguments: explore + ["--accuracy", "measured=p/rows.jsonl"])
    #expect(flags.output == front.output, "\(flags.errors)")
    let published = try tool.run(arguments: explore + ["--accuracy", "published"])
    #expect(published.status == 0 && published.errors.contains("GLUE") && published.output != front.output)

    let line = #"{"architecture":\#(try tool.read("a.jsonl").split(separator: "\n")[0])}"# + "\n"
    let value = try tool.run("evaluate", "--problem", "p/problem.yaml", input: line)
    #expect(abs(try value.rows()[0].object("values").number("accuracy") - known[0].median("accuracy")) < 1e-9)
  }

  /// A study stays what it is, whatever becomes of the rows.
  @Test func aStudyKeepsItsRows() throws {
    defer { tool.remove() }
    let explore = [
      "explore", "--study", "s.db", "--problem", "p/problem.yaml", "--evaluations", "1000", "--format", "jsonl",
    ]
    let before = try tool.run(arguments: explore)
    #expect(before.status == 0, "\(before.errors)")
    try FileManager.default.removeItem(atPath: tool.path("p/rows.jsonl"))
    let after = try tool.run("explore", "--study", "s.db", "--evaluations", "1000", "--format", "jsonl")
    #expect(after.status == 0 && after.output == before.output, "\(after.errors)")
    let made = try tool.run("study", "create", "t.db", "--problem", "p/problem.yaml", "--seed", "1")
    #expect(made.status == 65 && made.message.contains("rows.jsonl"), "\(made.errors)")
  }

  @Test func mistakesAreNamed() throws {
    defer { tool.remove() }
    let predict = ["accuracy", "predict", "--architectures", "a.jsonl", "--accuracy"]
    #expect(try tool.run(arguments: predict + ["guessed"]).status == 64)
    let none = try tool.run(arguments: predict + ["measured"])
    #expect(none.status == 65 && none.message.contains("accuracy"), "\(none.errors)")
    let text = try tool.read("p/rows.jsonl")
    try tool.write(text.replacing("\"loss\":4.5", with: "\"loss\":-1", maxReplacements: 1), to: "bad.jsonl")
    let bad = try tool.run(arguments: predict + ["measured=bad.jsonl"])
    #expect(bad.status == 65 && bad.message.contains("bad.jsonl:1: loss"), "\(bad.errors)")
    try tool.write(text.split(separator: "\n").prefix(3).joined(separator: "\n"), to: "few.jsonl")
    let few = try tool.run(arguments: predict + ["measured=few.jsonl"])
    #expect(few.status == 65 && few.message.contains("6 at least"), "\(few.errors)")
    try tool.write(Self.problem.replacing("measured=rows.jsonl", with: "guessed"), to: "p/problem.yaml")
    let problem = try tool.run("explore", "--problem", "p/problem.yaml", "--evaluations", "100")
    #expect(problem.status == 65 && problem.message.contains("problem.yaml:3: accuracy"), "\(problem.errors)")
  }
}
