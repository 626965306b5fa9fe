import Foundation
import Testing

@Suite struct BoundTests {
  let tool: Tool

  init() throws { tool = try Tool() }

  @Test func saysWhatNoModelIsBelow() throws {
    defer { tool.remove() }
    let result = try tool.run(
      "bound", "--devices", "rpi4-cpu,m1-pro-cpu", "--min-accuracy", "70", "--max-parameters", "90M", "--tolerance",
      "0.2", "--format", "jsonl")
    #expect(result.status == 0)
    let rows = try result.rows()
    #expect(rows.count == 2)
    for row in rows {
      #expect(row.number("lower_bound_s") > 0 && row.number("lower_bound_s") <= row.number("least_found_s"))
      #expect(row.number("gap") < 0.5)
    }
    // What was found is what predict says of it.
    let architecture = try #require(rows[0]["architecture"] as? [String: Any])
    try tool.write(String(decoding: JSONSerialization.data(withJSONObject: architecture), as: UTF8.self), to: "a.json")
    let predicted = try tool.run(
      "predict", "--device", "rpi4-cpu", "--architectures", "a.json", "--format", "jsonl"
    ).rows()
    #expect(abs(predicted[0].median("latency_s") / rows[0].number("least_found_s") - 1) < 1e-6)

    let table = try tool.run("bound", "--devices", "rpi4-cpu", "--cost", "energy")
    #expect(table.status == 0 && table.output.contains("no model below") && table.output.contains("J"))
  }

  @Test func refusesWhatCannotBe() throws {
    defer { tool.remove() }
    let none = try tool.run("bound", "--devices", "rpi4-cpu", "--min-accuracy", "99.9", "--format", "json")
    #expect(none.status == 1 && none.errors.contains("no model"))
    #expect(try tool.run("bound", "--devices", "rpi4-cpu", "--tolerance", "2").status == 64)
    #expect(try tool.run("bound", "--min-parameters", "9M", "--max-parameters", "8M").status == 64)
    #expect(try tool.run("bound", "--devices", "nowhere").status == 64)
  }
}
