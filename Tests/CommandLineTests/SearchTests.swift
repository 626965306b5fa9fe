import Foundation
import Testing

@Suite struct SearchTests {
  let tool: Tool

  init() throws { tool = try Tool() }

  private let problem = """
    schema: edgetwin.problem/1
    space: flexibert2
    devices: [rpi4-cpu, m1-pro-cpu]
    sequence_length: 128
    batch_size: 1
    objectives:
      - {name: accuracy, direction: maximize}
      - {name: latency_s, direction: minimize}
    budgets:
      max_latency_s: 30
      max_parameters: 200000000
    scalar:
      weights: {accuracy: 0.5, latency_s: 0.5}
      scales: {accuracy: 100, latency_s: 10}
    """

  @Test func frontKeepsBudgetsAndDoesNotDependOnThreads() throws {
    defer { tool.remove() }
    try tool.write(problem, to: "p.yaml")
    func explore(_ threads: String, _ seed: String = "7") throws -> Tool.Result {
      try tool.run(
        "explore", "--problem", "p.yaml", "--evaluations", "3000", "--seed", seed, "--threads", threads, "--format",
        "jsonl")
    }
    let result = try explore("1")
    #expect(result.status == 0)
    #expect(try explore("3").output == result.output)
    #expect(try explore("1", "8").output != result.output)
    #expect(result.errors.contains("leave-one-out error"))
    let rows = try result.rows()
    #expect(rows.count > 3)
    for row in rows {
      #expect(row.median("latency_s") <= 30 && row.number("parameters") <= 2e8)
      #expect(["rpi4-cpu", "m1-pro-cpu"].contains(row["device"] as? String))
      #expect(row.median("accuracy") > 0 && row.object("accuracy").number("upper") <= 100)
      #expect(row.number("accuracy_leave_one_out_error") > 0)
    }
    // No row is better than another in both objectives.
    for a in rows {
      for b in rows where b.median("accuracy") > a.median("accuracy") && b.number("scalar").isFinite {
        let isScalarOnly = rows.last?["id"] as? String == a["id"] as? String
        #expect(b.median("latency_s") >= a.median("latency_s") || isScalarOnly)
      }
    }
    // A front can be predicted again.
    try tool.write(result.output, to: "front.jsonl")
    let rpi = rows.filter { $0["device"] as? String == "rpi4-cpu" }
    let again = try tool.run(
      "predict", "--device", "rpi4-cpu", "--architectures", "front.jsonl", "--batch-size", "1", "--format", "jsonl"
    ).rows()
    for row in rpi {
      let match = try #require(again.first { $0["id"] as? String == row["id"] as? String })
      #expect(abs(match.median("latency_s") / row.median("latency_s") - 1) < 1e-9)
    }
  }

  @Test func samplersSearchToo() throws {
    defer { tool.remove() }
    try tool.write(problem, to: "p.yaml")
    func explore(_ sampler: String, _ more: String...) throws -> Tool.Result {
      try tool.run(
        arguments: [
          "explore", "--problem", "p.yaml", "--evaluations", "120", "--seed", "5", "--format", "jsonl", "--sampler",
          sampler,
        ]
          + more)
    }
    let screened = try explore("screened-evolution", "--trace", "trace.jsonl")
    #expect(screened.status == 0 && screened.errors.contains("120 candidates"))
    #expect(try explore("screened-evolution").output == screened.output)
    let trace = try tool.read("trace.jsonl").split(separator: "\n").map { try Tool.object(String($0)) }
    #expect(trace.last?.number("evaluations") == 120)
    func best(_ result: Tool.Result) throws -> Double {
      try result.rows().map { $0.number("scalar") }.min() ?? .infinity
    }
    #expect(try best(screened) < best(explore("random")))
    for row in try screened.rows() { #expect(row.median("latency_s") <= 30 && row.number("parameters") <= 2e8) }
    let unknown = try explore("annealing")
    #expect(unknown.status == 64 && unknown.errors.contains("white-box, random, regularized-evolution"))
    let study = try explore("nsga2", "--study", "s.db")
    #expect(study.status == 64 && study.errors.contains("study create --sampler nsga2"))
    let help = try tool.run("explore", "--help").output
    for name in ["white-box", "boshcode-scaled", "nsga3"] { #expect(help.contains(name)) }
  }

  @Test func flagsMakeAProblem() throws {
    defer { tool.remove() }
    let table = try tool.run(
      "explore", "--devices", "rpi4-cpu,a100", "--max-latency", "20s", "--max-energy", "100J", "--max-power", "500W",
      "--max-parameters", "100M", "--min-accuracy", "65", "--objectives", "accuracy,latency,energy", "--evaluations",
      "1500", "--seed", "2", "--trace", "trace.jsonl")
    #expect(table.status == 0)
    for word in ["Finalists", "latency", "hypervolume", "leave-one-out error", "do not compare", "a100"] {
      #expect(table.output.contains(word))
    }
    let trace = try tool.read("trace.jsonl").split(separator: "\n").map { try Tool.object(String($0)) }
    #expect(trace.last?.number("evaluations") == 1500 && (trace.last?.number("hypervolume") ?? 0) > 0)

    let impossible = try tool.run(
      "explore", "--devices", "rpi4-cpu", "--max-latency", "1us", "--evaluations", "500", "--format", "jsonl")
    #expect(impossible.status == 1 && impossible.output.isEmpty && impossible.errors.contains("max_latency_s"))
  }

  @Test func evaluateAnswersEachLine() throws {
    defer { tool.remove() }
    try tool.write(problem, to: "p.yaml")
    let sample = try tool.run("sample", "--count", "2", "--seed", "3").lines
    let embedding = try #require(try Tool.object(sample[1])["embedding"] as? [Int])
    let input = """
      {"id":"x","architecture":\(sample[0]),"device":"rpi4-cpu"}
      {"trial":4,"embedding":\(embedding),"device":"m1-pro-cpu"}

      {"id":"y","architecture":\(sample[0]),"device":"toaster"}
      {"id":"z","embedding":[1,2],"device":"rpi4-cpu"}
      not json
      {"id":"w","architecture":\(sample[0]),"device":"rpi4-cpu","note":{"b":[1,null]}}
      """
    let result = try tool.run("evaluate", "--problem", "p.yaml", input: input)
    #expect(result.status == 0)
    let rows = try result.rows()
    #expect(rows.count == 7)
    let values = rows[0].object("values")
    #expect(rows[0]["id"] as? String == "x" && rows[0]["error"] is NSNull && rows[0]["feasible"] is Bool)
    let scalar = 0.5 * (1 - values.number("accuracy") / 100) + 0.5 * values.number("latency_s") / 10
    #expect(abs(rows[0].number("scalar") - scalar) < 1e-9)
    let predicted = try tool.run(
      "predict", "--device", "rpi4-cpu", "--architectures", "-", "--batch-size", "1", "--format", "jsonl",
      input: sample[0]
    ).rows()[0]
    #expect(abs(predicted.median("latency_s") / values.number("latency_s") - 1) < 1e-9)
    #expect(rows[1].number("trial") == 4 && rows[1]["error"] is NSNull)
    #expect((rows[3]["error"] as? String)?.contains("toaster") == true && rows[3]["id"] as? String == "y")
    #expect((rows[4]["error"] as? String)?.contains("embedding") == true)
    #expect(
      (rows[5]["error"] as? String)?.contains("standard input:6: ") == true && rows[5]["feasible"] as? Bool == false)
    // A blank line has its answer too.
    #expect((rows[2]["error"] as? String)?.contains("standard input:3: ") == true)
    #expect(
      rows[6].object("note")["b"] is [Any] && rows[6].object("values").number("latency_s") == values.number("latency_s")
    )
  }

  @Test(.timeLimit(.minutes(2))) func evaluateAnswersBeforeTheNextLine() throws {
    defer { tool.remove() }
    try tool.write(problem, to: "p.yaml")
    let line = try tool.run("sample", "--count", "1", "--seed", "3").lines[0]
    let process = tool.process(["evaluate", "--problem", "p.yaml"])
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    for round in 0..<3 {
      let row = "{\"id\":\(round),\"device\":\"rpi4-cpu\",\"architecture\":\(line)}\n"
      try input.fileHandleForWriting.write(contentsOf: Data(row.utf8))
      var answer = Data()
      while !answer.contains(UInt8(ascii: "\n")) {
        let part = output.fileHandleForReading.availableData
        if part.isEmpty { break }
        answer += part
      }
      #expect(try Tool.object(String(decoding: answer, as: UTF8.self)).number("id") == Double(round))
    }
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }

  @Test func runShowsPairsByBudget() throws {
    defer { tool.remove() }
    let arguments = ["run", "--devices", "rpi4-cpu,m1-pro-gpu", "--evaluations", "1000", "--latencies", "1s,20s"]
    let table = try tool.run(arguments: arguments)
    #expect(table.status == 0)
    for word in ["≤ 20.0 s", "rpi4-cpu", "accuracy", "leave-one-out error", "do not compare"] {
      #expect(table.output.contains(word))
    }
    let rows = try tool.run(arguments: arguments + ["--format", "jsonl"]).rows()
    #expect(!rows.isEmpty)
    for row in rows {
      #expect(row.median("latency_s") <= row.number("budget_latency_s"))
      #expect(row.median("accuracy") >= row.number("best_accuracy") - row.number("accuracy_leave_one_out_error"))
    }
    let impossible = try tool.run("run", "--devices", "rpi4-cpu", "--evaluations", "200", "--max-energy", "1uJ")
    #expect(impossible.status == 1 && impossible.output.contains("max_energy_j"))
  }

  #if os(Linux)
    /// Waits until the process has taken charge of the interrupt signal, by what the kernel says of it.
    private func waitForHandler(_ process: Process) throws {
      while process.isRunning {
        let status = try String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
        if let line = status.split(separator: "\n").first(where: { $0.hasPrefix("SigCgt:") }),
          let mask = UInt64(line.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16),
          mask & (1 << UInt64(SIGINT - 1)) != 0
        {
          return
        }
        usleep(2_000)
      }
    }

    @Test(.timeLimit(.minutes(2))) func interruptPrintsWhatThereIs() throws {
      defer { tool.remove() }
      let process = tool.process(["explore", "--devices", "rpi4-cpu", "--seconds", "30", "--format", "jsonl"])
      let output = Pipe()
      process.standardOutput = output
      process.standardError = FileHandle.nullDevice
      try process.run()
      try waitForHandler(process)
      process.interrupt()
      let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationReason == .exit && process.terminationStatus == 130)
      for line in text.split(separator: "\n") { _ = try Tool.object(String(line)) }
    }

    @Test func aClosedPipeIsQuiet() throws {
      defer { tool.remove() }
      let process = tool.process(["sample", "--count", "20000", "--seed", "1"])
      let (output, errors) = (Pipe(), Pipe())
      process.standardOutput = output
      process.standardError = errors
      try process.run()
      _ = try output.fileHandleForReading.read(upToCount: 10)
      try output.fileHandleForReading.close()
      let said = try errors.fileHandleForReading.readToEnd() ?? Data()
      process.waitUntilExit()
      #expect(said.isEmpty && process.terminationReason == .exit)
    }
  #endif
}
