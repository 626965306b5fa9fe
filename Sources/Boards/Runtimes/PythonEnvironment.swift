import Foundation

/// The Python that a peer runtime is run with: a virtual environment that the tool sets up on request.
public struct PythonEnvironment: Sendable {
  /// Names a Python to use instead.
  public static let variable = "EDGETWIN_PYTHON"

  /// Folder of the virtual environment.
  public let folder: String
  public let runtime: String
  public let packages: [String]
  private let override: String?

  /// - Parameter runtime: also the name of the folder below `$XDG_DATA_HOME/edgetwin` (`~/.local/share/edgetwin`).
  public init(
    runtime: String, packages: [String], environment: [String: String] = ProcessInfo.processInfo.environment
  ) {
    self.runtime = runtime
    self.packages = packages
    let named = environment["XDG_DATA_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    let data = named ?? URL(filePath: environment["HOME"] ?? NSHomeDirectory()).appending(path: ".local/share").path
    folder = URL(filePath: data).appending(path: "edgetwin/\(runtime)").path
    override = environment[Self.variable].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Path of the Python.
  public var python: String { override ?? "\(folder)/bin/python3" }

  /// True once the packages are in it, or where another Python is named.
  public var isInstalled: Bool {
    FileManager.default.isExecutableFile(atPath: python)
      && (override != nil || FileManager.default.fileExists(atPath: marker))
  }

  /// Written when all is installed: an installation that was stopped is none.
  private var marker: String { folder + "/edgetwin-complete" }

  /// Makes the virtual environment and installs the packages into it, from the index that pip is configured for.
  /// - Parameter say: told what is done.
  /// - Throws: ``BoardError/runtimeUnavailable(runtime:problem:)``.
  public func install(python system: String = "python3", say: (String) -> Void) throws(BoardError) {
    do {
      try FileManager.default.createDirectory(
        at: URL(filePath: folder).deletingLastPathComponent(), withIntermediateDirectories: true)
    } catch {
      throw failure("\(folder) cannot be made: \(error.localizedDescription)")
    }
    say("making a virtual environment in \(folder)")
    let made = run("/usr/bin/env", [system, "-m", "venv", folder])
    guard made.status == 0 else {
      throw failure(
        "\(system) -m venv failed: \(made.last); install Python with its venv module (Debian: python3-venv)")
    }
    say("installing \(packages.joined(separator: ", "))")
    let installed = run("\(folder)/bin/python3", ["-m", "pip", "install", "--quiet", "--upgrade"] + packages)
    guard installed.status == 0 else {
      throw failure(
        "pip could not install \(packages.joined(separator: ", ")): \(installed.last);"
          + " without a network, point \(Self.variable) to a Python that has them")
    }
    guard FileManager.default.createFile(atPath: marker, contents: nil) else {
      throw failure("\(marker) cannot be written")
    }
  }

  private func failure(_ problem: String) -> BoardError { .runtimeUnavailable(runtime: runtime, problem: problem) }

  private func run(_ path: String, _ arguments: [String]) -> (status: Int32, last: String) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: path)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = pipe
    process.standardError = pipe
    do {
      try process.run()
    } catch {
      return (127, error.localizedDescription)
    }
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    // pip ends with notices of new versions.
    let lines = text.split(separator: "\n").filter { !$0.contains("[notice]") }
    let error = lines.last { $0.lowercased().contains("error") } ?? lines.last
    return (process.terminationStatus, error.map(String.init) ?? "no message")
  }
}
