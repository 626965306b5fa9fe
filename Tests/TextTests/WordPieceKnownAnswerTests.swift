import Foundation
import Testing

@testable import Text

/// Ids of Hugging Face's `tokenizers`, written by benchmarks/text/compare_tokenizers.py.
struct WordPieceKnownAnswers: Decodable, Sendable {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    var lowercase: Bool
    var text: String
    var pair: String?
    var maximum: Int
    var ids: [Int32]
    var types: [Int32]

    var testDescription: String {
      "\(lowercase ? "uncased" : "cased") \(text.debugDescription) \(pair?.debugDescription ?? "") \(maximum)"
    }
  }

  var vocabulary: [String]
  var cases: [Case]

  static let shared: WordPieceKnownAnswers? = {
    guard
      let url = Bundle.module.url(forResource: "wordpiece", withExtension: "json", subdirectory: "Fixtures"),
      let data = try? Data(contentsOf: url)
    else { return nil }
    return try? JSONDecoder().decode(WordPieceKnownAnswers.self, from: data)
  }()
}

@Suite struct WordPieceKnownAnswerTests {
  @Test func fixtureIsThere() throws {
    let answers = try #require(WordPieceKnownAnswers.shared)
    #expect(answers.cases.count > 100)
    #expect(answers.cases.contains { $0.ids.contains(1) } && answers.cases.contains { !$0.ids.contains(1) })
  }

  @Test(arguments: WordPieceKnownAnswers.shared?.cases ?? [])
  func idsAndTypesAreThoseOfHuggingFace(_ known: WordPieceKnownAnswers.Case) throws {
    let answers = try #require(WordPieceKnownAnswers.shared)
    let tokenizer = try WordPieceTokenizer(
      tokens: answers.vocabulary, source: "fixture",
      folding: ScalarFolding(lowercase: known.lowercase, stripsAccents: known.lowercase, spacesIdeographs: true))
    let got = tokenizer.encode(known.text, pair: known.pair, maximumLength: known.maximum)
    #expect(got.ids == known.ids)
    #expect(got.types == known.types)
  }
}
