import ArgumentParser
import Foundation
import Measurements
import Studies
import Workbench

struct StudyExport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write a study's trials, or what else is in it, as JSON Lines or CSV.",
    discussion: """
        edgetwin study export s.db > trials.jsonl
        edgetwin study export s.db --format csv --output trials.csv
        edgetwin study export s.db --what measurements
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case jsonl, csv
  }

  enum What: String, ExpressibleByArgument, CaseIterable {
    case trials, front, measurements, finalists, refinements, confirmations
  }

  @Argument(help: "File of the study.")
  var file: String

  @Option(help: "\(What.allCases.map(\.rawValue).joined(separator: ", ")).")
  var what: What = .trials

  @Option(help: "jsonl or csv; measurements, finalists, refinements and confirmations are jsonl.")
  var format: Format = .jsonl

  @Option(name: .shortAndLong, help: "File to write; - is standard output.")
  var output: String = "-"

  func validate() throws {
    if format == .csv, what != .trials, what != .front {
      throw ValidationError("\(what.rawValue) are exported as jsonl")
    }
  }

  func run() throws {
    let study = try Study.open(file)
    defer { study.close() }
    let sink = try LineSink(output)
    var writer = RecordWriter(format == .csv ? .csv : .jsonl)
    switch what {
    case .trials:
      try study.forEachTrial { try sink.write(writer.next(StudyRecord.row($0, of: study, format: format.rawValue))) }
    case .front:
      for trial in try study.front() {
        try sink.write(writer.next(StudyRecord.row(trial, of: study, format: format.rawValue)))
      }
    case .measurements: for row in try study.measurements() { try sink.write(row.jsonLine + "\n") }
    case .finalists: try documents(study, .finalist, sink)
    case .refinements: try documents(study, .refinement, sink)
    case .confirmations: try documents(study, .confirmation, sink)
    }
    try sink.finish()
  }

  private func documents(_ study: Study, _ kind: StudyDocument.Kind, _ sink: LineSink) throws {
    for document in try study.documents(kind) { try sink.write(document.json + "\n") }
  }
}

/// A file that appears when it is whole, or standard output; written piece by piece, so that a large study is never in memory.
final class LineSink {
  private let path: String
  private let handle: FileHandle?
  private let temporary: String
  private var buffer = ""

  init(_ path: String) throws {
    self.path = path
    temporary = path + ".part-\(ProcessInfo.processInfo.processIdentifier)"
    guard path != "-" else {
      handle = nil
      return
    }
    try Console.checkFolder(of: path)
    guard FileManager.default.createFile(atPath: temporary, contents: nil),
      let handle = FileHandle(forWritingAtPath: temporary)
    else { throw OutputError(description: "\(path): cannot be written") }
    self.handle = handle
  }

  deinit { if handle != nil { try? FileManager.default.removeItem(atPath: temporary) } }

  func write(_ text: String) throws {
    buffer += text
    if buffer.utf8.count > 1 << 20 { try flush() }
  }

  private func flush() throws {
    guard let handle else {
      try Console.write(buffer)
      buffer = ""
      return
    }
    do {
      try handle.write(contentsOf: Data(buffer.utf8))
    } catch {
      throw OutputError(description: "\(path): cannot be written: \(error.localizedDescription)")
    }
    buffer = ""
  }

  /// Puts the file in its place.
  func finish() throws {
    try flush()
    guard let handle else { return }
    try? handle.close()
    guard rename(temporary, path) == 0 else {
      throw OutputError(description: "\(path): cannot be written: \(String(cString: strerror(errno)))")
    }
  }
}
