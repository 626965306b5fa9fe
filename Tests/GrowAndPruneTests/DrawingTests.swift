import Architectures
import Foundation
import Testing

@testable import GrowAndPrune

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct DrawingTests {
  private func tree(_ parents: [Int?]) -> RefinementTree {
    let pedigree = Pedigree(root: evenArchitecture())
    let nodes = parents.enumerated().map { number, parent in
      RefinementNode(
        number: number, parent: parent, mode: parent == nil ? .root : .growHeads, change: "layer 0 + <c_5> & \"more\"",
        pedigree: pedigree, costs: nil, isAdmissible: number % 2 == 0, steps: 1, loss: 1.5, score: nil)
    }
    return RefinementTree(nodes: nodes, selected: 2)
  }

  @Test func lines() {
    let tree = tree([nil, 0, 0, 1, 2, 2])
    #expect(tree.lines.map(\.node.number) == [0, 1, 3, 2, 4, 5])
    #expect(tree.lines.map(\.prefix) == ["", "├─ ", "│  ↳ ", "└─ ", "   ├─ ", "   └─ "])
  }

  /// A long chain stays within the window, and within the program's stack.
  @Test func chain() {
    let tree = tree([nil] + (0..<5_000).map { $0 })
    #expect(tree.lines.count == 5_001 && tree.lines.allSatisfy { $0.prefix.count <= 3 })
  }

  @Test func svgIsXML() throws {
    let svg = tree([nil, 0, 0, 1, 2, 2]).svg
    let counter = Counter()
    let parser = XMLParser(data: Data(svg.utf8))
    parser.delegate = counter
    #expect(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "")")
    #expect(counter.elements["path"] == 5 && counter.elements["g"] == 6)
    #expect(svg.contains("&lt;c_5&gt; &amp;"))
  }

  private final class Counter: NSObject, XMLParserDelegate {
    var elements: [String: Int] = [:]

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) { elements[name, default: 0] += 1 }
  }
}
