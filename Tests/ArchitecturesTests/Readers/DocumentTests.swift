import Foundation
import Testing

@testable import Architectures

/// The trees that all readers read: JSON, YAML, and the checks of raw bytes.
@Suite struct DocumentTests {
  private func json(_ text: String) throws -> DocumentValue {
    try JSONParser.document([UInt8](text.utf8), source: "a.json")
  }

  private func error(_ body: () throws -> Any) -> InputFileError? {
    do {
      _ = try body()
      return nil
    } catch { return error as? InputFileError }
  }

  @Test func keepsOrderAndLines() throws {
    let value = try json("{\"z\": 1,\n \"a\": [true,\n null], \"m\": {}}\n")
    #expect(value.members?.map(\.name) == ["z", "a", "m"])
    #expect(value.members?.map(\.value.line) == [1, 2, 3])
  }

  @Test func numbersKeepTheirKind() throws {
    guard
      case .list(let items) = try json(
        "[0, -7, 9223372036854775807, 9223372036854775808, 1e400, -1.5E-3, NaN]"
      ).content
    else { throw CancellationError() }
    let kinds = items.map { item -> String in
      switch item.content {
      case .integer(let integer): "i\(integer)"
      case .number(let double): "d\(double)"
      default: "?"
      }
    }
    #expect(
      kinds == ["i0", "i-7", "i9223372036854775807", "d9.223372036854776e+18", "dinf", "d-0.0015", "dnan"])
  }

  @Test(arguments: [
    Int.min, -999_999_999_999_999_999, -1, 0, 10, 999_999_999_999_999_999, 1_000_000_000_000_000_000, .max,
  ])
  func wholeNumbersAreExact(_ number: Int) throws {
    guard case .integer(number) = try json("\(number)").content else {
      Issue.record("\(number)")
      return
    }
  }

  @Test func aliasesAreWrittenOut() throws {
    func yaml(_ text: String) throws -> DocumentValue? {
      try YAMLDocument.documents([UInt8](text.utf8), source: "a.yaml").first
    }
    let value = try yaml("a: &x {b: [1, 2]}\nc: [*x, *x]\nd: \"*x\"\n")
    guard case .list(let items)? = value?["c"]?.content, items.count == 2 else { throw CancellationError() }
    #expect(items.allSatisfy { $0["b"]?.kindName == "a list" } && value?["d"]?.string == "*x")
    // Each doubles the one before.
    let bomb = (1...60).reduce("a0: &a0 [1]\n") { $0 + "a\($1): &a\($1) [*a\($1 - 1), *a\($1 - 1)]\n" }
    #expect(error { try yaml(bomb) as Any }?.problem.contains("aliases") == true)
    let many = (0...300).reduce("") { $0 + "a\($1): &a\($1) 1\n" }
    #expect(error { try yaml(many) as Any }?.problem.contains("256") == true)
    // Chains of aliases are freed one within another.
    let chain = (1...250).reduce("a0: &a0 [1]\n") { $0 + "a\($1): &a\($1) [*a\($1 - 1)]\n" }
    #expect(error { try yaml(chain) as Any }?.problem.contains("deep") == true)
    for name in ["a: &x [1]\n*x : 2", "a: &x [1]\n? *x\n: 2", "a: &x [1]\nb: {*x : 2}", "a: &x [1]\nb: {*x: 2}"] {
      #expect(error { try yaml(name) as Any }?.problem.contains("a name") == true, "\(name)")
    }
    #expect(error { try yaml("a: *none") as Any } != nil)
    #expect(error { try yaml("a: &x [*x]") as Any } != nil)
  }

  @Test func escapes() throws {
    #expect(try json(#""a\n\"\\\/\u00e9\ud83d\ude00é\ud800""#).string == "a\n\"\\/é😀é\u{FFFD}")
    for text in ["", "é😀", "\u{0}\u{1F}\u{7F}\"\\\n\r\t/", "\u{2028}"] {
      #expect(try json(JSONText.quoted(text)).string == text)
    }
  }

  @Test(arguments: [
    "{", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "[1 2]", "01", "1.", ".5", "+1", "1e", "-", "tru", "\"a",
    "\"\u{1}\"", "\"\\x\"",
    "\"\\u12\"", "[1] [2]", "{\"a\":1,\"a\":2}", "'a'", "\\",
  ])
  func refusesBadJSON(_ text: String) {
    #expect(error { try json(text) } != nil)
  }

  @Test func namesTheLineOfASyntaxError() {
    let found = error { try json("{\"a\": 1,\n\"b\": [1,\n2,,3]}") }
    #expect(found?.description == "a.json:3: expected a value, found `,3]}`")
  }

  @Test(arguments: ["[", "{\"a\":", "[{\"a\":"])
  func deepNestingIsAnError(_ unit: String) {
    let text = String(repeating: unit, count: 100_000)
    #expect(error { try json(text) }?.problem.contains("64 deep") == true)
    #expect(
      error { try YAMLDocument.documents([UInt8](text.utf8), source: "a.yaml") }?.problem.contains("too deep")
        == true)
  }

  @Test func depthUpToTheLimitIsFine() throws {
    _ = try json(String(repeating: "[", count: 64) + String(repeating: "]", count: 64))
    #expect(error { try json(String(repeating: "[", count: 65) + String(repeating: "]", count: 65)) } != nil)
  }

  @Test func yamlGivesTheSameTree() throws {
    let text = "z: 1\na: [true, ~, '5', 5, 5.5, .nan]\nm:\n  k: text\n"
    let value = try #require(YAMLDocument.documents([UInt8](text.utf8), source: "a.yaml").first)
    #expect(value.members?.map(\.name) == ["z", "a", "m"])
    #expect(value.members?.map(\.value.line) == [1, 2, 4])
    guard case .list(let items)? = value["a"]?.content else { throw CancellationError() }
    #expect(items.map(\.shown) == ["true", "null", "\"5\"", "5", "5.5", "nan"])
  }

  @Test(arguments: [
    "a: &x [1]\nb: *y", "a: 1\na: 2", "a: [1", "? [a, b]\n: c", "a: b: c", "\ta: 1", "a: \"\\ud800\"",
    "a: *x",
    String(repeating: "- ", count: 5_000) + "a", String(repeating: " ", count: 5_000) + "a: 1",
    String(repeating: "? ", count: 5_000) + "a", "%YAML 9.9\n--- a", "a: !!binary *", "- |\n x\n\u{7}",
  ])
  func refusesBadYAML(_ text: String) {
    let found = error { try YAMLDocument.documents([UInt8](text.utf8), source: "a.yaml") }
    #expect(found?.description.hasPrefix("a.yaml") == true)
    #expect(found?.description.contains("\n") == false)
  }

  @Test(
    arguments: [
      ([], "is empty"), ([0xEF, 0xBB, 0xBF, 0x20, 0x0A], "is empty"), ([0x7B, 0x0A, 0x00], "NUL"),
      ([0xFF, 0xFE, 0x7B, 0x00], "UTF-16"), ([0xC0, 0x80], "not UTF-8"), ([0xED, 0xA0, 0x80], "not UTF-8"),
      ([0xF4, 0x90, 0x80, 0x80], "not UTF-8"), ([0x61, 0xE2, 0x82], "not UTF-8"), ([0x80], "not UTF-8"),
    ] as [([UInt8], String)])
  func refusesWhatIsNoText(_ bytes: [UInt8], _ part: String) {
    #expect(error { try InputBytes.text(bytes, source: "x") }?.problem.contains(part) == true)
  }

  @Test func acceptsWellFormedUTF8() throws {
    let text = "é ࠀ ퟿  😀 \u{10FFFF}"
    #expect(try InputBytes.text([0xEF, 0xBB, 0xBF] + [UInt8](text.utf8), source: "x") == [UInt8](text.utf8))
  }

  @Test func errorsAreOneLine() {
    let odd = InputFileError(
      source: "a\nb", line: 2, field: "x\u{2028}", problem: String(repeating: "\r\n", count: 900))
    #expect(!odd.description.contains { $0.isNewline })
    #expect(odd.description.unicodeScalars.count <= 601)
  }

  @Test func namesMissingFilesAndFolders() {
    #expect(error { try InputBytes.read("no/such/file.json") }?.problem == "there is no such file")
    #expect(error { try InputBytes.read(NSTemporaryDirectory()) }?.problem == "is a folder; name a file")
    #expect(error { try InputBytes.read("") } != nil)
    #expect(error { try InputBytes.read("a\0b") } != nil)
  }
}
