import Architectures
import Foundation
import Testing

@testable import Training

private func read(_ text: String, _ task: TextTask) throws -> TaskData {
  try TaskData.read(LineReader(bytes: Array(text.utf8), source: "t.tsv"), source: "t.tsv", task: task)
}

private func problem(_ text: String, _ task: TextTask) -> String {
  do {
    _ = try read(text, task)
    return "none"
  } catch { return "\(error)" }
}

@Suite struct TaskDataTests {
  @Test func tasksHaveNames() {
    #expect(TextTask.named("SST-2") == .sst2)
    #expect(TextTask.named("sts_b") == .stsb)
    #expect(TextTask.named("glue") == nil)
    #expect(Set(TextTask.all.map(\.id)).count == TextTask.all.count)
    #expect(TextTask.stsb.isPaired && !TextTask.cola.isPaired)
    #expect(TextTask.mnli.labelCount == 3 && TextTask.stsb.labelCount == 1 && TextTask.wordnet.labelCount == 26)
  }

  @Test func headersNameColumnsInAnyOrder() throws {
    let data = try read("label\tsentence\n1\tit 's \"fine\n0\tbad . \n", .sst2)
    #expect(data.rows.map(\.text) == ["it 's \"fine", "bad . "])
    #expect(data.rows.map(\.target) == [1, 0])
    #expect(data.rows.map(\.line) == [2, 3])
    #expect(data.rows.allSatisfy { $0.pair == nil })
  }

  @Test func tablesWithoutHeaders() throws {
    #expect(try read("fine\t1\n", .sst2).rows.map(\.target) == [1])
    // CoLA's own files: source, label, the author's mark, sentence.
    #expect(try read("gj04\t0\t*\tMe went.\ngj04\t1\t\tI went.\n", .cola).rows.map(\.text) == ["Me went.", "I went."])
    let pairs = try read("0\ta\tb\tentailment\n1\tc\td\tnot_entailment\n", .rte)
    #expect(pairs.rows.map(\.pair) == ["b", "d"] && pairs.rows.map(\.target) == [0, 1])
  }

  @Test func officialColumns() throws {
    let stsb = "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore\n"
    let row = try #require(
      try read(stsb + "0\tg\tf\t2012\t1\ts\ts\tA plane.\tAn air plane.\t4.750\n", .stsb).rows.first)
    #expect(row.text == "A plane." && row.pair == "An air plane." && row.target == 4.75)
    let mrpc = try read("Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t7\t8\tsaid \"yes\tyes\n", .mrpc)
    #expect(mrpc.rows.first?.text == "said \"yes" && mrpc.rows.first?.target == 1)
    let qqp = try read("id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n1\t2\t3\tWhy?\tWhat?\t0\n", .qqp)
    #expect(qqp.rows.first?.pair == "What?")
    // The official file has lines that end too soon; of other tasks such a line is an error.
    let broken = try read(
      "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n1\t2\t3\tWhy?\n1\t2\t3\tWhy?\tWhat?\t0\n", .qqp)
    #expect(broken.rows.map(\.line) == [3] && broken.brokenLineCount == 1)
    let mnli = (0..<16).map { $0 == 8 ? "p" : $0 == 9 ? "h" : $0 == 15 ? "contradiction" : "x" }
    #expect(try read(mnli.joined(separator: "\t") + "\n", .mnli).rows.first?.target == 2)
    let qnli = try read("index\tquestion\tsentence\tlabel\n0\tWho?\tHe.\tnot_entailment\n", .qnli)
    #expect(qnli.rows.first?.text == "Who?" && qnli.rows.first?.target == 1)
  }

  @Test func carriageReturnsAndBlankLines() throws {
    let data = try read("sentence\tlabel\r\nfine\t1\r\n\r\nbad\t0\r\n", .sst2)
    #expect(data.rows.map(\.line) == [2, 4] && data.rows.map(\.target) == [1, 0])
  }

  @Test(arguments: [
    ("sentence\tlabel\nfine\t2\n", "t.tsv:2: label: must be one of 0, 1, is \"2\""),
    ("sentence\tlabel\nfine\t1\nbad\n", "t.tsv:3: has 1 columns; the first line has 2"),
    ("index\tsentence\n0\tfine\n", "t.tsv:1: label: the column is missing"),
    ("a\tb\tc\td\te\n", "t.tsv:1: has 5 columns; SST-2 has a header with sentence, label, or 2 columns without one"),
    ("sentence\tlabel\n", "t.tsv: has no rows"),
    ("", "t.tsv: has no rows"),
    ("fine\tpositive\n", "t.tsv:1: label: must be one of 0, 1, is \"positive\""),
  ])
  func badRowsAreNamed(text: String, message: String) {
    #expect(problem(text, .sst2).contains(message), "\(problem(text, .sst2))")
  }

  @Test(arguments: ["5.1", "-1", "nan", "inf", "", "four"])
  func scoresHaveARange(score: String) {
    #expect(problem("a\tb\t\(score)\n", .stsb).contains("t.tsv:1: score: must be a number from 0.0 to 5.0"))
  }

  /// The shared files, where they are at hand.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["EDGETWIN_DATA"] != nil, "EDGETWIN_DATA is not set"))
  func publishedFiles() throws {
    let folder = try #require(ProcessInfo.processInfo.environment["EDGETWIN_DATA"])
    for (name, task, train, dev) in [
      ("SST-2", TextTask.sst2, 67_349, 872), ("SST-2-sentences", .sst2, 6_920, 872), ("CoLA", .cola, 8_551, 1_043),
      ("RTE", .rte, 2_490, 277), ("STS-B", .stsb, 5_749, 1_500), ("WNLI", .wnli, 635, 71), ("QNLI", .qnli, 0, 5_463),
    ] {
      if train > 0 { #expect(try TaskData.read("\(folder)/glue/\(name)/train.tsv", task: task).rows.count == train) }
      #expect(try TaskData.read("\(folder)/glue/\(name)/dev.tsv", task: task).rows.count == dev)
    }
  }
}
