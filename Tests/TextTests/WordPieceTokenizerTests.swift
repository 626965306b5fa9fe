import Foundation
import Testing

@testable import Text

/// A folder that is removed with the value.
private final class Scratch {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "text-tests-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
    return path + "/" + name
  }

  func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }
}

private func error(_ body: () throws -> Void) -> TextError? {
  do { try body() } catch { return error as? TextError }
  return nil
}

@Suite struct WordPieceTokenizerTests {
  private static let special = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n"

  private static func tokenizer(_ vocabulary: String, lowercase: Bool = true) throws -> WordPieceTokenizer {
    let scratch = try Scratch()
    let file = try scratch.write("vocab.txt", special + vocabulary)
    return try WordPieceTokenizer(vocabularyFile: file, lowercase: lowercase)
  }

  @Test func takesTheLongestPiece() throws {
    // The example of the published code: unaffable is un, ##aff, ##able.
    let tokenizer = try Self.tokenizer("un\n##aff\n##able\nunaff\n##a\n")
    #expect(tokenizer.pieces(of: "UNaffable") == [8, 7])
    #expect(tokenizer.pieces(of: "unaff") == [8])
    #expect(tokenizer.pieces(of: "una") == [5, 9])
    #expect(tokenizer.pieces(of: "unaffx") == [tokenizer.unknownID])
    #expect(tokenizer.pieces(of: "un aff") == [5, tokenizer.unknownID])
  }

  @Test func aLongWordIsUnknown() throws {
    let tokenizer = try Self.tokenizer("a\n##a\n")
    #expect(tokenizer.pieces(of: String(repeating: "a", count: 100)).count == 100)
    #expect(tokenizer.pieces(of: String(repeating: "a", count: 101)) == [tokenizer.unknownID])
  }

  @Test func linesMayEndInCarriageReturnsAndHoldNothing() throws {
    let tokenizer = try Self.tokenizer("one\r\n\ntwo \nthree")
    #expect(tokenizer.vocabulary.suffix(4) == ["one", "", "two", "three"])
    #expect(tokenizer.pieces(of: "one two three four") == [5, 7, 8, 1])
  }

  @Test func ofEqualLinesTheLastCounts() throws {
    #expect(try Self.tokenizer("one\ntwo\none\n").pieces(of: "one") == [7])
  }

  @Test(arguments: 0...20)
  func truncationKeepsTheSpecialTokens(maximum: Int) throws {
    let tokenizer = try Self.tokenizer("a\nb\n")
    let one = tokenizer.encode("a a a a a a", maximumLength: maximum)
    #expect(one.ids.count == min(max(maximum, 2), 8))
    #expect(one.ids.first == tokenizer.classifierID && one.ids.last == tokenizer.separatorID)
    for (first, second) in [("a a a a a a", "b"), ("a", "b b b b b b"), ("a a a a", "b b b"), ("a a a", "b b b")] {
      let two = tokenizer.encode(first, pair: second, maximumLength: maximum)
      let whole = tokenizer.encode(first, pair: second, maximumLength: 100)
      #expect(two.ids.count == min(max(maximum, 3), whole.ids.count))
      #expect(two.ids.count(where: { $0 == tokenizer.separatorID }) == 2)
      #expect(two.types.count == two.ids.count && two.types == two.types.sorted())
      #expect(two.types.firstIndex(of: 1) == two.ids.firstIndex(of: tokenizer.separatorID).map { $0 + 1 })
      #expect(!zip(two.ids, two.types).contains { $0 == 5 && $1 == 1 || $0 == 6 && $1 == 0 })
    }
  }

  @Test func aFolderSaysWhetherItIsCased() throws {
    let scratch = try Scratch()
    _ = try scratch.write("vocab.txt", Self.special + "é\ne\nE\n")
    #expect(try WordPieceTokenizer.open(folder: scratch.path).pieces(of: "É E") == [6, 6])
    let configurations: [(String, [Int32])] = [
      (#"{"do_lower_case": false}"#, [1, 7]), (#"{"do_lower_case": true, "strip_accents": false}"#, [5, 6]),
      (#"{"do_lower_case": true, "strip_accents": null}"#, [6, 6]),
      (#"{"do_lower_case": false, "strip_accents": true}"#, [7, 7]), ("{}", [6, 6]),
    ]
    for (configuration, ids) in configurations {
      _ = try scratch.write("tokenizer_config.json", configuration)
      #expect(try WordPieceTokenizer.open(folder: scratch.path).pieces(of: "É E") == ids, "\(configuration)")
    }
  }

  @Test func ideographsStayTogetherWhereTheFolderSaysSo() throws {
    let scratch = try Scratch()
    _ = try scratch.write("vocab.txt", Self.special + "中文\n中\n文\n")
    #expect(try WordPieceTokenizer.open(folder: scratch.path).pieces(of: "中文") == [6, 7])
    _ = try scratch.write("tokenizer_config.json", #"{"tokenize_chinese_chars": false}"#)
    #expect(try WordPieceTokenizer.open(folder: scratch.path).pieces(of: "中文") == [5])
  }

  @Test func badFilesAreNamed() throws {
    let scratch = try Scratch()
    let missing = scratch.path + "/none.txt"
    let unreadable = error { _ = try WordPieceTokenizer(vocabularyFile: missing, lowercase: true) }
    guard case .unreadable(missing, _) = unreadable else {
      Issue.record("\(String(describing: unreadable))")
      return
    }
    let empty = try scratch.write("empty.txt", "")
    #expect(
      error { _ = try WordPieceTokenizer(vocabularyFile: empty, lowercase: true) } == .emptyVocabulary(path: empty))
    let binary = try scratch.write("binary.txt", Array("[UNK]\n".utf8) + [0xC3, 0x28, 0x0A])
    #expect(
      error { _ = try WordPieceTokenizer(vocabularyFile: binary, lowercase: true) }
        == .notUTF8(path: binary, line: 2))
    let noSeparator = try scratch.write("vocab.txt", "[UNK]\n[CLS]\nword\n")
    #expect(
      error { _ = try WordPieceTokenizer(vocabularyFile: noSeparator, lowercase: true) }
        == .missingToken(path: noSeparator, token: "[SEP]"))
  }

  @Test(arguments: ["[1]", "{", #"{"do_lower_case": "yes"}"#, #"{"do_lower_case": 3}"#])
  func aBadConfigurationIsNamed(text: String) throws {
    let scratch = try Scratch()
    _ = try scratch.write("vocab.txt", Self.special)
    let path = try scratch.write("tokenizer_config.json", text)
    let found = error { _ = try WordPieceTokenizer.open(folder: scratch.path) }
    guard case .invalidField(path, let field, _) = found else {
      Issue.record("\(String(describing: found))")
      return
    }
    #expect(field == (text.contains("do_lower") ? "do_lower_case" : ""))
    #expect(found?.description.contains(path) == true)
  }
}
