import CoSearch
import GRDB

/// Which trials no other dominates, kept in step with the file: a trial that is told is compared with the front only.
struct FrontKeeper {
  /// The file's `front_version` that this is a copy of; nil before the first reading.
  private var version: Int?
  private var numbers: [Int] = []
  private var vectors: [SIMD8<Double>] = []

  /// Coordinates to be minimised, in the order of the objectives; nil where a value is missing.
  static func vector(_ values: ObjectiveValues, _ objectives: [Objective]) -> SIMD8<Double>? {
    var vector = SIMD8<Double>(repeating: 0)
    for (lane, objective) in objectives.enumerated() {
      guard let value = values[objective], value.isFinite else { return nil }
      vector[lane] = objective.direction == .maximize ? -value : value
    }
    return vector
  }

  /// Reads the front where another process has changed it since.
  mutating func refresh(_ db: Database, _ objectives: [Objective]) throws {
    let current = try Int.fetchOne(db, sql: "SELECT front_version FROM study") ?? 0
    guard version != current else { return }
    numbers.removeAll()
    vectors.removeAll()
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT trial.number, trial.accuracy, trial.latency_s, trial.energy_j, trial.peak_power_w, trial.parameters
        FROM front JOIN trial ON trial.number = front.trial ORDER BY front.trial
        """)
    while let row = try rows.next() {
      let values = try ObjectiveValues(
        accuracy: row.at(1), latencySeconds: row.at(2), energyJoules: row.at(3), peakPowerWatts: row.at(4),
        parameters: row.at(5))
      guard let vector = Self.vector(values, objectives) else { continue }
      numbers.append(try row.at(0))
      vectors.append(vector)
    }
    version = current
  }

  /// Takes a feasible trial in where nothing dominates or equals it, and lets go of what it dominates.
  mutating func insert(_ trial: Trial, _ db: Database, _ objectives: [Objective]) throws {
    guard let vector = Self.vector(trial.values, objectives) else { return }
    for other in vectors where all(other .<= vector) { return }
    var kept = 0
    for index in vectors.indices {
      if all(vector .<= vectors[index]) {
        try db.cachedStatement(sql: "DELETE FROM front WHERE trial = ?").execute(arguments: [numbers[index]])
      } else {
        numbers[kept] = numbers[index]
        vectors[kept] = vectors[index]
        kept += 1
      }
    }
    numbers.removeLast(numbers.count - kept)
    vectors.removeLast(vectors.count - kept)
    numbers.append(trial.number)
    vectors.append(vector)
    try db.cachedStatement(sql: "INSERT INTO front (trial) VALUES (?)").execute(arguments: [trial.number])
    try db.execute(sql: "UPDATE study SET front_version = front_version + 1")
    version = version.map { $0 + 1 }
  }

  /// Forgets the copy: after a transaction that was not kept.
  mutating func invalidate() { version = nil }
}
