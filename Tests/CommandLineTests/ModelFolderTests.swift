import Foundation
import Testing

@Suite struct ModelFolderTests {
  let tool: Tool

  init() throws { tool = try Tool() }

  private static let architecture = """
    {"schema":"edgetwin.architecture/1","vocabulary_size":50,"maximum_positions":8,"type_vocabulary_size":1,\
    "position":"relative_key","layers":[{"hidden_size":16,"heads":["sa_sdp","l_dft"],"feed_forward":[24]},\
    {"hidden_size":12,"head_size":4,"heads":["c_5","sa_wma"],"feed_forward":[24,8]}]}
    """

  @Test func initAndExport() throws {
    defer { tool.remove() }
    try tool.write(Self.architecture, to: "a.json")
    for (seed, folder) in [(1, "m"), (1, "again"), (2, "other")] {
      let result = try tool.run(
        "init", "--architecture", "a.json", "--labels", "3", "--seed", "\(seed)", "--output", folder)
      #expect(result.status == 0 && result.output.isEmpty, "\(result.errors)")
    }
    func bytes(_ name: String) throws -> Data { try Data(contentsOf: tool.folder.appending(path: name)) }
    #expect(try bytes("m/model.safetensors") == bytes("again/model.safetensors"))
    #expect(try bytes("m/model.safetensors") != bytes("other/model.safetensors"))
    let configuration = try Tool.object(tool.read("m/config.json"))
    #expect(configuration["schema"] as? String == "edgetwin.architecture/1" && configuration["labels"] as? Int == 3)
    for form in ["batched", "chain"] {
      let result = try tool.run("export", "m", "--output", "\(form).onnx", "--head-form", form)
      #expect(result.status == 0 && result.output.isEmpty, "\(result.errors)")
      #expect(try bytes("\(form).onnx").count > 10_000)
    }
    let stream = tool.process(["export", "m", "--output", "-"])
    let pipe = Pipe()
    stream.standardOutput = pipe
    try stream.run()
    #expect(try pipe.fileHandleForReading.readToEnd() == bytes("batched.onnx"))
    stream.waitUntilExit()
    #expect(stream.terminationStatus == 0)
    // A folder's configuration is an architecture file, too.
    #expect(try tool.run("predict", "--device", "rpi4-cpu", "--architectures", "m/config.json").status == 0)
  }

  @Test func badInput() throws {
    defer { tool.remove() }
    try tool.write(Self.architecture, to: "a.json")
    try tool.write(Self.architecture + "\n" + Self.architecture, to: "two.jsonl")
    #expect(try tool.run("init", "--architecture", "two.jsonl", "--output", "m").status == 65)
    #expect(try tool.run("init", "--architecture", "none.json", "--output", "m").status == 65)
    #expect(try tool.run("init", "--architecture", "a.json", "--labels", "0", "--output", "m").status == 64)
    try tool.write("", to: "file")
    let place = try tool.run("init", "--architecture", "a.json", "--output", "file/m")
    #expect(place.status == 1 && place.message.contains("file/m"))
    #expect(try tool.run("init", "--architecture", "a.json", "--output", "m").status == 0)
    #expect(try tool.run("export", "none", "--output", "x.onnx").status == 65)
    #expect(try tool.run("export", "m", "--output", "no/such/x.onnx").status == 1)
    let head = try tool.run("export", "m", "--output", "x.onnx", "--head", "classifier")
    #expect(head.status == 65 && head.message.contains("classifier"))
    try tool.write("damaged", to: "m/model.safetensors")
    let damaged = try tool.run("export", "m", "--output", "x.onnx")
    #expect(damaged.status == 65 && damaged.message.contains("m/model.safetensors"))
    #expect(!FileManager.default.fileExists(atPath: tool.path("x.onnx")))
  }

  /// A file that cannot grow stands in for a disk that is full.
  @Test func fullDiskLeavesNothing() throws {
    defer { tool.remove() }
    try tool.write(Self.architecture, to: "a.json")
    let shell = try Tool(executable: URL(filePath: "/bin/sh"))
    defer { shell.remove() }
    let command =
      "trap '' XFSZ; ulimit -f 1; '\(tool.executable.path)' init --architecture '\(tool.path("a.json"))' --output '\(tool.path("m"))'"
    let result = try shell.run("-c", command)
    #expect(result.status == 1 && result.message.contains("cannot be written"), "\(result.errors)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: tool.path("m")).isEmpty)
  }
}
