import Architectures
import Foundation
import Testing

@Suite struct DesignSpaceFileTests {
  let text = DesignSpace.flexibert2.yaml

  @Test func writesWhatItReads() throws {
    #expect(try DesignSpace(yaml: text, file: "space.yaml") == .flexibert2)
    let small = try smallSpace()
    #expect(try DesignSpace(yaml: small.yaml, file: "space.yaml") == small)
    #expect(text.hasPrefix("schema: edgetwin.space/1\nlayer_counts: [2, 4, 6, 8, 10, 12]\n"))
  }

  @Test func readsAFile() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("space-\(UUID().uuidString).yaml")
    defer { try? FileManager.default.removeItem(at: url) }
    try text.write(to: url, atomically: true, encoding: .utf8)
    #expect(try DesignSpace(contentsOf: url) == .flexibert2)
    #expect(throws: YAMLFileError.self) {
      try DesignSpace(contentsOf: url.appendingPathComponent("absent"))
    }
  }

  /// Line and field of each fault in a file.
  @Test func faultsAreNamedWithTheirLine() {
    let faults: [(from: String, to: String, line: Int, field: String)] = [
      ("edgetwin.space/1", "edgetwin.space/2", 1, "schema"),
      ("edgetwin.space/1", "edgetwin.device/1", 1, "schema"),
      ("[128, 256, 512, 768]", "128", 3, "hidden_sizes"),
      ("[128, 256, 512, 768]", "[128, big]", 3, "hidden_sizes"),
      ("[128, 256, 512, 768]", "[128, 2.5]", 3, "hidden_sizes"),
      ("[128, 256, 512, 768]", "[128, 99999999999999999999]", 3, "hidden_sizes"),
      ("[128, 256, 512, 768]", "[128, 128]", 3, "hidden_sizes"),
      ("c_13", "c_14", 5, "operations"),
      ("maximum_feed_forward_stack: 3", "maximum_feed_forward_stack: [3]", 7, "maximum_feed_forward_stack"),
      ("\nvocabulary_size: 50265", "\nvocabulary_size: 0", 8, "vocabulary_size"),
      ("type_vocabulary_size: 1", "type_vocabulary_size: 0", 10, "type_vocabulary_size"),
      ("relative_key", "relative", 11, "position"),
      ("vocabulary_size: 50265\n", "vocabulary_size: 50265\ncolour: red\n", 9, "colour"),
    ]
    for fault in faults {
      let error = #expect(throws: YAMLFileError.self, "\(fault.to)") {
        try DesignSpace(yaml: text.replacingOccurrences(of: fault.from, with: fault.to), file: "space.yaml")
      }
      #expect(error?.file == "space.yaml")
      #expect(error?.field.hasPrefix(fault.field) == true, "\(fault.to)")
      #expect(error?.line == fault.line, "\(fault.to)")
    }
    let missing = #expect(throws: YAMLFileError.self) {
      try DesignSpace(
        yaml: text.replacingOccurrences(of: "head_counts: [2, 4, 8, 12]\n", with: ""), file: "space.yaml")
    }
    #expect(missing?.description.contains("head_counts") == true)
    for (from, to) in [("head_counts: [2", "head_counts: {2"), ("position:", "schema:")] {
      #expect(throws: YAMLFileError.self) {
        try DesignSpace(yaml: text.replacingOccurrences(of: from, with: to), file: "space.yaml")
      }
    }
  }

  /// No text crashes the reader.
  @Test func brokenTextIsAnError() {
    let texts = [
      "", " ", "[]", "a", "\u{0}", "- 1", "? [a]\n: 1", String(repeating: "[", count: 100_000),
      String(repeating: "[", count: 499), String(repeating: "- ", count: 400), "&a [*a]",
      "a: &a [1]\nb: &b [*a, *a]\nc: [*b, *b]", "%YAML 9", "{", "\t: x", "a: b\n---\nc: d",
    ]
    for text in texts {
      #expect(throws: YAMLFileError.self) { try DesignSpace(yaml: text, file: "space.yaml") }
    }
    var state: UInt64 = 88_172_645_463_325_252
    func random(below bound: Int) -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Int(state % UInt64(bound))
    }
    for _ in 0..<500 {
      var bytes = Array(self.text.utf8)
      for _ in 0..<(1 + random(below: 6)) {
        let place = random(below: bytes.count)
        switch random(below: 3) {
        case 0: bytes[place] = UInt8(random(below: 256))
        case 1: bytes.remove(at: place)
        default: bytes.insert(bytes[random(below: bytes.count)], at: place)
        }
      }
      _ = try? DesignSpace(yaml: String(decoding: bytes, as: UTF8.self), file: "space.yaml")
    }
  }
}
