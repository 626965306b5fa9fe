import Architectures
import CoSearch
import Foundation
import GRDB

extension Study {
  /// Where a search stands.
  public struct SearchRecord: Sendable {
    public var revision: Int
    public var evaluations: Int
    public var state: [UInt8]
  }

  /// What was kept of a search, by its name in the study.
  public func search(_ part: String) throws -> SearchRecord? {
    try read { db in
      try Row.fetchOne(
        db, sql: "SELECT revision, evaluations, state FROM search WHERE part = ?", arguments: [part]
      ).map { row in
        try SearchRecord(
          revision: row.at(0), evaluations: row.at(1),
          state: row.withUnsafeData(atIndex: 2) { $0.map { [UInt8]($0) } ?? [] })
      }
    }
  }

  /// Keeps where a search stands, and with it candidates that it found, as complete trials; those that are trials already are left.
  ///
  /// Both are one step: a search that is resumed from here finds what follows, and nothing twice.
  /// - Parameter revision: what the caller kept last, 0 at first; another process that keeps the same search shows by it.
  /// - Returns: the new revision.
  public func keep(
    search part: String, revision: Int, evaluations: Int, state: [UInt8], found: [Trial]
  ) throws -> Int {
    try writeWithFront { db, front in
      let current = try Int.fetchOne(db, sql: "SELECT revision FROM search WHERE part = ?", arguments: [part]) ?? 0
      guard current == revision else {
        throw StudyError(
          path: path, kind: .machine,
          problem: "another process is at the same search (\(part)); let one of them do it, or name another file")
      }
      var count = try Int.fetchOne(db, sql: "SELECT trials FROM study") ?? 0
      for var trial in found where try number(of: trial.point, device: trial.device, db) == nil {
        trial.number = count
        count += 1
        try insert(trial, db)
        try update(trial, db, &front)
      }
      try db.execute(sql: "UPDATE study SET trials = ?", arguments: [count])
      try db.execute(
        sql: """
          INSERT INTO search (part, revision, evaluations, state) VALUES (?, ?, ?, ?)
          ON CONFLICT (part) DO UPDATE SET
          revision = excluded.revision, evaluations = excluded.evaluations, state = excluded.state
          """,
        arguments: [part, revision + 1, evaluations, Data(state)])
      return revision + 1
    }
  }
}

extension Study {
  /// Names of the searches that are kept, and how many candidates they have looked at.
  public func searches() throws -> [(part: String, evaluations: Int)] {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT part, evaluations FROM search ORDER BY part").map {
        (try $0.at(0), try $0.at(1))
      }
    }
  }
}
