import GrowAndPrune
import Studies

extension Study {
  static let refinementSchema = "edgetwin.refinement_tree/1"

  /// Keeps the nodes of a refinement as the rows of its `tree.jsonl`, in place of those of an earlier one of this name.
  package func keep(_ outcome: RefinementOutcome, name: String) throws {
    let documents = outcome.nodes.map { node in
      StudyDocument(
        kind: .refinement, name: name, part: node.number, schema: Self.refinementSchema,
        json: node.row(isSelected: node.number == outcome.best))
    }
    guard try self.documents(.refinement, name: name) != documents else { return }
    try keep(documents, replacing: (.refinement, name))
  }
}
