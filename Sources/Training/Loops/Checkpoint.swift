import Architectures
import Foundation
import ModelFiles

/// What a run's result depends on, by name: a checkpoint goes on only in a run of the same.
struct RunIdentity: Sendable, Equatable {
  /// Names and values, in the order that messages compare them.
  var members: [(name: String, value: String)]

  static func == (left: RunIdentity, right: RunIdentity) -> Bool {
    left.members.map(\.name) == right.members.map(\.name) && left.members.map(\.value) == right.members.map(\.value)
  }

  var json: String {
    "{" + members.map { "\(JSONText.quoted($0.name)):\(JSONText.quoted($0.value))" }.joined(separator: ",") + "}"
  }
}

/// Where a run has come to: one file, which appears whole or not at all. A line of JSON, then the session's state.
struct Checkpoint {
  static let name = "checkpoint"
  private static let schema = "edgetwin.checkpoint/1"

  var identity: RunIdentity
  /// Steps that are done.
  var step: Int
  /// Of training so far, over all processes.
  var seconds: Double
  /// Length of the log at this step.
  var logBytes: Int
  /// Of the session; empty where the run is complete.
  var state: Data

  func write(folder: String) throws {
    let header =
      "{\"schema\":\"\(Self.schema)\",\"step\":\(step),\"seconds\":\(JSONText.number(seconds)),"
      + "\"log_bytes\":\(logBytes),\"state_bytes\":\(state.count),\"run\":\(identity.json)}\n"
    var file = try AtomicFile(path: "\(folder)/\(Self.name)")
    try file.write(header.utf8)
    try state.withUnsafeBytes { try file.write($0) }
    try file.finish()
  }

  /// The checkpoint of a folder; nil where there is none.
  ///
  /// - Throws: `InputFileError` for a file that is damaged or of another run.
  static func read(folder: String, identity: RunIdentity) throws -> Checkpoint? {
    let path = "\(folder)/\(name)"
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let advice = "start again without --resume"
    let file: Data
    do { file = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped) } catch {
      throw InputFileError(source: path, problem: "cannot be read: \(error.localizedDescription)")
    }
    guard let end = file.prefix(1 << 16).firstIndex(of: 0x0A) else {
      throw InputFileError(source: path, problem: "is no checkpoint; \(advice)")
    }
    let fields = try FieldReader(JSONParser.document([UInt8](file[..<end]), source: path, line: 1), source: path)
    try fields.checkSchema(schema)
    let run = try FieldReader(fields.required("run"), source: path, path: "run")
    for (name, value) in identity.members {
      let stored = try run.string(name)
      guard stored == value else {
        throw InputFileError(
          source: path, field: name,
          problem: "the run that is to be resumed had \(stored), this one has \(value); \(advice), or in another folder"
        )
      }
    }
    let bytes = 0...Int.max
    let state = file[(end + 1)...]
    guard try fields.integer("state_bytes", in: bytes) == state.count else {
      throw InputFileError(source: path, problem: "ends before its state does; \(advice)")
    }
    return Checkpoint(
      identity: identity, step: try fields.integer("step", in: bytes),
      seconds: try fields.optionalNumber("seconds", in: 0...1e12) ?? 0,
      logBytes: try fields.integer("log_bytes", in: bytes), state: Data(state))
  }
}
