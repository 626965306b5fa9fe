import Foundation
import Testing

/// `infer` as a user runs it: ids and texts in, answers out, and what is wrong said by line.
@Suite struct InferTests {
  let tool: Tool

  private static let architecture = """
    {"schema":"edgetwin.architecture/1","vocabulary_size":12,"maximum_positions":8,"type_vocabulary_size":2,\
    "position":"relative_key","layers":[{"hidden_size":16,"head_size":5,"heads":["sa_sdp","l_dft","c_5"],\
    "feed_forward":[24,9]},{"hidden_size":12,"head_size":4,"heads":["l_dct","sa_wma"],"feed_forward":[10]}]}
    """

  private static let vocabulary = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "fine", "day", "##s", ".", "we", "do",
  ]

  private static let inputs = """
    {"id":1,"input_ids":[2,5,6,7,3]}
    {"id":"two","input_ids":[2]}
    {"input_ids":[2,9,3,10,11,3],"token_type_ids":[0,0,0,1,1,1]}
    {"id":4,"input_ids":[2,3]}

    """

  init() throws {
    tool = try Tool()
    try tool.write(Self.architecture, to: "a.json")
    let made = try tool.run(
      "init", "--architecture", "a.json", "--labels", "3", "--masked-language-model", "--seed", "5", "--output", "m")
    #expect(made.status == 0, "\(made.errors)")
    try tool.write(Self.vocabulary.joined(separator: "\n") + "\n", to: "m/vocab.txt")
    try tool.write(Self.inputs, to: "i.jsonl")
  }

  private func infer(_ arguments: String..., input: String = "") throws -> Tool.Result {
    try tool.run(arguments: ["infer", "--model", "m"] + arguments, input: input)
  }

  private func values(_ row: [String: Any]) -> [Double] { (row["values"] as? [NSNumber] ?? []).map(\.doubleValue) }

  /// As `%.9g` of C writes them.
  @Test func nineSignificantDigits() throws {
    defer { tool.remove() }
    let output = try infer("--input", "i.jsonl", "--head", "hidden").output
    let numbers = try output.split(separator: "\n").flatMap { line in
      let start = try #require(line.range(of: "\"values\":["))
      return line[start.upperBound...].split(whereSeparator: { ",]}".contains($0) }).map(String.init)
    }
    #expect(numbers.count == 14 * 12)
    for number in numbers {
      #expect(number == String(format: "%.9g", try Double(#require(Float(number)))))
    }
    #expect(numbers.contains { $0.filter(\.isNumber).drop { $0 == "0" }.count == 9 })
  }

  @Test func everyHead() throws {
    defer { tool.remove() }
    let lengths = [5, 1, 6, 2]
    for (head, width, perToken) in [
      ("classifier", 3, false), ("mlm", 12, true), ("hidden", 12, true), ("mean", 12, false),
    ] {
      let result = try infer("--input", "i.jsonl", "--head", head)
      #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
      let rows = try result.rows()
      #expect(rows.map { "\($0["id"] ?? "")" } == ["1", "two", "<null>", "4"])
      for (row, length) in zip(rows, lengths) {
        #expect(row["shape"] as? [Int] == (perToken ? [length, width] : [width]))
        #expect(values(row).count == (perToken ? length * width : width))
        #expect(values(row).contains { abs($0) > 1e-3 })
      }
      for other in [["--threads", "2"], ["--batch-size", "1"], ["--threads", "3", "--batch-size", "3"]] {
        let again = try tool.run(arguments: ["infer", "--model", "m", "--input", "i.jsonl", "--head", head] + other)
        #expect(again.output == result.output, "\(head) \(other)")
      }
      #expect(try infer("--input", "-", "--head", head, input: Self.inputs).output == result.output)
    }
  }

  /// The mean is the mean of the hidden states, and every number names its 32-bit float.
  @Test func headsAgree() throws {
    defer { tool.remove() }
    let result = try infer("--input", "i.jsonl", "--head", "hidden")
    let hidden = try result.rows().map(values)
    let mean = try infer("--input", "i.jsonl", "--head", "mean").rows().map(values)
    for (hidden, mean) in zip(hidden, mean) {
      let rows = hidden.count / 12
      for column in 0..<12 {
        let own = (0..<rows).reduce(0.0) { $0 + hidden[$1 * 12 + column] } / Double(rows)
        #expect(abs(own - mean[column]) < 1e-6)
      }
    }
  }

  @Test func textsAreTheirTokens() throws {
    defer { tool.remove() }
    let texts = """
      {"id":1,"text":"A fine day"}
      {"id":2,"text":"A FINE days.","pair":"we do"}
      {"id":3,"text":""}

      """
    let ids = """
      {"id":1,"input_ids":[2,5,6,7,3]}
      {"id":2,"input_ids":[2,5,6,7,8,3,10,3],"token_type_ids":[0,0,0,0,0,0,1,1]}
      {"id":3,"input_ids":[2,3]}

      """
    let fromTexts = try infer("--input", "-", "--head", "hidden", input: texts)
    let fromIDs = try infer("--input", "-", "--head", "hidden", input: ids)
    #expect(fromTexts.status == 0, "\(fromTexts.errors)")
    #expect(try fromTexts.rows().map { $0["shape"] as? [Int] } == [[5, 12], [8, 12], [2, 12]])
    #expect(fromTexts.lines[0] == fromIDs.lines[0] && fromTexts.lines[2] == fromIDs.lines[2])
    try FileManager.default.removeItem(at: tool.folder.appending(path: "m/vocab.txt"))
    let without = try infer("--input", "-", input: texts)
    #expect(without.status == 65 && without.message.contains("vocab.txt"), "\(without.errors)")
  }

  @Test func paddingThatAMaskNamesIsNotRun() throws {
    defer { tool.remove() }
    let padded = """
      {"id":1,"input_ids":[2,5,6,3,0,0],"attention_mask":[1,1,1,1,0,0],"token_type_ids":[0,0,1,1,0,0]}
      {"id":2,"input_ids":[2,5],"attention_mask":[1,1]}

      """
    let plain = """
      {"id":1,"input_ids":[2,5,6,3],"token_type_ids":[0,0,1,1]}
      {"id":2,"input_ids":[2,5]}

      """
    let result = try infer("--input", "-", "--head", "hidden", input: padded)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output == (try infer("--input", "-", "--head", "hidden", input: plain)).output)
    #expect(try result.rows().first?["shape"] as? [Int] == [4, 12])
  }

  @Test func verboseSaysThePlan() throws {
    defer { tool.remove() }
    let quiet = try infer("--input", "i.jsonl")
    let said = try infer("--input", "i.jsonl", "--verbose")
    #expect(said.status == 0 && said.output == quiet.output)
    #expect(said.message.contains(/weights [0-9]+ bytes, activations [0-9]+ bytes/), "\(said.errors)")
  }

  @Test(arguments: [
    (#"{"id":1,"input_ids":[2,12]}"#, "ids run from 0 to 11"),
    (#"{"id":1,"input_ids":[2,-1]}"#, "input_ids[1]"),
    (#"{"id":1,"input_ids":[]}"#, "input_ids"),
    (#"{"id":1,"input_ids":[2,3],"token_type_ids":[0,2]}"#, "types run from 0 to 1"),
    (#"{"id":1,"input_ids":[2,3],"token_type_ids":[0]}"#, "token_type_ids"),
    (#"{"id":1,"input_ids":[2,3],"attention_mask":[1]}"#, "attention_mask"),
    (#"{"id":1,"input_ids":[2,3],"attention_mask":[0,1]}"#, "padding on the right"),
    (#"{"id":1,"input_ids":[2,3],"attention_mask":[0,0]}"#, "padding on the right"),
    (#"{"id":1,"input_ids":[2,2,2,2,2,2,2,2,2]}"#, "9 tokens; the model takes at most 8"),
    (#"{"id":1,"input_ids":[2.5]}"#, "input_ids[0]"),
    (#"{"id":1}"#, "input_ids"),
    (#"{"id":1,"input_ids":[2],"text":"a"}"#, "give one of them"),
    (#"{"id":[1],"input_ids":[2]}"#, "id"),
    (#"{"id":1,"input_ids":[2]"#, ": "),
  ])
  func badLinesAreNamed(line: String, problem: String) throws {
    defer { tool.remove() }
    try tool.write(#"{"id":0,"input_ids":[2]}"# + "\n" + line + "\n", to: "bad.jsonl")
    let result = try infer("--input", "bad.jsonl")
    #expect(result.status == 65, "\(result.errors)")
    #expect(result.message.contains("bad.jsonl:2") && result.message.contains(problem), "\(result.errors)")
  }

  @Test func otherFaults() throws {
    defer { tool.remove() }
    try tool.write("", to: "empty.jsonl")
    #expect(try infer("--input", "empty.jsonl").status == 65)
    #expect(try infer("--input", "none.jsonl").status == 65)
    #expect(try tool.run("infer", "--model", "none", "--input", "i.jsonl").status == 65)
    #expect(try infer("--input", "i.jsonl", "--threads", "0").status == 64)
    #expect(try infer("--input", "i.jsonl", "--batch-size", "0").status == 64)
    #expect(try infer("--input", "i.jsonl", "--head", "tail").status == 64)
    #expect(try infer("--input", "i.jsonl", "--precision", "fp8").status == 64)
    #expect(try tool.run("init", "--architecture", "a.json", "--output", "bare").status == 0)
    for (head, name) in [("classifier", "classifier.weight"), ("mlm", "cls.predictions")] {
      let result = try tool.run("infer", "--model", "bare", "--input", "i.jsonl", "--head", head)
      #expect(result.status == 65 && result.message.contains(name), "\(result.errors)")
    }
    #expect(try tool.run("infer", "--model", "bare", "--input", "i.jsonl", "--head", "mean").status == 0)
  }
}
