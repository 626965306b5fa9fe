import Foundation
import Testing

@testable import Text

/// Ids of Hugging Face's `tokenizers`, and a vocabulary that it learnt, written by benchmarks/text/compare_tokenizers.py.
struct ByteLevelKnownAnswers: Decodable, Sendable {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    var text: String
    var pair: String?
    var maximum: Int
    var ids: [Int32]
    var types: [Int32]

    var testDescription: String { "\(text.debugDescription) \(pair?.debugDescription ?? "") \(maximum)" }
  }

  var corpus: [String]
  var cases: [Case]

  static let folder = Bundle.module.url(forResource: "bytelevel", withExtension: nil, subdirectory: "Fixtures")?.path

  static let shared: ByteLevelKnownAnswers? = {
    guard let folder, let data = try? Data(contentsOf: URL(filePath: folder + "/cases.json")) else { return nil }
    return try? JSONDecoder().decode(ByteLevelKnownAnswers.self, from: data)
  }()
}

@Suite struct ByteLevelTests {
  private let folder: String
  private let tokenizer: ByteLevelTokenizer

  init() throws {
    folder = try #require(ByteLevelKnownAnswers.folder)
    tokenizer = try ByteLevelTokenizer.open(folder: folder)
  }

  @Test func fixtureIsThere() throws {
    let answers = try #require(ByteLevelKnownAnswers.shared)
    #expect(answers.cases.count > 60)
    #expect(answers.cases.contains { $0.ids.contains(4) })
  }

  @Test(arguments: ByteLevelKnownAnswers.shared?.cases ?? [])
  func idsAreThoseOfHuggingFace(_ known: ByteLevelKnownAnswers.Case) {
    let got = tokenizer.encode(known.text, pair: known.pair, maximumLength: known.maximum)
    #expect(got.ids == known.ids)
    #expect(got.types == known.types)
  }

  /// Learning from the same lines gives the same vocabulary and merges, in the same order.
  @Test func learnsWhatHuggingFaceLearns() throws {
    let answers = try #require(ByteLevelKnownAnswers.shared)
    var trainer = try ByteLevelTrainer(vocabularySize: 420)
    for line in answers.corpus { trainer.add(line) }
    let scratch = NSTemporaryDirectory() + "byte-level-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    let trained = try trainer.train()
    try trained.write(folder: scratch)
    #expect(trained.vocabulary == tokenizer.vocabulary)
    func merges(_ folder: String) throws -> String {
      try String(contentsOfFile: folder + "/merges.txt", encoding: .utf8)
    }
    #expect(try merges(scratch) == merges(folder))
    let again = try ByteLevelTokenizer.open(folder: scratch)
    for known in answers.cases where known.pair == nil {
      #expect(again.encode(known.text, maximumLength: known.maximum).ids == known.ids)
    }
  }

  /// Bytes are never lost: what was written out reads back.
  @Test func textsComeBack() throws {
    for known in try #require(ByteLevelKnownAnswers.shared).cases where !known.text.contains("<") {
      #expect(tokenizer.text(of: tokenizer.pieces(of: known.text)) == known.text)
    }
  }

  @Test func wordsCoverTheText() {
    var text = "It's  we'll\n\n 42 times—naïve'd \u{3000}x "
    let words = text.withUTF8 { bytes in
      var words: [String] = []
      var scanner = ByteLevelWords(bytes, in: 0..<bytes.count)
      while let range = scanner.next() { words.append(String(decoding: bytes[range], as: UTF8.self)) }
      return words
    }
    #expect(
      words == [
        "It", "'s", " ", " we", "'ll", "\n\n", " 42", " times", "—", "naïve", "'d", " ", "\u{3000}", "x", " ",
      ])
  }

  @Test func aLongWordIsFast() throws {
    // A quadratic algorithm would take minutes.
    let ids = tokenizer.pieces(of: String(repeating: "ab", count: 200_000))
    #expect(tokenizer.text(of: ids).count == 400_000)
  }

  @Test func prefixSpace() throws {
    let own = try ByteLevelTokenizer(
      vocabularyFile: folder + "/vocab.json", mergesFile: folder + "/merges.txt", addsPrefixSpace: true)
    #expect(own.pieces(of: "'s the") == tokenizer.pieces(of: " 's the"))
    #expect(own.pieces(of: " the") == tokenizer.pieces(of: " the"))
    #expect(own.pieces(of: "") == [])
  }

  @Test(arguments: [
    ("", "is no JSON object"), ("[]", "is no JSON object"), ("{}", "is empty"),
    (#"{"a":0,}"#, "a token in quotes is missing"),
    (#"{"a":1}"#, "\"a\" has id 1"), (#"{"a":0,"b":0}"#, "id 0 is that of two tokens"),
    (#"{"a":-1}"#, "no whole number"),
    ("{\"a\":0,\n\"b:1}", ":2: "), (#"{"a":0} x"#, "after the object"), (#"{"a":0}"#, "no token <s>"),
    (#"{"\ud800":0}"#, "no token <s>"), (#"{"\uZZZZ":0}"#, "four hexadecimal digits"),
  ])
  func badVocabularies(text: String, problem: String) throws {
    let scratch = NSTemporaryDirectory() + "byte-level-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    try Data(text.utf8).write(to: URL(filePath: scratch + "/vocab.json"))
    try Data().write(to: URL(filePath: scratch + "/merges.txt"))
    do {
      _ = try TokenizerFolder.open(scratch)
      Issue.record("no error")
    } catch { #expect("\(error)".contains(problem), "\(error)") }
  }

  @Test func badMergesAreNamedByLine() throws {
    let scratch = NSTemporaryDirectory() + "byte-level-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    try FileManager.default.copyItem(atPath: folder + "/vocab.json", toPath: scratch + "/vocab.json")
    for (text, problem) in [("#version: 0.2\nt h\nth\n", "merges.txt:3"), ("q q\n", "merges.txt:1")] {
      try Data(text.utf8).write(to: URL(filePath: scratch + "/merges.txt"))
      do {
        _ = try ByteLevelTokenizer.open(folder: scratch)
        Issue.record("no error")
      } catch { #expect("\(error)".contains(problem), "\(error)") }
    }
  }
}
