import ArgumentParser
import Foundation
import Studies
import Workbench

struct StudyTell: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tell", abstract: "Tell a study what came of its trials.",
    discussion: """
        edgetwin study tell s.db < answers.jsonl

      Reads {"trial","state":"complete" or "failed","values":{"accuracy","latency_s",…}} a line each, as evaluate prints \
      them; lines are kept as they come. Telling the same twice is harmless (but for roundings); what contradicts is an error, behind which \
      nothing is taken. Whether a trial keeps the budgets is what the line says ("feasible"), else what its values say.
      """)

  @Argument(help: "File of the study.")
  var file: String

  func run() throws {
    let study = try Study.open(file)
    defer { study.close() }
    var telling = StudyTelling(study)
    var lines = AvailableLines()
    while let some = try lines.next() { try telling.tell(some) }
    let told = telling.told
    Console.say(
      "told \(told.complete + told.failed): \(told.complete) complete, \(told.failed) failed"
        + (told.known > 0 ? "; \(told.known) were known" : ""))
  }
}

/// Standard input, as many whole lines at a time as there are: what a slow program writes is taken at once, what a fast one writes
/// in large steps.
struct AvailableLines {
  private var rest: [UInt8] = []
  private var isAtEnd = false
  private static let mostBytes = 64 << 20
  private static let stepBytes = 1 << 18

  /// Nil after the last.
  mutating func next() throws -> [[UInt8]]? {
    while !isAtEnd {
      var buffer = [UInt8](repeating: 0, count: Self.stepBytes)
      let count = read(STDIN_FILENO, &buffer, Self.stepBytes)
      if count < 0 {
        if errno == EINTR { continue }
        throw OutputError(description: "standard input: cannot be read: \(String(cString: strerror(errno)))")
      }
      isAtEnd = count == 0
      rest += buffer.prefix(count)
      guard rest.count <= Self.mostBytes else {
        throw OutputError(description: "standard input: a line is longer than 64 MiB; write one trial a line")
      }
      var lines = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(Array.init)
      let last = lines.removeLast()
      rest = isAtEnd ? [] : last
      if isAtEnd, !last.isEmpty { lines.append(last) }
      if !lines.isEmpty { return lines }
    }
    return nil
  }
}
