import Architectures
import CoSearch
import Foundation
import GRDB

/// What a trial came to.
public struct TrialOutcome: Sendable, Hashable {
  public var trial: Int
  public var isComplete: Bool
  public var values: ObjectiveValues
  /// As who evaluated it found; nil judges by the budgets on the values that are given.
  public var isFeasible: Bool?
  /// How far it is from keeping the budgets (`Assessment.violation`); nil where that is not known.
  public var violation: Double?
  public var error: String?

  public init(
    trial: Int, isComplete: Bool, values: ObjectiveValues = ObjectiveValues(), isFeasible: Bool? = nil,
    violation: Double? = nil, error: String? = nil
  ) {
    self.trial = trial
    self.isComplete = isComplete
    self.values = values
    self.isFeasible = isFeasible
    self.violation = violation
    self.error = error
  }
}

/// Why an outcome cannot be taken.
public enum TrialRefusal: Error, Sendable, Hashable {
  case unknownTrial(Int, count: Int)
  /// Told before, and otherwise.
  case contradiction(field: String, told: String, known: String)
  /// An objective of the problem has no value.
  case missingValue(Objective)
}

extension Study {
  // MARK: Asking

  /// What a sampler sees when it is asked.
  public struct History {
    /// Trials that were handed out so far: the next has this number.
    public let count: Int
    /// Trials that were told so far.
    public let toldCount: Int
    /// What the sampler left the last time, and how many trials had been told then; nil before the first time.
    public let state: (snapshot: Data, told: Int)?
    fileprivate let db: Database
    fileprivate let study: Study

    /// Trials that were told, in the order of telling, without the first of them.
    public func told(after count: Int = 0) throws -> [Trial] {
      try study.trials(db, "WHERE trial.told > \(count) ORDER BY trial.told")
    }

    /// Whether a candidate was handed out already.
    public func contains(_ point: DesignPoint, device: Int) throws -> Bool {
      try study.number(of: point, device: device, db) != nil
    }
  }

  /// What a sampler answers.
  public struct Proposals: Sendable {
    public var candidates: [(point: DesignPoint, device: Int)]
    /// The sampler's state behind them; nil where it has none.
    public var snapshot: Data?

    public init(candidates: [(point: DesignPoint, device: Int)], snapshot: Data? = nil) {
      self.candidates = candidates
      self.snapshot = snapshot
    }
  }

  /// Hands out trials: `propose` is called while no other process can write, so that none is handed out twice.
  public func ask(_ propose: (History) throws -> Proposals) throws -> [Trial] {
    try write { db in
      guard
        let row = try Row.fetchOne(db, sql: "SELECT trials, complete + failed, sampler_state, sampler_told FROM study")
      else { throw StudyError(path: path, kind: .input, problem: "holds no study") }
      let (count, told): (Int, Int) = (try row.at(0), try row.at(1))
      let state = try (row.at(2) as Data?).map { (snapshot: $0, told: try row.at(3) as Int) }
      let proposals = try propose(History(count: count, toldCount: told, state: state, db: db, study: self))
      let trials = proposals.candidates.enumerated().map {
        Trial(number: count + $0, point: $1.point, device: $1.device)
      }
      for trial in trials { try insert(trial, db) }
      try db.execute(
        sql: "UPDATE study SET trials = ?, sampler_state = ?, sampler_told = ?",
        arguments: [count + trials.count, proposals.snapshot, told])
      return trials
    }
  }

  // MARK: Telling

  /// What came of telling.
  public struct Told: Sendable, Hashable {
    public var complete = 0
    public var failed = 0
    /// Told before, with the same outcome.
    public var known = 0

    public init(complete: Int = 0, failed: Int = 0, known: Int = 0) {
      self.complete = complete
      self.failed = failed
      self.known = known
    }
  }

  /// Takes outcomes in, in order, in one step: where one is refused, none is kept.
  /// - Throws: ``TrialRefusal`` with the outcome's position, or ``StudyError``.
  public func tell(_ outcomes: [TrialOutcome], refuse: (Int, TrialRefusal) -> any Error) throws -> Told {
    try writeWithFront { db, front in
      var told = Told()
      for (position, outcome) in outcomes.enumerated() {
        do {
          try take(outcome, db, &front, &told)
        } catch let refusal as TrialRefusal {
          throw refuse(position, refusal)
        }
      }
      return told
    }
  }

  private func take(
    _ outcome: TrialOutcome, _ db: Database, _ front: inout FrontKeeper, _ told: inout Told
  ) throws {
    guard let known = try trial(outcome.trial, db) else {
      throw TrialRefusal.unknownTrial(
        outcome.trial, count: try Int.fetchOne(db, sql: "SELECT trials FROM study") ?? 0)
    }
    let state: Trial.State = outcome.isComplete ? .complete : .failed
    if known.state != .running {
      try Self.compare(outcome, state, known)
      told.known += 1
      return
    }
    var trial = known
    trial.state = state
    trial.error = outcome.error
    if outcome.isComplete {
      for objective in definition.problem.objectives where outcome.values[objective] == nil {
        throw TrialRefusal.missingValue(objective)
      }
      trial.values = outcome.values
      trial.isFeasible = outcome.isFeasible ?? outcome.violation.map { $0 == 0 } ?? keepsBudgets(outcome.values)
      trial.violation = trial.isFeasible == true || outcome.violation == 0 ? nil : outcome.violation
      trial.scalar = definition.problem.scalar.map { $0.value(outcome.values) }.flatMap { $0.isFinite ? $0 : nil }
      told.complete += 1
    } else {
      told.failed += 1
    }
    try update(trial, db, &front)
  }

  private static func compare(_ outcome: TrialOutcome, _ state: Trial.State, _ known: Trial) throws {
    guard state == known.state else {
      throw TrialRefusal.contradiction(field: "state", told: state.name, known: known.state.name)
    }
    for objective in Objective.allCases {
      guard outcome.isComplete, let value = outcome.values[objective] else { continue }
      if let before = known.values[objective], abs(value - before) <= sameValue * max(abs(value), abs(before)) {
        continue
      }
      throw TrialRefusal.contradiction(
        field: "values.\(objective.rawValue)", told: "\(value)",
        known: known.values[objective].map { "\($0)" } ?? "none")
    }
    if let told = outcome.isFeasible, let before = known.isFeasible, told != before {
      throw TrialRefusal.contradiction(field: "feasible", told: "\(told)", known: "\(before)")
    }
    if let told = outcome.violation, told > 0, let before = known.violation ?? (known.isFeasible == true ? 0 : nil),
      abs(told - before) > 1e-3 * max(told, before)
    {
      throw TrialRefusal.contradiction(field: "violation", told: "\(told)", known: "\(before)")
    }
  }

  /// Values that differ by less, relatively, are the same: a twin's compiled form and its other one differ by roundings.
  private static let sameValue = 1e-6

  /// By what the values say: budgets on what has no value do not count.
  private func keepsBudgets(_ values: ObjectiveValues) -> Bool {
    Objective.allCases.allSatisfy { objective in
      guard let limit = definition.problem.budgets[objective], let value = values[objective] else { return true }
      return objective.direction == .maximize ? value >= limit : value <= limit
    }
  }

  // MARK: Rows

  func insert(_ trial: Trial, _ db: Database) throws {
    try db.cachedStatement(sql: "INSERT INTO trial (number, device, point, fingerprint, state) VALUES (?, ?, ?, ?, ?)")
      .execute(arguments: [
        trial.number, trial.device, Data(PointCode.bytes(trial.point)),
        PointCode.fingerprint(trial.point, device: trial.device), trial.state.rawValue,
      ])
  }

  /// Writes down what a trial came to, with counts and front.
  func update(_ trial: Trial, _ db: Database, _ front: inout FrontKeeper) throws {
    let values = trial.values
    try db.cachedStatement(
      sql: """
        UPDATE trial SET state = ?, accuracy = ?, latency_s = ?, energy_j = ?, peak_power_w = ?, parameters = ?,
        scalar = ?, feasible = ?, violation = ?, error = ?, told_at = ?, told = (SELECT complete + failed + 1 FROM study)
        WHERE number = ?
        """
    ).execute(arguments: [
      trial.state.rawValue, values.accuracy, values.latencySeconds, values.energyJoules, values.peakPowerWatts,
      values.parameters, trial.scalar, trial.isFeasible, trial.violation, trial.error,
      Int(Date.now.timeIntervalSince1970), trial.number,
    ])
    let isComplete = trial.state == .complete
    let isFeasible = isComplete && trial.isFeasible == true
    try db.cachedStatement(
      sql: "UPDATE study SET complete = complete + ?, failed = failed + ?, feasible = feasible + ?"
    ).execute(arguments: [isComplete ? 1 : 0, isComplete ? 0 : 1, isFeasible ? 1 : 0])
    guard isFeasible else { return }
    try front.insert(trial, db, definition.problem.objectives)
    if let scalar = trial.scalar {
      try db.cachedStatement(
        sql: """
          UPDATE study SET best_trial = ? WHERE best_trial IS NULL
          OR (SELECT scalar FROM trial WHERE number = best_trial) > ?
          """
      ).execute(arguments: [trial.number, scalar])
    }
  }

  func number(of point: DesignPoint, device: Int, _ db: Database) throws -> Int? {
    let rows = try Row.fetchAll(
      db.cachedStatement(sql: "SELECT number, device, point FROM trial WHERE fingerprint = ? ORDER BY number"),
      arguments: [PointCode.fingerprint(point, device: device)])
    return try rows.first { row in
      try (row.at(1) as Int) == device && PointCode.point(try row.at(2) as Data) == point
    }.map { try $0.at(0) }
  }

  func trial(_ number: Int, _ db: Database) throws -> Trial? {
    try Row.fetchOne(
      db.cachedStatement(sql: "SELECT \(Trial.columns) FROM trial WHERE number = ?"), arguments: [number]
    ).map { try Trial($0, space: definition.space, devices: definition.devices.count) }
  }

  fileprivate func trials(_ db: Database, _ condition: String) throws -> [Trial] {
    var trials: [Trial] = []
    let rows = try Row.fetchCursor(db, sql: "SELECT \(Trial.columns) FROM trial \(condition)")
    while let row = try rows.next() {
      trials.append(try Trial(row, space: definition.space, devices: definition.devices.count))
    }
    return trials
  }

  // MARK: Reading

  /// How many trials there are, and of what kind.
  public struct Counts: Sendable, Hashable {
    public var trials: Int
    public var complete: Int
    public var failed: Int
    public var feasible: Int
    public var front: Int
    public var measurements: Int

    /// Handed out, and not told yet.
    public var running: Int { trials - complete - failed }
  }

  public func counts() throws -> Counts {
    try read { db in
      guard
        let row = try Row.fetchOne(
          db,
          sql: """
            SELECT trials, complete, failed, feasible, (SELECT count(*) FROM front), (SELECT count(*) FROM measurement)
            FROM study
            """)
      else { throw StudyError(path: path, kind: .input, problem: "holds no study") }
      return try Counts(
        trials: row.at(0), complete: row.at(1), failed: row.at(2), feasible: row.at(3), front: row.at(4),
        measurements: row.at(5))
    }
  }

  /// Trials that are feasible and that no other dominates, the best of the first objective first.
  public func front() throws -> [Trial] {
    let objectives = definition.problem.objectives
    var found: [(trial: Trial, vector: SIMD8<Double>)] = []
    try read { db in
      let rows = try Row.fetchCursor(
        db, sql: "SELECT \(Trial.columns) FROM front JOIN trial ON trial.number = front.trial ORDER BY front.trial")
      while let row = try rows.next() {
        let trial = try Trial(row, space: definition.space, devices: definition.devices.count)
        if let vector = FrontKeeper.vector(trial.values, objectives) { found.append((trial, vector)) }
      }
    }
    return found.sorted { left, right in
      for lane in 0..<8 where left.vector[lane] != right.vector[lane] { return left.vector[lane] < right.vector[lane] }
      return left.trial.number < right.trial.number
    }.map(\.trial)
  }

  /// The feasible trial of the least scalar; nil where the problem has none.
  public func best() throws -> Trial? {
    try read { db in
      guard let number = try Int.fetchOne(db, sql: "SELECT best_trial FROM study") else { return nil }
      return try trial(number, db)
    }
  }

  public func trial(_ number: Int) throws -> Trial? { try read { try trial(number, $0) } }

  /// Calls `body` with each trial, in the order of their numbers, as of one moment; the study is not in memory as a whole.
  public func forEachTrial(_ body: (Trial) throws -> Void) throws {
    try read { db in
      let rows = try Row.fetchCursor(db, sql: "SELECT \(Trial.columns) FROM trial ORDER BY number")
      while let row = try rows.next() {
        try body(Trial(row, space: definition.space, devices: definition.devices.count))
      }
    }
  }

  /// What SQLite's `PRAGMA integrity_check` finds; empty where the file is whole. Reads all of it.
  public func damage() throws -> [String] {
    let found = try read { try String.fetchAll($0, sql: "PRAGMA integrity_check") }
    return found == ["ok"] ? [] : found
  }
}

extension Study {
  /// Trials that were handed out and never told, the oldest first.
  public func running(limit: Int) throws -> [Trial] {
    try read { try trials($0, "WHERE trial.state = 0 ORDER BY trial.number LIMIT \(max(limit, 0))") }
  }
}
