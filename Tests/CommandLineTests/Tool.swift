import Foundation

/// Runs the built tool as a user does, each time from a fresh folder outside of the project.
struct Tool {
  struct Result {
    var status: Int32
    var output: String
    var errors: String

    var lines: [String] { output.split(separator: "\n").map(String.init) }

    /// The rows of JSON Lines.
    func rows() throws -> [[String: Any]] { try lines.map(Tool.object) }

    /// Messages on standard error, for short comparisons.
    var message: String { errors.trimmingCharacters(in: .whitespacesAndNewlines) }
  }

  struct Missing: Error, CustomStringConvertible {
    var description: String
  }

  let folder: URL
  let executable: URL
  var environment: [String: String] = [:]

  /// - Parameter executable: nil takes the one that was built beside the tests.
  init(executable: URL? = nil) throws {
    self.executable = try executable ?? Self.built()
    folder = FileManager.default.temporaryDirectory.appending(path: "edgetwin-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  static func built() throws -> URL {
    let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL
    let place = bundle ?? URL(filePath: ProcessInfo.processInfo.arguments[0])
    for folder in [place.deletingLastPathComponent(), Bundle.main.bundleURL] {
      let candidate = folder.appending(path: "edgetwin")
      if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
    }
    throw Missing(description: "no edgetwin beside \(place.path): run swift build --product edgetwin first")
  }

  func path(_ name: String) -> String { folder.appending(path: name).path }

  @discardableResult
  func write(_ text: String, to name: String) throws -> String {
    try Data(text.utf8).write(to: folder.appending(path: name))
    return name
  }

  func read(_ name: String) throws -> String {
    try String(contentsOf: folder.appending(path: name), encoding: .utf8)
  }

  func process(_ arguments: [String]) -> Process {
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    process.currentDirectoryURL = folder
    var variables = ProcessInfo.processInfo.environment
    variables["EDGETWIN_DEVICES"] = nil
    process.environment = variables.merging(environment) { $1 }
    return process
  }

  /// Files stand in for pipes, so that no amount of output can block.
  func run(arguments: [String], input: String = "") throws -> Result {
    let process = process(arguments)
    let names = ["stdin", "stdout", "stderr"].map { folder.appending(path: ".\($0)-\(UUID().uuidString)") }
    try Data(input.utf8).write(to: names[0])
    for name in names[1...] { try Data().write(to: name) }
    process.standardInput = try FileHandle(forReadingFrom: names[0])
    process.standardOutput = try FileHandle(forWritingTo: names[1])
    process.standardError = try FileHandle(forWritingTo: names[2])
    try process.run()
    process.waitUntilExit()
    return Result(
      status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
      output: try String(contentsOf: names[1], encoding: .utf8),
      errors: try String(contentsOf: names[2], encoding: .utf8))
  }

  func run(_ arguments: String..., input: String = "") throws -> Result {
    try run(arguments: arguments, input: input)
  }

  static func object(_ json: String) throws -> [String: Any] {
    guard let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any] else {
      throw Missing(description: "not an object: \(json)")
    }
    return object
  }

  /// `count` architectures in a file.
  func sample(_ count: Int, seed: Int = 1, to name: String = "a.jsonl") throws -> String {
    try write(run("sample", "--count", "\(count)", "--seed", "\(seed)").output, to: name)
  }
}

extension [String: Any] {
  func number(_ name: String) -> Double { (self[name] as? NSNumber)?.doubleValue ?? .nan }
  func object(_ name: String) -> [String: Any] { self[name] as? [String: Any] ?? [:] }
  func median(_ name: String) -> Double { object(name).number("median") }
}
