import Foundation

/// A program in another process that answers a line of JSON with a line of JSON.
final class PythonRunner {
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()
  private let errorFile: URL
  private let runtime: String
  private var buffer: [UInt8] = []

  /// Starts `python -c script`; the process inherits the cores of this thread.
  /// - Throws: ``BoardError/runtimeUnavailable(runtime:problem:)``.
  init(python: String, script: String, runtime: String) throws(BoardError) {
    self.runtime = runtime
    errorFile = FileManager.default.temporaryDirectory.appending(path: "edgetwin-\(UUID().uuidString).log")
    process.executableURL = URL(filePath: python)
    process.arguments = ["-u", "-c", script]
    process.standardInput = input
    process.standardOutput = output
    do {
      try Data().write(to: errorFile)
      process.standardError = try FileHandle(forWritingTo: errorFile)
      try process.run()
    } catch {
      throw .runtimeUnavailable(runtime: runtime, problem: "\(python) cannot be started: \(error.localizedDescription)")
    }
  }

  deinit { close() }

  func close() {
    try? input.fileHandleForWriting.close()
    if process.isRunning { process.waitUntilExit() }
    try? FileManager.default.removeItem(at: errorFile)
  }

  /// Sends a request and waits for its answer.
  /// - Throws: ``BoardError``; where the other side says `error`, with what it says.
  func ask<Request: Encodable, Answer: Decodable>(
    _ request: Request, _ answer: Answer.Type, subject: String? = nil
  ) throws(BoardError) -> Answer {
    let line: [UInt8]
    do {
      try input.fileHandleForWriting.write(contentsOf: JSONEncoder().encode(request) + [0x0A])
      line = try nextLine()
    } catch {
      throw .runtimeUnavailable(runtime: runtime, problem: "its process ended: \(lastWords)")
    }
    let data = Data(line)
    if let failure = try? JSONDecoder().decode(RunnerFailure.self, from: data) {
      if let subject { throw .cannotRun(architecture: subject, problem: "\(runtime): \(failure.error)") }
      throw .runtimeUnavailable(runtime: runtime, problem: failure.error)
    }
    do {
      return try JSONDecoder().decode(Answer.self, from: data)
    } catch {
      throw .runtimeUnavailable(
        runtime: runtime,
        problem: "its process answered what is not known: \(String(decoding: line.prefix(200), as: UTF8.self))")
    }
  }

  private func nextLine() throws -> [UInt8] {
    while true {
      if let end = buffer.firstIndex(of: 0x0A) {
        defer { buffer.removeSubrange(...end) }
        return Array(buffer[..<end])
      }
      let data = output.fileHandleForReading.availableData
      guard !data.isEmpty else { throw RunnerEnded() }
      buffer.append(contentsOf: data)
    }
  }

  /// The end of what the process wrote to standard error.
  private var lastWords: String {
    process.waitUntilExit()
    let text = (try? String(contentsOf: errorFile, encoding: .utf8)) ?? ""
    let last = text.split(separator: "\n").last.map(String.init)
    return last ?? "exit status \(process.terminationStatus)"
  }
}

private struct RunnerFailure: Decodable {
  var error: String
}

private struct RunnerEnded: Error {}
