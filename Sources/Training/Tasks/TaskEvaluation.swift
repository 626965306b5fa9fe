import Architectures
import Foundation
import Kernels
import ModelFiles
import Text

/// Judges a model by the rows of a task, on the kernels of inference.
public struct TaskEvaluation: Sendable {
  private let model: Model
  private let tokenizer: any Tokenizer
  private let source: String
  private let threads: Int
  private static let batchSize = 32

  /// - Throws: `ModelFileError`, `TextError`.
  public init(folder: String, threads: Int = 1) throws {
    try self.init(
      model: Model.open(folder: folder), tokenizer: TokenizerFolder.open(folder), source: folder, threads: threads)
  }

  /// - Parameter source: how messages call the model.
  public init(model: Model, tokenizer: any Tokenizer, source: String = "model", threads: Int = 1) {
    self.model = model
    self.tokenizer = tokenizer
    self.source = source
    self.threads = threads
  }

  /// - Throws: `InputFileError` where the model's labels are not the task's or an answer is not finite, `KernelError`.
  public func score(_ data: TaskData) throws -> TaskScore {
    let (score, bad) = try judged(data)
    if let bad {
      throw InputFileError(
        source: data.source, line: data.rows[bad].line,
        problem: "\(source)'s answer is not finite: its training has diverged, or its weights are so large that 32-bit"
          + " floats overflow")
    }
    return score
  }

  /// The score, or nil where the model's training has diverged: an answer is not finite.
  ///
  /// - Throws: as ``score(_:)``.
  package func finiteScore(_ data: TaskData) throws -> TaskScore? {
    let (score, bad) = try judged(data)
    return bad == nil ? score : nil
  }

  /// With the first row whose answer is not finite.
  private func judged(_ data: TaskData) throws -> (score: TaskScore, bad: Int?) {
    let order = try model.labelOrder(for: data.task, source: source)
    let rows = EncodedRows(data, tokenizer: tokenizer, maximumLength: model.architecture.maximumPositions)
    try rows.check(model.architecture, source: source)
    // By length, so that the memory of a call is about that of its longest row; the answers go back to their places.
    let sorted = rows.sequences.indices.sorted {
      (rows.sequences[$0].count, $0) < (rows.sequences[$1].count, $1)
    }
    let session = try InferenceSession(
      model: model, batchSize: min(Self.batchSize, sorted.count), sequenceLength: rows.longest, head: .classifier,
      options: SessionOptions(threads: threads))
    var predictions = [Double](repeating: 0, count: sorted.count)
    var losses = [Double](repeating: 0, count: sorted.count)
    for start in stride(from: 0, to: sorted.count, by: Self.batchSize) {
      let own = Array(sorted[start..<min(start + Self.batchSize, sorted.count)])
      let answers = try session.run(rows.batch(own, typeVocabularySize: model.architecture.typeVocabularySize))
      for (index, row) in own.enumerated() {
        let scores = order.map { Double(answers[index * session.outputWidth + $0]) }
        (predictions[row], losses[row]) = Self.judge(scores, target: rows.targets[row], kind: data.task.kind)
      }
    }
    let score = TaskScore(
      task: data.task, loss: losses.reduce(0, +) / Double(losses.count), predictions: predictions,
      expected: rows.targets)
    return (score, losses.firstIndex { !$0.isFinite })
  }

  /// The prediction and its loss; of equal scores the first class is predicted.
  private static func judge(_ scores: [Double], target: Double, kind: TextTask.Kind) -> (Double, Double) {
    guard case .classification = kind else { return (scores[0], (scores[0] - target) * (scores[0] - target)) }
    let highest = scores.max() ?? 0
    let best = scores.firstIndex(of: highest) ?? 0
    let sum = scores.reduce(0) { $0 + exp($1 - highest) }
    return (Double(best), log(sum) + highest - scores[Int(target)])
  }
}
