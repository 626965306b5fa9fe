import Foundation
import Testing

@Suite struct StudyTests {
  let tool: Tool

  init() throws { tool = try Tool() }

  private let problem = """
    schema: edgetwin.problem/1
    space: flexibert2
    devices: [rpi4-cpu, m1-pro-gpu]
    objectives:
      - {name: accuracy, direction: maximize}
      - {name: latency_s, direction: minimize}
    budgets: {max_latency_s: 10}
    scalar:
      weights: {accuracy: 0.5, latency_s: 0.5}
      scales: {accuracy: 100, latency_s: 10}
    """

  private func create(_ name: String = "s.db") throws -> Tool.Result {
    try tool.write(problem, to: "p.yaml")
    return try tool.run("study", "create", name, "--problem", "p.yaml", "--seed", "7")
  }

  @Test func askEvaluateTellShow() throws {
    defer { tool.remove() }
    #expect(try create().status == 0)
    let asked = try tool.run("study", "ask", "s.db", "--count", "6")
    #expect(asked.status == 0)
    let questions = try asked.rows()
    #expect(questions.map { $0.number("trial") } == [0, 1, 2, 3, 4, 5])
    for question in questions {
      #expect((question["embedding"] as? [Int])?.count == 37)
      #expect(["rpi4-cpu", "m1-pro-gpu"].contains(question["device"] as? String))
      #expect(question.object("architecture")["schema"] as? String == "edgetwin.architecture/1")
    }
    let answers = try tool.run("evaluate", "--problem", "p.yaml", input: asked.output)
    let told = try tool.run("study", "tell", "s.db", input: answers.output)
    #expect(told.status == 0 && told.output.isEmpty && told.errors.contains("told 6"))
    // The same again is harmless.
    let again = try tool.run("study", "tell", "s.db", input: answers.output)
    #expect(again.status == 0 && again.errors.contains("6 were known"))
    let shown = try #require(try tool.run("study", "show", "s.db", "--format", "json").rows().first)
    #expect(shown["schema"] as? String == "edgetwin.study/1" && shown.number("trials") == 6)
    #expect(shown.number("complete") == 6 && shown.number("seed") == 7)
    let front = try #require(shown["front"] as? [[String: Any]])
    #expect(shown.number("feasible") == 0 || !front.isEmpty)
    let rows = try tool.run("study", "export", "s.db").rows()
    let byTrial = Dictionary(uniqueKeysWithValues: rows.map { ($0.number("trial"), $0) })
    for answer in try answers.rows() {
      let row = try #require(byTrial[answer.number("trial")])
      #expect(row.object("values").number("latency_s") == answer.object("values").number("latency_s"))
      #expect(
        row["feasible"] as? Bool == answer["feasible"] as? Bool && row.number("scalar") == answer.number("scalar"))
    }
    let csv = try tool.run("study", "export", "s.db", "--format", "csv").lines
    #expect(csv.count == 7 && csv[0].hasPrefix("trial,state,device,architecture_id,values.accuracy,values.latency_s"))
    let table = try tool.run("study", "show", "s.db")
    #expect(table.output.contains("6 trials: 6 complete"))
    #expect(try tool.run("study", "check", "s.db").output == "whole: 6 trials\n")
    // Exported trials are candidates again.
    let known = try tool.run("evaluate", "--problem", "p.yaml", input: tool.run("study", "export", "s.db").output)
      .rows()
    #expect(known.allSatisfy { $0["error"] is NSNull })
  }

  @Test func whatContradictsIsRefused() throws {
    defer { tool.remove() }
    #expect(try create().status == 0)
    _ = try tool.run("study", "ask", "s.db", "--count", "4")
    func line(_ trial: Int, _ seconds: String, _ state: String = "complete") -> String {
      "{\"trial\":\(trial),\"state\":\"\(state)\",\"values\":{\"accuracy\":80,\"latency_s\":\(seconds)}}\n"
    }
    func tell(_ text: String) throws -> Tool.Result { try tool.run("study", "tell", "s.db", input: text) }
    #expect(try tell(line(0, "1.5") + line(1, "2")).status == 0)
    let conflict = try tell(line(2, "3") + line(0, "1.6") + line(3, "4"))
    #expect(conflict.status == 65)
    for word in ["standard input:2: ", "values.latency_s", "1.6", "1.5", "trial 0"] {
      #expect(conflict.errors.contains(word), "\(conflict.errors)")
    }
    // What stood before it is kept, what stood behind it is not.
    var shown = try tool.run("study", "show", "s.db", "--format", "json").rows()[0]
    #expect(shown.number("complete") == 3 && shown.number("running") == 1)
    for (text, words) in [
      (line(0, "1.5", "failed"), ["standard input:1: state", "complete"]), (line(9, "1"), [": trial", "0 to 3"]),
      (line(3, "-1"), ["latency_s"]), (line(3, "NaN"), ["standard input:1"]),
      (line(3, "null"), ["latency_s", "missing"]),
      (line(3, "1", "done"), ["state", "done"]), ("\n{\"state\":\"failed\"}\n", ["standard input:2: trial"]),
      ("{\"trial\":3,\"state\":\"complete\"}\n", ["values"]),
      ("{\"trial\":3,\"state\":\"complete\",\"values\":{\"speed\":1}}\n", ["values.speed", "latency_s"]),
      ("x\n", [":1"]),
    ] {
      let result = try tell(text)
      #expect(result.status == 65 && result.output.isEmpty, "\(text)")
      #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
      for word in words { #expect(result.errors.contains(word), "\(result.errors)") }
    }
    #expect(try tell("{\"trial\":3,\"state\":\"failed\",\"error\":\"out of memory\"}").status == 0)
    shown = try tool.run("study", "show", "s.db", "--format", "json").rows()[0]
    #expect(shown.number("failed") == 1)
    #expect(try tool.run("study", "export", "s.db").rows()[3]["error"] as? String == "out of memory")
  }

  @Test func otherFilesAreNoStudies() throws {
    defer { tool.remove() }
    #expect(try create().status == 0)
    let again = try create()
    #expect(again.status == 64 && again.errors.contains("exists already"))
    try tool.write("no database, but a text of some length, longer than a header is: \(problem)", to: "text.db")
    try tool.write("", to: "empty.db")
    for (file, word) in [
      ("none.db", "no such file"), ("text.db", "not an SQLite database"), ("empty.db", "no study yet"), (".", "folder"),
    ] {
      for command in [["ask"], ["tell"], ["show"], ["export"], ["check"], ["answers"]] {
        let result = try tool.run(arguments: ["study"] + command + [file])
        #expect(result.status == 65 && result.output.isEmpty, "\(command) \(file): \(result.errors)")
        #expect(result.errors.contains(word) && result.errors.split(separator: "\n").count == 1, "\(result.errors)")
      }
    }
    // A part of a study's file.
    let data = try Data(contentsOf: tool.folder.appending(path: "s.db"))
    try data.prefix(10_000).write(to: tool.folder.appending(path: "part.db"))
    let part = try tool.run("study", "show", "part.db")
    #expect(part.status == 65 && part.errors.contains("part.db: is damaged"), "\(part.errors)")
    #expect(try tool.run("study", "create", "none/s.db", "--problem", "p.yaml").status == 1)
    #expect(try tool.run("study", "create", "t.db", "--problem", "none.yaml").status == 65)
    #expect(try tool.run("study", "create", "t.db", "--problem", "p.yaml", "--sampler", "luck").status == 64)
    #expect(!FileManager.default.fileExists(atPath: tool.path("t.db")))
  }

  @Test func twoProcessesAskAtOnce() throws {
    defer { tool.remove() }
    #expect(try create().status == 0)
    let processes = try (0..<4).map { index in
      let process = tool.process(["study", "ask", "s.db", "--count", "25"])
      try tool.write("", to: "out\(index)")
      process.standardOutput = try FileHandle(forWritingTo: tool.folder.appending(path: "out\(index)"))
      try process.run()
      return process
    }
    for process in processes {
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
    }
    let rows = try (0..<4).flatMap {
      try tool.read("out\($0)").split(separator: "\n").map { try Tool.object(String($0)) }
    }
    #expect(rows.map { Int($0.number("trial")) }.sorted() == Array(0..<100))
    #expect(Set(rows.map { "\($0["embedding"] ?? "") \($0["device"] ?? "")" }).count == 100)
  }

  /// They share the trials, and none asks for more than there were to be.
  @Test func twoProcessesRunToOneEnd() throws {
    defer { tool.remove() }
    #expect(try create().status == 0)
    let processes = try (0..<3).map { _ in
      let process = tool.process(["study", "run", "s.db", "--trials", "110", "--batch", "25"])
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      return process
    }
    for process in processes {
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
    }
    #expect(try tool.run("study", "export", "s.db").lines.count == 110)
    #expect(try tool.run("study", "check", "s.db").status == 0)
  }

  @Test func exploreGoesOnWhereItWasKilled() throws {
    defer { tool.remove() }
    try tool.write(problem, to: "p.yaml")
    func arguments(_ study: String) -> [String] {
      [
        "explore", "--study", study, "--problem", "p.yaml", "--evaluations", "60000", "--seed", "2", "--format",
        "jsonl",
      ]
    }
    let whole = try tool.run(arguments: arguments("whole.db"))
    #expect(whole.status == 0 && whole.lines.count > 3)
    for (round, milliseconds) in [20, 120, 300].enumerated() {
      let name = "killed\(round).db"
      let process = tool.process(arguments(name))
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      usleep(UInt32(milliseconds) * 1_000)
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      let resumed = try tool.run(arguments: arguments(name))
      #expect(resumed.status == 0 && resumed.output == whole.output, "\(resumed.errors)")
      #expect(try tool.run("study", "export", name).output == tool.run("study", "export", "whole.db").output)
      #expect(
        try tool.run("study", "export", name, "--what", "finalists").output
          == tool.run("study", "export", "whole.db", "--what", "finalists").output)
      #expect(try tool.run("study", "check", name).status == 0)
    }
    // A study knows its problem; another one is refused; it can go on for longer.
    #expect(
      try tool.run("explore", "--study", "whole.db", "--evaluations", "60000", "--format", "jsonl").output
        == whole.output)
    let other = try tool.run("explore", "--study", "whole.db", "--devices", "ncs2", "--evaluations", "100")
    #expect(other.status == 64 && other.errors.contains("another problem"))
    let seed = try tool.run("explore", "--study", "whole.db", "--seed", "3", "--evaluations", "100")
    #expect(seed.status == 64 && seed.errors.contains("seed 2"))
    let longer = try tool.run("explore", "--study", "whole.db", "--evaluations", "90000", "--format", "jsonl")
    #expect(longer.status == 0 && longer.errors.contains("going on behind 60.0 k"))
  }

  @Test func answersOfAStudy() throws {
    defer { tool.remove() }
    try tool.write(problem, to: "p.yaml")
    let explored = try tool.run("explore", "--study", "s.db", "--problem", "p.yaml", "--evaluations", "20000")
    #expect(explored.status == 0 && explored.output.contains("10 % more latency buys"))
    let text = try tool.run("study", "answers", "s.db")
    #expect(text.status == 0)
    for words in [
      "knee of latency", "10 % more latency buys", "What each budget costs", "Which choices matter", "Why: where",
      "How sure", "A beats B", "The best device for", "The best model for each device", "memory.bandwidth=2x",
    ] {
      #expect(text.output.contains(words), "\(words)")
    }
    let answers = try tool.run("study", "answers", "s.db", "--devices", "rpi4-cpu", "--format", "json").rows()[0]
    #expect(answers["schema"] as? String == "edgetwin.answers/1")
    let importance = try #require(answers["importance"] as? [[String: Any]])
    #expect(importance.count == 12 && importance.allSatisfy { $0.number("total") > -0.05 && $0.number("total") < 1.2 })
    let budgets = try #require(answers["budgets"] as? [[String: Any]])
    #expect(budgets.count == 1 && budgets[0].number("accuracy_wider") >= budgets[0].number("accuracy"))
    #expect((answers["models_for_devices"] as? [Any])?.count == 1)
    let chances = try #require(answers["chances"] as? [[String: Any]])
    #expect(chances.allSatisfy { (0...1).contains($0.number("probability_one_better")) } && !chances.isEmpty)
    #expect(try tool.run("study", "answers", "s.db", "--devices", "toaster").status == 64)
    #expect(answers["told_otherwise"] as? Bool == false)
    let changes = try #require(answers["what_if"] as? [[String: Any]])
    #expect(changes[0]["change"] as? String == "as it is" && changes.count > 3)
    let alone = try #require(answers["importance_on_one_device"] as? [String: Any])
    #expect((alone["importance"] as? [Any])?.count == 10)
  }

  /// Of another objective's values people are told which figures are whose.
  @Test func answersOfValuesThatTheTwinsDoNotPredict() throws {
    defer { tool.remove() }
    #expect(try create().status == 0)
    _ = try tool.run("study", "ask", "s.db", "--count", "3")
    let lines = (0..<3).map { "{\"trial\":\($0),\"values\":{\"accuracy\":\(94 + $0),\"latency_s\":0.\(2 + $0)}}\n" }
    #expect(try tool.run("study", "tell", "s.db", input: lines.joined()).status == 0)
    let text = try tool.run("study", "answers", "s.db")
    #expect(text.status == 0 && text.output.contains("was told other values than its twins predict"))
    let answers = try tool.run("study", "answers", "s.db", "--format", "json").rows()[0]
    #expect(answers["told_otherwise"] as? Bool == true)
    let choices = try #require(answers["choices"] as? [[String: Any]])
    #expect(choices.allSatisfy { ($0["told"] as? [String: Any])?.number("accuracy") ?? 0 >= 94 })
    // No search on the twins is said to reach what was told.
    let budgets = try #require(answers["budgets"] as? [[String: Any]])
    #expect(budgets.allSatisfy { $0.number("accuracy") < 90 })
  }

  @Test func runKeepsWhatItFound() throws {
    defer { tool.remove() }
    let arguments = [
      "run", "--devices", "rpi4-cpu,m1-pro-gpu", "--evaluations", "2000", "--latencies", "1s,20s", "--study", "s.db",
      "--format", "jsonl",
    ]
    let first = try tool.run(arguments: arguments)
    #expect(first.status == 0 && !first.lines.isEmpty)
    let shown = try tool.run("study", "show", "s.db", "--format", "json").rows()[0]
    #expect((shown["searches"] as? [[String: Any]])?.map { $0.number("evaluations") } == [2000, 2000])
    #expect((shown["finalists"] as? [Any])?.count ?? 0 >= first.lines.count)
    #expect(try tool.run(arguments: arguments).output == first.output)
  }

  @Test func measurementsGoIntoAStudy() throws {
    defer { tool.remove() }
    #expect(try create().status == 0)
    let file = try tool.sample(1)
    let measured = try tool.run(
      "measure", "--architectures", file, "--sequence-length", "4", "--repeats", "2", "--repeat-time", "1ms", "--meter",
      "none", "--study", "s.db", "--output", "m.jsonl")
    #expect(measured.status == 0, "\(measured.errors)")
    let rows = try tool.run("study", "export", "s.db", "--what", "measurements")
    #expect(try rows.output == tool.read("m.jsonl") && rows.lines.count == 1)
    let again = try tool.run(
      "measure", "--architectures", file, "--sequence-length", "4", "--repeats", "2", "--repeat-time", "1ms", "--meter",
      "none", "--study", "s.db", "--resume")
    #expect(again.status == 0 && again.output.isEmpty && again.errors.contains("1 of 1 are measured already"))
    #expect(try tool.run("measure", "--study", "s.db").errors.contains("no finalists yet"))
    #expect(try tool.run("measure").status == 64)
  }

  @Test func reproduceSaysWhatHolds() throws {
    defer { tool.remove() }
    var bare = tool
    bare.environment["EDGETWIN_DATA"] = ""
    let text = try bare.run("reproduce", "--evaluations", "3000")
    #expect(text.status == 0, "\(text.errors)")
    for words in [
      "size 2.8× smaller", "GLUE +0.8 points", "latency −15.0 %", "energy 10.0× less", "peak power 10.8× less",
      "power of the module", "(3) The objective divides", "0.0872", "BOSHCODE", "0.1110", "built in", "0.47274",
    ] {
      #expect(text.output.contains(words), "\(words)")
    }
    let record = try bare.run("reproduce", "--evaluations", "1000", "--format", "json").rows()[0]
    let claims = try #require(record["claims"] as? [[String: Any]])
    #expect(claims.map { $0["claim"] as? String } == ["parameters", "accuracy", "latency", "energy", "peak_power"])
    let objective = record.object("published_objective")
    #expect(objective["records"] as? String == "built in" && objective["ours"] is NSNull)
    guard let data = ProcessInfo.processInfo.environment["EDGETWIN_DATA"], !data.isEmpty else { return }
    let read = try tool.run("reproduce", "--evaluations", "3000", "--format", "json").rows()[0].object(
      "published_objective")
    #expect(read["records"] as? String == "read")
    #expect(read.number("ours") < read.number("best_profiled"))
    // Every pair on both scales; on each, ours is the least.
    let pairs = try #require(read["pairs"] as? [[String: Any]])
    #expect(pairs.count == 9)
    for (scale, name) in [
      ("published_scores", "ours on the published scores"), ("predicted_accuracy", "ours on predicted accuracy"),
    ] {
      let least = try #require(pairs.min { $0.number(scale) < $1.number(scale) })
      #expect((least["name"] as? String)?.hasPrefix(name) == true)
    }
  }
}
