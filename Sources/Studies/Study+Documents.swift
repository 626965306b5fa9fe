import Architectures
import Foundation
import GRDB
import Measurements

import struct Measurements.Measurement

/// JSON that a study keeps and does not interpret: a finalist, a node of a refinement's tree.
public struct StudyDocument: Sendable, Hashable {
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    case finalist
    /// A node of a tree; ``name`` is the tree's.
    case refinement
    /// What was measured of a finalist against what was predicted.
    case confirmation
    /// A row of accuracies that were measured, which the study's search learns from.
    case accuracy
    /// What a command is at, to go on from.
    case plan
  }

  public var kind: Kind
  public var name: String
  /// Rank of a finalist, number of a node.
  public var part: Int
  /// Who can read it, such as `edgetwin.finalist/1`.
  public var schema: String
  public var json: String

  public init(kind: Kind, name: String, part: Int, schema: String, json: String) {
    self.kind = kind
    self.name = name
    self.part = part
    self.schema = schema
    self.json = json
  }
}

extension Study {
  /// Keeps documents in one step; what has the same kind, name and part is replaced.
  /// - Parameter replacing: removes first whatever else of this kind and name there is.
  public func keep(_ documents: [StudyDocument], replacing: (kind: StudyDocument.Kind, name: String)? = nil) throws {
    try write { db in
      if let replacing {
        try db.execute(
          sql: "DELETE FROM document WHERE kind = ? AND name = ?", arguments: [replacing.kind.rawValue, replacing.name])
      }
      try Self.insert(documents, db)
    }
  }

  /// Within a step of the caller's.
  static func insert(_ documents: [StudyDocument], _ db: Database) throws {
    for document in documents {
      try db.execute(
        sql: "INSERT OR REPLACE INTO document (kind, name, part, schema, json) VALUES (?, ?, ?, ?, ?)",
        arguments: [document.kind.rawValue, document.name, document.part, document.schema, document.json])
    }
  }

  /// Documents of a kind, by name and part.
  public func documents(_ kind: StudyDocument.Kind, name: String? = nil) throws -> [StudyDocument] {
    try read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT name, part, schema, json FROM document WHERE kind = ? AND (? IS NULL OR name = ?) ORDER BY name, part
          """, arguments: [kind.rawValue, name, name]
      ).map { try StudyDocument(kind: kind, name: $0.at(0), part: $0.at(1), schema: $0.at(2), json: $0.at(3)) }
    }
  }

  // MARK: Measurements

  /// Keeps a measurement at once; the same row twice is kept once.
  public func keep(_ measurement: Measurement) throws {
    try write { db in
      try db.execute(
        sql: "INSERT OR IGNORE INTO measurement (architecture, device, runtime, row) VALUES (?, ?, ?, ?)",
        arguments: [measurement.architecture?.id, measurement.device, measurement.runtime, measurement.jsonLine])
    }
  }

  /// All measurements, in the order in which they came.
  public func measurements() throws -> [Measurement] {
    let rows = try read { try String.fetchAll($0, sql: "SELECT row FROM measurement ORDER BY number") }
    guard !rows.isEmpty else { return [] }
    return try MeasurementFile.read(
      bytes: Array(rows.joined(separator: "\n").utf8), source: "\(path), measurements")
  }

  // MARK: Sessions

  /// Who worked on a study, and when.
  public struct Session: Sendable, Hashable {
    public var command: String
    public var program: String
    public var startedAt: String
    /// Nil where it was killed or goes on.
    public var endedAt: String?
    public var outcome: String?
  }

  /// Notes that a command begins.
  /// - Returns: what ``endSession(_:outcome:)`` takes.
  public func beginSession(command: String, program: String) throws -> Int64 {
    try write { db in
      try db.execute(
        sql: "INSERT INTO session (command, program, started_at) VALUES (?, ?, ?)",
        arguments: [command, program, Self.now()])
      return db.lastInsertedRowID
    }
  }

  public func endSession(_ number: Int64, outcome: String) throws {
    try write { db in
      try db.execute(
        sql: "UPDATE session SET ended_at = ?, outcome = ? WHERE number = ?",
        arguments: [Self.now(), outcome, number])
    }
  }

  public func sessions() throws -> [Session] {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT command, program, started_at, ended_at, outcome FROM session ORDER BY number")
        .map {
          try Session(command: $0.at(0), program: $0.at(1), startedAt: $0.at(2), endedAt: $0.at(3), outcome: $0.at(4))
        }
    }
  }
}
