import Foundation
import Testing

@testable import Training

@Suite struct WordNetTests {
  private func folder(_ noun: String) throws -> String {
    let folder = NSTemporaryDirectory() + "wordnet-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data(noun.utf8).write(to: URL(filePath: folder + "/data.noun"))
    for (part, line) in [
      ("verb", "00001740 29 v 01 breathe 0 000 | draw air into the lungs  \n"),
      ("adj", "00001740 00 a 01 able 0 000 | having the means\n"),
      ("adv", "00001740 02 r 01 a_la_carte 0 000 | by ordering\n"),
    ] { try Data(line.utf8).write(to: URL(filePath: "\(folder)/data.\(part)")) }
    return folder
  }

  @Test func glossesAndClasses() throws {
    let licence = "  1 This software and database is being provided to you, the LICENSEE  \n"
    let nouns = (0..<200).map {
      "0000\($0) \($0 % 2 == 0 ? "05" : "28") n 01 word 0 000 | gloss number \($0); \"a | b\"\n"
    }
    let folder = try folder(licence + nouns.joined())
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let contents = try WordNet.read(folder: folder)
    #expect(contents.train.count + contents.dev.count == 200)
    #expect((8...35).contains(contents.dev.count))
    #expect(contents.corpus.count == contents.train.count + 3)
    #expect(Set(contents.corpus).isDisjoint(with: contents.dev.map(\.text)))
    let first = try #require((contents.train + contents.dev).first { $0.text.contains("number 0;") })
    #expect(WordNet.nounClasses[Int(first.target)] == "noun.animal" && first.text == "gloss number 0; \"a | b\"")
    #expect(contents.corpus.contains("draw air into the lungs"))
    let table = WordNet.table(contents.dev)
    try Data(table.utf8).write(to: URL(filePath: folder + "/dev.tsv"))
    let again = try TaskData.read(folder + "/dev.tsv", task: .wordnet)
    #expect(again.rows.map(\.text) == contents.dev.map(\.text))
    #expect(again.rows.map(\.target) == contents.dev.map(\.target))
  }

  /// Several nouns, and words of other kinds, may have one gloss: what is judged by was not seen.
  @Test func glossesOfDevAreNowhereElse() throws {
    let nouns = (0..<400).map { "0000\($0) 05 n 01 word 0 000 | gloss \($0 % 40)\n" }
    let folder = try folder(nouns.joined())
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let contents = try WordNet.read(folder: folder)
    let dev = Set(contents.dev.map(\.text))
    #expect(dev.count > 5 && !contents.train.isEmpty)
    #expect(dev.isDisjoint(with: contents.train.map(\.text)) && dev.isDisjoint(with: contents.corpus))
  }

  @Test func whatIsWrongIsNamed() throws {
    #expect(throws: (any Error).self) { try WordNet.read(folder: "/nowhere") }
    for (line, problem) in [("00001740 03 n 01 entity 0 000", "gloss"), ("00001740 29 n 01 entity | that", "03 to 28")]
    {
      let folder = try folder(line + "\n")
      defer { try? FileManager.default.removeItem(atPath: folder) }
      do {
        _ = try WordNet.read(folder: folder)
        Issue.record("no error for \(line)")
      } catch { #expect("\(error)".contains("data.noun:1") && "\(error)".contains(problem), "\(error)") }
    }
  }

  @Test(
    .enabled(
      if: FileManager.default.fileExists(atPath: WordNet.standardFolder + "/data.noun"), "wordnet-base is not installed"
    ))
  func theRealOne() throws {
    let contents = try WordNet.read()
    // Of 82 115 nouns; some share their gloss with one that is kept for dev.
    #expect((81_900...82_115).contains(contents.train.count + contents.dev.count))
    #expect(Set(contents.dev.map(\.text)).isDisjoint(with: contents.train.map(\.text) + contents.corpus))
    #expect(Set(contents.dev.map(\.target)).count == 26)
  }
}
