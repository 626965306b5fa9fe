import Architectures
import CoSearch
import Foundation
import GRDB

/// A problem with its trials, kept in an SQLite file: it can be stopped at any moment and taken up again, and several processes can work
/// on one at once.
///
/// Every step is one transaction, so that what a killed process leaves is the study as of its last finished step. Writers take the
/// file one after another (`BEGIN IMMEDIATE`) and wait for each other up to a minute; the write-ahead log lets readers go on.
public final class Study: Sendable {
  public let path: String
  public let definition: StudyDefinition
  /// When it was made, ISO 8601.
  public let createdAt: String

  let queue: DatabaseQueue
  private let keeper = Mutexed(FrontKeeper())

  private init(path: String, queue: DatabaseQueue, definition: StudyDefinition, createdAt: String) {
    self.path = path
    self.queue = queue
    self.definition = definition
    self.createdAt = createdAt
  }

  deinit { try? queue.close() }

  /// Ends the work on the file; what comes later throws. Without it the file is whole too, but has its log beside it.
  public func close() { try? queue.close() }

  // MARK: Opening

  /// Whether there is nothing at a path yet that a study could not be made of: no file, an empty one, or one whose making was cut off.
  /// - Throws: ``StudyError`` where there is a file that is no study.
  public static func isBlank(_ path: String) throws -> Bool {
    guard FileManager.default.fileExists(atPath: path) else { return true }
    let queue = try connection(path)
    defer { try? queue.close() }
    return try StudyError.translating(path) { try queue.read { try isBlank($0) } }
  }

  /// Makes a study.
  /// - Parameter documents: what it holds from the beginning: it is made with them in one step.
  /// - Throws: ``StudyError``, of the kind `usage` where the file holds one already.
  public static func create(
    _ path: String, _ definition: StudyDefinition, documents: [StudyDocument] = []
  ) throws -> Study {
    let exists = StudyError(
      path: path, kind: .usage, problem: "exists already; name another file, or remove it to begin anew")
    guard try isBlank(path) else { throw exists }
    let folder = URL(filePath: path).deletingLastPathComponent().path
    guard FileManager.default.fileExists(atPath: folder) else {
      throw StudyError(
        path: path, kind: .machine, problem: "cannot be written: there is no folder \(folder); make it first")
    }
    return try StudyError.translating(path) {
      let queue = try connection(path)
      // Not within a transaction, and never waited for by SQLite itself: another process may be at the same step.
      for attempt in 0... {
        do {
          try queue.inDatabase { try $0.execute(sql: "PRAGMA journal_mode = WAL") }
          break
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY && attempt < 100 {
          usleep(20_000)
        }
      }
      try StudySchema.migrator.migrate(queue)
      let now = Self.now()
      try queue.inImmediateTransaction { db in
        guard try isBlank(db) else { throw exists }
        try db.execute(
          sql: """
            INSERT INTO study (id, problem, space, seed, sampler, interval_level, program, created_at)
            VALUES (1, ?, ?, ?, ?, ?, ?, ?)
            """,
          arguments: [
            definition.problem.encoded(), definition.space.yaml, Int64(bitPattern: definition.seed), definition.sampler,
            definition.level, definition.program, now,
          ])
        for (position, device) in definition.devices.enumerated() {
          try db.execute(
            sql: "INSERT INTO device (position, name, runtime, file) VALUES (?, ?, ?, ?)",
            arguments: [position, device.name, device.runtime, device.file])
        }
        try insert(documents, db)
      }
      return Study(path: path, queue: queue, definition: definition, createdAt: now)
    }
  }

  /// Opens a study.
  /// - Throws: `InputFileError` where there is no such file, ``StudyError`` where it is no study, damaged, or made by a newer program.
  public static func open(_ path: String) throws -> Study {
    try InputBytes.open(path).close()
    let queue = try connection(path)
    do {
      return try StudyError.translating(path) {
        guard try !queue.read({ try isBlank($0) }) else {
          throw StudyError(path: path, kind: .input, problem: "holds no study yet; edgetwin study create makes one")
        }
        if try !queue.read({ try StudySchema.migrator.hasCompletedMigrations($0) }) {
          try bringUpToDate(queue, path: path)
        }
        let (definition, createdAt) = try queue.read { try self.definition($0, path: path) }
        return Study(path: path, queue: queue, definition: definition, createdAt: createdAt)
      }
    } catch {
      try? queue.close()
      throw error
    }
  }

  /// Adds what a file of an older version lacks. Where another process is just doing so, its doing counts.
  private static func bringUpToDate(_ queue: DatabaseQueue, path: String) throws {
    do {
      try StudySchema.migrator.migrate(queue)
    } catch let error as DatabaseError {
      if error.resultCode == .SQLITE_READONLY {
        throw StudyError(
          path: path, kind: .input,
          problem:
            "is of an older version, and may not be written to bring it up to this one: copy it to where it may be, and open the copy"
        )
      }
      guard try queue.read({ try StudySchema.migrator.hasCompletedMigrations($0) }) else { throw error }
    }
  }

  /// A connection to a file that is a study's or may become one; nothing is written.
  private static func connection(_ path: String) throws -> DatabaseQueue {
    var isFolder: ObjCBool = false
    if path.isEmpty || path.utf8.contains(0) {
      throw StudyError(path: path, kind: .input, problem: "is no name for a file")
    }
    if path == "-" {
      throw StudyError(path: path, kind: .usage, problem: "a study is a database, not a stream; name a file")
    }
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      throw StudyError(path: path, kind: .input, problem: "is a folder; name a file")
    }
    var configuration = Configuration()
    configuration.busyMode = .timeout(StudyError.patienceSeconds)
    configuration.label = "study"
    return try StudyError.translating(path) {
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      try queue.read { db in
        let application = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        // A making that was cut off may have left the list of migrations and nothing else.
        let isEmpty =
          try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master WHERE tbl_name <> 'grdb_migrations'") == 0
        guard application == StudySchema.applicationID || (application == 0 && isEmpty) else {
          throw StudyError(path: path, kind: .input, problem: "is a database of something else, not a study")
        }
        if !isEmpty, try StudySchema.migrator.hasBeenSuperseded(db) {
          throw StudyError(
            path: path, kind: .input,
            problem: "was made by a newer program, which keeps more in it than this one knows: use a newer program")
        }
      }
      return queue
    }
  }

  private static func isBlank(_ db: Database) throws -> Bool {
    guard try db.tableExists("study") else { return true }
    return try Int.fetchOne(db, sql: "SELECT count(*) FROM study") == 0
  }

  private static func definition(_ db: Database, path: String) throws -> (StudyDefinition, String) {
    guard let row = try Row.fetchOne(db, sql: "SELECT * FROM study") else {
      throw StudyError(path: path, kind: .input, problem: "holds no study")
    }
    let devices = try Row.fetchAll(db, sql: "SELECT name, runtime, file FROM device ORDER BY position").map {
      try StudyDefinition.Device(name: $0.at(0), runtime: $0.at(1), file: $0.at(2))
    }
    let spaceText: String = try row.decode(forColumn: "space")
    let seed: Int64 = try row.decode(forColumn: "seed")
    // What is wrong in texts that this project wrote itself is named by the study's file.
    let problem = try Problem.decode(try row.decode(forColumn: "problem"), name: "\(path), problem")
    let space = try DesignSpace(yaml: spaceText, file: "\(path), space")
    return try (
      StudyDefinition(
        problem: problem, space: space == .flexibert2 ? .flexibert2 : space, devices: devices,
        seed: UInt64(bitPattern: seed), sampler: row.decode(forColumn: "sampler"),
        level: row.decode(forColumn: "interval_level"), program: row.decode(forColumn: "program")),
      row.decode(forColumn: "created_at")
    )
  }

  // MARK: Transactions

  static func now() -> String { Date.now.formatted(.iso8601) }

  func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
    try StudyError.translating(path) { try queue.read(body) }
  }

  /// One step: kept whole or not at all.
  func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
    try StudyError.translating(path) { try queue.inImmediateTransaction(body) }
  }

  /// ``write(_:)`` with the front at hand.
  func writeWithFront<Value>(_ body: (Database, inout FrontKeeper) throws -> Value) throws -> Value {
    try keeper.withLock { front in
      do {
        return try write { db in
          try front.refresh(db, definition.problem.objectives)
          return try body(db, &front)
        }
      } catch {
        front.invalidate()
        throw error
      }
    }
  }
}

extension DatabaseQueue {
  fileprivate func inImmediateTransaction<Value>(_ body: (Database) throws -> Value) throws -> Value {
    try writeWithoutTransaction { db in
      var result: Value?
      try db.inTransaction(.immediate) {
        result = try body(db)
        return .commit
      }
      guard let result else { throw DatabaseError(resultCode: .SQLITE_ABORT) }
      return result
    }
  }
}

/// A value behind a lock.
final class Mutexed<Value>: @unchecked Sendable {
  private let lock = NSLock()
  private var value: Value

  init(_ value: Value) { self.value = value }

  func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
    try lock.withLock { try body(&value) }
  }
}
