import Architectures

/// A model of the tree.
package struct RefinementNode: Sendable, Hashable {
  /// Number of the node, in the order of making; 0 is the root.
  package var number: Int
  package var parent: Int?
  package var mode: Mode
  /// What was changed, in words: `layer 2 + sa_wma`.
  package var change: String
  package var pedigree: Pedigree
  package var costs: PredictedCosts?
  package var isAdmissible: Bool
  /// Steps that it was trained for.
  package var steps: Int
  /// Share of its weights that came from its parent.
  package var transferredShare: Double?
  /// Held-out, before it was trained.
  package var birthLoss: Double?
  /// Mean of the last losses that training logged.
  package var trainingLoss: Double?
  /// Held-out, and what nodes are shown with.
  package var loss: Double?
  /// The task's metric, held-out.
  package var score: Double?

  /// Whether it has been trained and judged.
  package var isDone: Bool { loss != nil }
}

extension RefinementNode {
  /// A row of `tree.jsonl`.
  package func row(isSelected: Bool) -> String {
    func number(_ value: Double?) -> String { value.map(JSONText.number) ?? "null" }
    let architecture = pedigree.architecture
    let members: [(String, String)] = [
      ("schema", "\"edgetwin.refinement_tree/1\""), ("node", "\(self.number)"),
      ("parent", parent.map(String.init) ?? "null"),
      ("mode", "\"\(mode.rawValue)\""), ("change", JSONText.quoted(change)), ("loss", number(loss)),
      ("score", number(score)),
      ("parameters", "\(costs?.parameters ?? architecture.parameterCount(.native).total)"),
      ("latency_s", number(costs?.latencySeconds)), ("energy_j", number(costs?.energyJoules)),
      ("peak_power_w", number(costs?.peakPowerWatts)), ("memory_bytes", number(costs?.memoryBytes.rounded())),
      ("admissible", "\(isAdmissible)"), ("selected", "\(isSelected)"), ("training_loss", number(trainingLoss)),
      ("birth_loss", number(birthLoss)), ("transferred_share", number(transferredShare)), ("steps", "\(steps)"),
      ("architecture", architecture.identifiedJSONLine),
    ]
    return "{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
  }

  /// As it is kept to go on from: what a row has not, and what it is made of.
  var stateJSON: String {
    func number(_ value: Double?) -> String { value.map { "\"\($0)\"" } ?? "null" }
    let members: [(String, String)] = [
      ("node", "\(self.number)"), ("steps", "\(steps)"), ("transferred_share", number(transferredShare)),
      ("birth_loss", number(birthLoss)), ("training_loss", number(trainingLoss)), ("loss", number(loss)),
      ("score", number(score)),
    ]
    return "{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
  }
}

/// The figures of a node that was trained before a refinement was resumed.
struct StoredResult: Sendable, Hashable {
  var number: Int
  var steps: Int
  var transferredShare: Double?
  var birthLoss: Double?
  var trainingLoss: Double?
  var loss: Double?
  var score: Double?

  init(_ value: DocumentValue, source: String, path: String) throws {
    let fields = try FieldReader(value, source: source, path: path)
    // Numbers are texts here, since a loss may be infinite.
    func number(_ name: String) throws -> Double? {
      guard let text = try fields.optionalString(name) else { return nil }
      guard let value = Double(text) else { throw fields.failure(name, problem: "is no number") }
      return value
    }
    self.number = try fields.integer("node", in: 0...Int(Int32.max))
    steps = try fields.integer("steps", in: 0...1_000_000_000)
    transferredShare = try number("transferred_share")
    birthLoss = try number("birth_loss")
    trainingLoss = try number("training_loss")
    loss = try number("loss")
    score = try number("score")
  }
}
