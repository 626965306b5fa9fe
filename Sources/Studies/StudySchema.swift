import GRDB

/// The tables of a study's file. A migration that has been released is never changed; a new one is added behind it.
enum StudySchema {
  /// `PRAGMA application_id`: "EdTw".
  static let applicationID: Int32 = 0x4564_5477

  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1 trials, measurements, documents, searches") { db in
      try db.execute(sql: "PRAGMA application_id = \(applicationID)")
      try db.execute(sql: tables)
    }
    migrator.registerMigration("2 violations, order of telling") { db in
      try db.execute(sql: "ALTER TABLE trial ADD COLUMN violation REAL; CREATE INDEX trial_told ON trial (told)")
    }
    return migrator
  }

  /// The front is kept as trials are told, so that asking for it does not read them all; so are the counts. `trial.told` numbers
  /// trials from 1 in the order in which they were told: a sampler's state is one after so many.
  private static let tables = """
    CREATE TABLE study (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      problem TEXT NOT NULL,
      space TEXT NOT NULL,
      seed INTEGER NOT NULL,
      sampler TEXT NOT NULL,
      interval_level REAL NOT NULL,
      program TEXT NOT NULL,
      created_at TEXT NOT NULL,
      trials INTEGER NOT NULL DEFAULT 0,
      complete INTEGER NOT NULL DEFAULT 0,
      failed INTEGER NOT NULL DEFAULT 0,
      feasible INTEGER NOT NULL DEFAULT 0,
      best_trial INTEGER,
      sampler_state BLOB,
      sampler_told INTEGER NOT NULL DEFAULT 0,
      front_version INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE device (
      position INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      runtime TEXT NOT NULL,
      file TEXT NOT NULL
    );
    CREATE TABLE trial (
      number INTEGER PRIMARY KEY,
      device INTEGER NOT NULL REFERENCES device (position),
      point BLOB NOT NULL,
      fingerprint INTEGER NOT NULL,
      state INTEGER NOT NULL,
      accuracy REAL, latency_s REAL, energy_j REAL, peak_power_w REAL, parameters REAL,
      scalar REAL,
      feasible INTEGER,
      error TEXT,
      told INTEGER,
      told_at INTEGER
    );
    CREATE INDEX trial_fingerprint ON trial (fingerprint);
    CREATE TABLE front (trial INTEGER PRIMARY KEY REFERENCES trial (number));
    CREATE TABLE measurement (
      number INTEGER PRIMARY KEY,
      architecture TEXT,
      device TEXT NOT NULL,
      runtime TEXT NOT NULL,
      row TEXT NOT NULL UNIQUE
    );
    CREATE TABLE document (
      kind TEXT NOT NULL,
      name TEXT NOT NULL,
      part INTEGER NOT NULL,
      schema TEXT NOT NULL,
      json TEXT NOT NULL,
      PRIMARY KEY (kind, name, part)
    ) WITHOUT ROWID;
    CREATE TABLE search (
      part TEXT PRIMARY KEY,
      revision INTEGER NOT NULL,
      evaluations INTEGER NOT NULL,
      state BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE session (
      number INTEGER PRIMARY KEY,
      command TEXT NOT NULL,
      program TEXT NOT NULL,
      started_at TEXT NOT NULL,
      ended_at TEXT,
      outcome TEXT
    );
    """
}
