import Architectures
import CoSearch
import Foundation
import GRDB
import Testing

@testable import Studies

/// Files that are not what they should be, and a machine that is in the way.
@Suite struct StudyFileTests {
  let fixture: StudyFixture

  init() throws { fixture = try StudyFixture() }

  private func kind(_ body: () throws -> some Any) -> StudyError.Kind? {
    do {
      _ = try body()
      return nil
    } catch let error as StudyError {
      #expect(!error.description.contains("\n"))
      return error.kind
    } catch {
      Issue.record("\(error)")
      return nil
    }
  }

  @Test func otherFilesAreNoStudies() throws {
    defer { fixture.remove() }
    #expect(throws: InputFileError.self) { try Study.open(fixture.path("none.db")) }
    #expect(throws: InputFileError.self) { try Study.open(fixture.folder.path) }
    try Data("schema: edgetwin.problem/1\n".utf8).write(to: fixture.folder.appending(path: "p.yaml"))
    #expect(kind { try Study.open(fixture.path("p.yaml")) } == .input)
    #expect(kind { try Study.create(fixture.path("p.yaml"), fixture.definition()) } == .input)
    // Somebody else's database is left as it is.
    let other = try DatabaseQueue(path: fixture.path("other.db"))
    try other.write { try $0.execute(sql: "CREATE TABLE player (id INTEGER)") }
    try other.close()
    let before = try Data(contentsOf: fixture.folder.appending(path: "other.db"))
    #expect(kind { try Study.open(fixture.path("other.db")) } == .input)
    #expect(kind { try Study.create(fixture.path("other.db"), fixture.definition()) } == .input)
    #expect(try Data(contentsOf: fixture.folder.appending(path: "other.db")) == before)
    #expect(kind { try Study.create(fixture.path("none/s.db"), fixture.definition()) } != nil)
    #expect(kind { try Study.create("", fixture.definition()) } == .input)
  }

  @Test func anEmptyFileIsNoStudyYet() throws {
    defer { fixture.remove() }
    try Data().write(to: fixture.folder.appending(path: "s.db"))
    #expect(try Study.isBlank(fixture.path()) && Study.isBlank(fixture.path("none.db")))
    #expect(!FileManager.default.fileExists(atPath: fixture.path("none.db")))
    #expect(kind { try Study.open(fixture.path()) } == .input)
    try Study.create(fixture.path(), fixture.definition()).close()
    #expect(try !Study.isBlank(fixture.path()))
  }

  /// What a study is made with and the study itself come together or not at all.
  @Test func aStudyIsMadeWithItsDocumentsInOneStep() throws {
    defer { fixture.remove() }
    let rows = (0..<3).map {
      StudyDocument(kind: .accuracy, name: "rows", part: $0, schema: "edgetwin.accuracy/1", json: "{\"row\":\($0)}")
    }
    let queue = try DatabaseQueue(path: fixture.path())
    try StudySchema.migrator.migrate(queue)
    try queue.write {
      try $0.execute(
        sql: "CREATE TRIGGER fails BEFORE INSERT ON document WHEN NEW.part = 2 BEGIN SELECT RAISE(ABORT, 'no'); END")
    }
    #expect(kind { try Study.create(fixture.path(), fixture.definition(), documents: rows) } != nil)
    #expect(try Study.isBlank(fixture.path()))
    try queue.write { try $0.execute(sql: "DROP TRIGGER fails") }
    try queue.close()
    let study = try Study.create(fixture.path(), fixture.definition(), documents: rows)
    #expect(try study.documents(.accuracy) == rows)
  }

  /// A file of the first version: what it lacks is added when it is opened.
  @Test func anOlderFileGoesOn() async throws {
    defer { fixture.remove() }
    let first = try Study.create(fixture.path(), fixture.definition())
    let asked = try fixture.ask(first, 3)
    first.close()
    let queue = try DatabaseQueue(path: fixture.path())
    try await queue.write {
      try $0.execute(
        sql:
          "DROP INDEX trial_told; ALTER TABLE trial DROP COLUMN violation; DELETE FROM grdb_migrations WHERE identifier LIKE '2%'"
      )
    }
    try queue.close()
    // Several at once: one brings it up to date, and what it did counts for all.
    let path = fixture.path()
    try await withThrowingTaskGroup { group in
      for _ in 0..<6 { group.addTask { try Study.open(path).close() } }
      try await group.waitForAll()
    }
    let study = try Study.open(path)
    defer { study.close() }
    var broken = fixture.outcome(0)
    (broken.isFeasible, broken.violation) = (false, 0.25)
    #expect(try fixture.tell(study, [broken, fixture.outcome(1)]).complete == 2)
    #expect(try study.trial(0)?.violation == 0.25 && study.trial(1)?.violation == nil)
    #expect(try study.trial(2)?.point == asked[2].point)
  }

  @Test func aNewerFileIsNotTouched() throws {
    defer { fixture.remove() }
    try Study.create(fixture.path(), fixture.definition()).close()
    let queue = try DatabaseQueue(path: fixture.path())
    try queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('3 something later')") }
    try queue.close()
    let error = #expect(throws: StudyError.self) { try Study.open(fixture.path()) }
    #expect(error?.kind == .input && error?.problem.contains("newer program") == true)
  }

  @Test func damageIsSaid() throws {
    defer { fixture.remove() }
    let study = try Study.create(fixture.path(), fixture.definition())
    _ = try fixture.ask(study, 3_000)
    #expect(try study.damage().isEmpty)
    study.close()
    let url = fixture.folder.appending(path: "s.db")
    var data = try Data(contentsOf: url)
    for index in stride(from: 8_192, to: data.count, by: 1) { data[index] = UInt8(truncatingIfNeeded: index &* 31) }
    try data.write(to: url)
    #expect(
      kind {
        let study = try Study.open(fixture.path())
        _ = try study.counts()
        try study.forEachTrial { _ in }
      } == .input)
    try data.prefix(50).write(to: url)
    #expect(kind { try Study.open(fixture.path()) } == .input)
  }

  @Test func aFullDiskLosesNothingThatWasThere() throws {
    defer { fixture.remove() }
    let study = try Study.create(fixture.path(), fixture.definition())
    _ = try fixture.ask(study, 10)
    let pages = try #require(try study.queue.read { try Int.fetchOne($0, sql: "PRAGMA page_count") })
    try study.queue.inDatabase { try $0.execute(sql: "PRAGMA max_page_count = \(pages + 4)") }
    let error = #expect(throws: StudyError.self) { _ = try fixture.ask(study, 5_000) }
    #expect(error?.kind == .machine && error?.problem.contains("full") == true)
    #expect(try study.counts().trials == 10 && study.damage().isEmpty)
    try study.queue.inDatabase { try $0.execute(sql: "PRAGMA max_page_count = 1000000") }
    #expect(try fixture.ask(study, 1).map(\.number) == [10])
  }

  @Test func severalWritersGetTrialsOfTheirOwn() async throws {
    defer { fixture.remove() }
    try Study.create(fixture.path(), fixture.definition()).close()
    let fixture = fixture
    let numbers = try await withThrowingTaskGroup(of: [Int].self) { group in
      for _ in 0..<4 {
        group.addTask {
          let study = try Study.open(fixture.path())
          defer { study.close() }
          var own: [Int] = []
          for _ in 0..<10 {
            let trials = try fixture.ask(study, 3).map(\.number)
            _ = try fixture.tell(study, trials.map(fixture.outcome))
            own += trials
          }
          return own
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    #expect(numbers.sorted() == Array(0..<120))
    let study = try Study.open(fixture.path())
    #expect(try study.counts().complete == 120 && study.damage().isEmpty)
  }

  @Test func pointsSurviveTheirBytes() {
    let point = DesignSpace.flexibert2.randomPointForTest
    #expect(PointCode.point(PointCode.bytes(point)) == point)
    #expect(PointCode.point([1, 2, 3]) == nil && PointCode.point([UInt8](repeating: 0, count: 52)) == nil)
    #expect(PointCode.fingerprint(point, device: 0) != PointCode.fingerprint(point, device: 1))
  }
}
