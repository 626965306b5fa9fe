import Foundation
import Testing
import Workbench

@Suite struct RecordTests {
  private func record(_ text: String) -> Record {
    var inner = Record()
    inner.add("median", .number(0.1))
    inner.add("upper", .null)
    var record = Record()
    record.add("id", .text(text))
    record.add("latency_s", .object(inner))
    record.add("extrapolated", FieldValue(["a", "b"]))
    record.add("fits", .flag(true))
    return record
  }

  @Test func json() throws {
    let text = record("a \"b\"\n").json
    #expect(
      text
        == "{\"id\":\"a \\\"b\\\"\\n\",\"latency_s\":{\"median\":0.1,\"upper\":null},\"extrapolated\":[\"a\",\"b\"],\"fits\":true}"
    )
    #expect(FieldValue.number(.nan).json == "null")
  }

  @Test func formats() {
    var csv = RecordWriter(.csv)
    #expect(csv.next(record("x,y")) == "id,latency_s.median,latency_s.upper,extrapolated,fits\n\"x,y\",0.1,,a;b,true\n")
    #expect(csv.next(record("q\"r")) == "\"q\"\"r\",0.1,,a;b,true\n")
    #expect(csv.end().isEmpty)
    var list = RecordWriter(.json)
    let text = list.next(record("x")) + list.next(record("y")) + list.end()
    #expect((try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [Any])?.count == 2)
    #expect(RecordWriter(.json).end() == "[]\n")
    var lines = RecordWriter(.jsonl)
    #expect((lines.next(record("x")) + lines.next(record("y"))).split(separator: "\n").count == 2)
  }

  @Test(arguments: [
    (0.0123, "12.3 ms"), (0.9999, "1.00 s"), (1.5, "1.50 s"), (99.9, "99.9 s"), (120, "2.00 min"), (7_200, "2.00 h"),
    (864_000, "10.0 d"), (2e-7, "200 ns"), (0, "0 s"), (.infinity, "–"),
  ])
  func seconds(_ value: Double, _ shown: String) {
    #expect(Humane.seconds(value) == shown)
  }

  @Test func quantities() {
    #expect(Humane.bytes(512) == "512 B" && Humane.bytes(4e9) == "4.00 GB")
    #expect(Humane.count(12_345_678) == "12.3 M" && Humane.count(7) == "7")
    #expect(Humane.joules(0.2) == "200 mJ" && Humane.watts(nil) == "–")
    #expect(Humane.percent(0.0345) == "3.5 %" && Humane.percent(0.9) == "90 %")
  }

  @Test func tablesLineUp() {
    var table = TextTable([.init("a"), .init("unused"), .init("b", right: true)])
    table.add(["x", "", "1"])
    table.add(["longer", "", "22"])
    #expect(table.text == "a        b\n──────  ──\nx        1\nlonger  22\n")
  }

  @Test func plotPutsPointsWhereTheyBelong() {
    let plot = ScatterPlot(
      points: [.init(x: 0.01, y: 60, mark: "a"), .init(x: 1, y: 80, mark: "b"), .init(x: .nan, y: 1, mark: "c")],
      width: 21, height: 5, xLabel: "latency", yLabel: "accuracy", formatX: { Humane.seconds($0) })
    let lines = plot.text.split(separator: "\n").map(String.init)
    #expect(lines[0] == "accuracy")
    #expect(lines[1] == "  80.0 │" + String(repeating: " ", count: 20) + "b")
    #expect(lines[5] == "  60.0 │a")
    #expect(lines[7].contains("10.0 ms") && lines[7].contains("1.00 s  latency"))
    #expect(
      ScatterPlot(points: [], xLabel: "", yLabel: "", formatX: { "\($0)" }).text.isEmpty)
    // One point alone has a place too.
    #expect(
      ScatterPlot(points: [.init(x: 1, y: 1, mark: "z")], xLabel: "", yLabel: "", formatX: { "\($0)" }).text
        .contains("z"))
  }
}
