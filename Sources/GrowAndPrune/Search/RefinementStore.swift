import Architectures
import Foundation
import ModelFiles

/// A refinement's folder: what is needed to go on after the process was killed, and what people and scripts read.
///
/// | file | holds |
/// | --- | --- |
/// | `state.json` | rounds with their children, and results of nodes: written after each node, whole or not at all |
/// | `nodes/N/` | model folders of the nodes that may still be needed |
/// | `checkpoint` | the training under way |
/// | `tree.jsonl`, `tree.svg` | the tree |
/// | `best/` | the selected model |
package struct RefinementStore: Sendable {
  package static let schema = "edgetwin.refinement_state/1"
  package let folder: String

  /// Children of a round, as they were drawn.
  struct Round: Sendable, Hashable {
    var mode: Mode
    var parent: Int
    var children: [Child]
  }

  struct Child: Sendable, Hashable {
    var change: String
    var pedigree: Pedigree
  }

  struct State: Sendable {
    /// What the result depends on, by name: options, files, the root's weights.
    var inputs: [(name: String, value: String)]
    var rounds: [Round] = []
    var results: [StoredResult] = []
    /// Whether it came to its end: then the models of most nodes are gone, and it stays as it is.
    var isFinished = false
  }

  package init(folder: String) {
    self.folder = folder
  }

  package func path(_ name: String) -> String { URL(filePath: folder).appending(path: name).path }

  var checkpointPath: String { path("checkpoint") }

  func nodeFolder(_ number: Int) -> String { path("nodes/\(number)") }

  package var bestFolder: String { path("best") }

  /// Whether a refinement was begun here.
  package var hasState: Bool { FileManager.default.fileExists(atPath: path("state.json")) }

  // MARK: State

  /// - Throws: `InputFileError` where the file is not what this program writes, `ModelFileError` where it cannot be read.
  func load() throws -> State? {
    guard hasState else { return nil }
    let source = path("state.json")
    let value = try JSONParser.document(try InputBytes.read(source), source: source)
    let fields = try FieldReader(value, source: source)
    try fields.checkSchema(Self.schema)
    let inputs = try fields.required("inputs").members ?? []
    let limit = 0...1_000_000
    return State(
      inputs: inputs.map { ($0.name, $0.value.string ?? "") },
      rounds: try fields.list("rounds", count: limit).enumerated().map { index, item in
        let round = try FieldReader(item, source: source, path: "rounds[\(index)]")
        guard let mode = Mode(rawValue: try round.string("mode")) else {
          throw round.failure("mode", problem: "is not known")
        }
        return Round(
          mode: mode, parent: try round.integer("parent", in: limit),
          children: try round.list("children", count: limit).enumerated().map { place, item in
            let path = round.field("children[\(place)]")
            let child = try FieldReader(item, source: source, path: path)
            return Child(
              change: try child.string("change"),
              pedigree: try Pedigree(child.required("pedigree"), source: source, path: "\(path).pedigree"))
          })
      },
      results: try fields.list("results", count: limit).enumerated().map { index, item in
        try StoredResult(item, source: source, path: "results[\(index)]")
      }, isFinished: try fields.optionalBoolean("finished") ?? false)
  }

  func save(
    inputs: [(name: String, value: String)], rounds: [Round], nodes: [RefinementNode], isFinished: Bool
  ) throws {
    let inputs = inputs.map { "\(JSONText.quoted($0.name)):\(JSONText.quoted($0.value))" }.joined(separator: ",")
    let rounds = rounds.map { round in
      let children = round.children.map {
        "{\"change\":\(JSONText.quoted($0.change)),\"pedigree\":\($0.pedigree.json)}"
      }
      return "{\"mode\":\"\(round.mode.rawValue)\",\"parent\":\(round.parent),\"children\":\(JSONText.list(children))}"
    }
    let results = nodes.filter(\.isDone).map(\.stateJSON)
    try write(
      "{\"schema\":\"\(Self.schema)\",\"finished\":\(isFinished),\"inputs\":{\(inputs)},\n\"rounds\":[\n\(rounds.joined(separator: ",\n"))],\n"
        + "\"results\":[\n\(results.joined(separator: ",\n"))]}\n", to: "state.json")
  }

  /// - Throws: ``RefinementError/output(_:)``.
  package func makeFolder() throws(RefinementError) {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw .output("\(folder): cannot be made a folder: \(error.localizedDescription)")
    }
  }

  func write(_ text: String, to name: String) throws {
    try OutputFile.write(text, to: path(name))
  }

  // MARK: Models

  func save(_ model: Model, of number: Int) throws(ModelFileError) { try model.write(folder: nodeFolder(number)) }

  func model(of number: Int) throws(ModelFileError) -> Model { try Model.open(folder: nodeFolder(number)) }

  /// Removes the weights of all nodes but some.
  ///
  /// - Parameter count: of the nodes that are known: what was made beyond them, before a refinement was resumed, stays.
  func keepModels(of numbers: Set<Int>, among count: Int) {
    let nodes = path("nodes")
    for name in (try? FileManager.default.contentsOfDirectory(atPath: nodes)) ?? [] {
      guard let number = Int(name), number < count, !numbers.contains(number) else { continue }
      try? FileManager.default.removeItem(atPath: nodeFolder(number))
    }
  }

  func removeCheckpoint() { try? FileManager.default.removeItem(atPath: checkpointPath) }
}
