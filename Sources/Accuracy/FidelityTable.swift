import Architectures
import Numerics

/// Rows of measured accuracies by fidelity, from the cheapest to the one that is predicted, each as a logit.
///
/// A fidelity is a budget of pre-training at which the loss was judged, or the score after the task's training that followed. Losses ℓ count as
/// the logit of e^−ℓ, the probability of the hidden words (geometric mean). An architecture that was trained with several seeds counts by
/// the mean of its logits.
struct FidelityTable: Sendable {
  struct Level: Sendable, Hashable, Comparable {
    var isScore: Bool
    var steps: Int
    var totalSteps: Int
    var batchSize: Int
    var sequenceLength: Int

    private var key: [Int] { [isScore ? 1 : 0, steps * batchSize, totalSteps, sequenceLength, batchSize] }

    static func < (a: Level, b: Level) -> Bool { a.key.lexicographicallyPrecedes(b.key) }
  }

  /// Architectures that a fidelity must have to be learnt from.
  static let fewest = 6
  /// The most expensive losses and scores that are used.
  private static let mostOfAKind = 4

  private(set) var architectures: [Architecture] = []
  /// Rising.
  private(set) var levels: [Level] = []
  /// By level, then architecture.
  private(set) var values: [[Int: Double]] = []
  let task: String?

  /// - Throws: `InputFileError` where tasks or recipes are mixed or no fidelity has enough architectures.
  init(_ rows: [AccuracyRow], source: String) throws {
    let tasks = Set(rows.compactMap(\.task)).sorted()
    guard tasks.count <= 1 else {
      throw InputFileError(
        source: source, field: "task", problem: "is \(tasks.joined(separator: " and ")); keep rows of one task a file")
    }
    task = tasks.first
    for name in Set(rows.flatMap(\.recipe.keys)).sorted() {
      let values = Set(rows.compactMap { $0.recipe[name] }).sorted()
      guard values.count <= 1 else {
        throw InputFileError(
          source: source, field: "recipe.\(name)",
          problem:
            "is \(values.prefix(3).joined(separator: " and ")); results of several recipes cannot be compared: keep"
            + " rows of one a file")
      }
    }
    var positions: [String: Int] = [:]
    var all: [Level: [Int: [Double]]] = [:]
    for row in rows {
      let id = row.architecture.id
      let position = positions[id] ?? architectures.count
      if positions[id] == nil {
        positions[id] = position
        architectures.append(row.architecture)
      }
      var level = Level(
        isScore: false, steps: row.steps, totalSteps: row.totalSteps, batchSize: row.batchSize,
        sequenceLength: row.sequenceLength)
      all[level, default: [:]][position, default: []].append(Self.logit(Elementary.exp(-row.loss)))
      if let score = row.score {
        level.isScore = true
        all[level, default: [:]][position, default: []].append(Self.logit(score))
      }
    }
    let known = all.filter { $0.value.count >= Self.fewest }.keys.sorted()
    levels =
      Array(known.filter { !$0.isScore }.suffix(Self.mostOfAKind)) + known.filter(\.isScore).suffix(Self.mostOfAKind)
    guard !levels.isEmpty else {
      throw InputFileError(
        source: source,
        problem:
          "has \(architectures.count) architectures with the same budget at most; \(Self.fewest) at least are needed")
    }
    values = levels.map { (all[$0] ?? [:]).mapValues(Statistics.mean) }
  }

  /// Kept away from 0 and 1, where a handful of rows would decide everything.
  private static func logit(_ share: Double) -> Double { Elementary.logit(min(max(share, 0.001), 0.999)) }
}
