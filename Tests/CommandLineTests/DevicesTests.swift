import Foundation
import Testing

@Suite struct DevicesTests {
  let tool: Tool

  init() throws { tool = try Tool() }

  @Test func listHasThePublishedSeven() throws {
    defer { tool.remove() }
    let result = try tool.run("devices", "--format", "json")
    #expect(result.status == 0 && result.errors.isEmpty)
    let rows = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]])
    let ids = Set(rows.compactMap { $0["id"] as? String })
    #expect(
      ids.isSuperset(of: [
        "a100", "m1-pro-cpu", "m1-pro-gpu", "rpi4-cpu", "jetson-nano-cpu", "jetson-nano-gpu", "ncs2",
      ]))
    for row in rows {
      #expect(row["name"] is String && row["calibrated"] is Bool)
      #expect((row["runtimes"] as? [String])?.isEmpty == false)
    }
    #expect(try tool.run("devices", "--format", "jsonl").rows().count == rows.count)
    #expect(try tool.run("devices", "--format", "csv").lines.count == rows.count + 1)
    #expect(try tool.run("devices").output.contains("Raspberry Pi 4"))
  }

  @Test func showGivesTheFileBack() throws {
    defer { tool.remove() }
    #expect(try tool.run("devices", "show", "rpi4-cpu").output.contains("memory.bandwidth"))
    try tool.write(tool.run("devices", "show", "rpi4-cpu", "--format", "yaml").output, to: "copy.yaml")
    let again = try tool.run("devices", "show", "copy.yaml", "--format", "json")
    #expect(again.status == 0)
    #expect(try Tool.object(again.output)["id"] as? String == "rpi4-cpu")
  }

  @Test func diffOfATwinWithItselfIsOne() throws {
    defer { tool.remove() }
    let result = try tool.run("devices", "diff", "rpi4-cpu", "rpi4-cpu", "--count", "5", "--format", "json")
    let object = try Tool.object(result.output)
    #expect((object["facts"] as? [Any])?.isEmpty == true)
    let predictions = try #require(object["predictions"] as? [[String: Any]])
    #expect(predictions.count == 5)
    for row in predictions {
      let latency = row.object("latency_s")
      #expect(latency.median("a") > 0 && latency.median("a") == latency.median("b"))
    }
    let coefficients = try #require(object["coefficients"] as? [[String: Any]])
    #expect(!coefficients.isEmpty && coefficients.allSatisfy { $0.number("a") == $0.number("b") })
  }

  @Test func diffShowsAChangedFact() throws {
    defer { tool.remove() }
    let yaml = try tool.run("devices", "show", "rpi4-cpu", "--format", "yaml").output
    let file = try tool.write(changing(yaml, "power", "maximum", to: "9.5"), to: "new.yaml")
    let text = try tool.run("devices", "diff", "rpi4-cpu", file, "--count", "3").output
    #expect(text.contains("power.maximum") && text.contains("9.50 W"))
    let scopes = try tool.run("devices", "diff", "rpi4-cpu", "a100", "--count", "3").output
    #expect(scopes.contains("do not compare"))
  }

  /// The value of the fact `name` in the block `block`, replaced.
  private func changing(_ yaml: String, _ block: String, _ name: String, to value: String) -> String {
    var lines = yaml.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard let start = lines.firstIndex(of: "\(block):"),
      let fact = lines[start...].firstIndex(where: { $0.hasPrefix("  \(name):") }),
      let line = lines[fact...].firstIndex(where: { $0.contains("value:") })
    else { return yaml }
    if let range = lines[line].range(of: #"value: [^,}]+"#, options: .regularExpression) {
      lines[line].replaceSubrange(range, with: "value: \(value)")
    }
    return lines.joined(separator: "\n")
  }

  @Test func libraryIsFoundWhenInstalled() throws {
    defer { tool.remove() }
    let manager = FileManager.default
    let models = try #require(projectModels())
    let prefix = tool.folder.appending(path: "opt")
    try manager.createDirectory(at: prefix.appending(path: "bin"), withIntermediateDirectories: true)
    try manager.createDirectory(at: prefix.appending(path: "share/edgetwin"), withIntermediateDirectories: true)
    try manager.copyItem(at: tool.executable, to: prefix.appending(path: "bin/edgetwin"))
    try manager.createDirectory(
      at: prefix.appending(path: "share/edgetwin/device-models"), withIntermediateDirectories: true)
    for id in ["rpi4-cpu", "ncs2"] {
      try manager.copyItem(
        at: models.appending(path: "\(id).yaml"),
        to: prefix.appending(path: "share/edgetwin/device-models/\(id).yaml"))
    }
    let installed = try Tool(executable: prefix.appending(path: "bin/edgetwin"))
    defer { installed.remove() }
    #expect(
      try installed.run("devices", "--format", "jsonl").rows().map { $0["id"] as? String } == ["ncs2", "rpi4-cpu"])
    // By a link on the path, too.
    let link = installed.folder.appending(path: "edgetwin")
    try manager.createSymbolicLink(at: link, withDestinationURL: prefix.appending(path: "bin/edgetwin"))
    let linked = try Tool(executable: link)
    defer { linked.remove() }
    #expect(try linked.run("devices", "--format", "jsonl").lines.count == 2)
  }

  @Test func libraryIsNamedByTheEnvironment() throws {
    defer { tool.remove() }
    let models = try #require(projectModels())
    try FileManager.default.createDirectory(at: tool.folder.appending(path: "mine"), withIntermediateDirectories: true)
    let yaml = try String(contentsOf: models.appending(path: "rpi4-cpu.yaml"), encoding: .utf8)
    try tool.write(yaml.replacing("id: rpi4-cpu", with: "id: my-board"), to: "mine/board.yaml")
    var mine = tool
    mine.environment["EDGETWIN_DEVICES"] = tool.path("mine")
    #expect(try mine.run("devices", "--format", "jsonl").rows().map { $0["id"] as? String } == ["my-board"])
    #expect(try mine.run("devices", "show", "my-board").status == 0)
    #expect(try mine.run("devices", "show", "rpi4-cpu").status == 64)
    mine.environment["EDGETWIN_DEVICES"] = tool.path("nowhere")
    let missing = try mine.run("devices")
    #expect(missing.status == 65 && missing.message.contains("nowhere"))
  }

  private func projectModels() -> URL? {
    var folder = tool.executable.resolvingSymlinksInPath().deletingLastPathComponent()
    while folder.path != "/" {
      let models = folder.appending(path: "device-models")
      if FileManager.default.fileExists(atPath: models.appending(path: "rpi4-cpu.yaml").path) { return models }
      folder.deleteLastPathComponent()
    }
    return nil
  }
}
