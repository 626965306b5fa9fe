import Architectures
import Kernels
import Numerics
import Text

/// Rows of a task as token ids, and the batches that they are trained in.
public struct EncodedRows: Sendable {
  public let task: TextTask
  public let sequences: [[Int32]]
  public let types: [[Int32]]
  public let targets: [Double]

  /// Tokens of the longest row.
  public var longest: Int { sequences.lazy.map(\.count).max() ?? 0 }

  /// - Parameter maximumLength: longer rows are cut, of pairs the longer text first.
  public init(_ data: TaskData, tokenizer: any Tokenizer, maximumLength: Int) {
    task = data.task
    var sequences: [[Int32]] = []
    var types: [[Int32]] = []
    for row in data.rows {
      let encoded = tokenizer.encode(row.text, pair: row.pair, maximumLength: maximumLength)
      sequences.append(encoded.ids)
      types.append(encoded.types)
    }
    self.sequences = sequences
    self.types = types
    targets = data.rows.map(\.target)
  }

  /// The model must know every id and type: checked once, so that a tokeniser of another model is named as such.
  ///
  /// - Throws: `InputFileError`.
  func check(_ architecture: Architecture, source: String) throws {
    let highest = sequences.lazy.map { $0.max() ?? 0 }.max() ?? 0
    guard Int(highest) < architecture.vocabularySize else {
      throw InputFileError(
        source: source,
        problem: "the tokeniser gives id \(highest); the model's vocabulary has \(architecture.vocabularySize) tokens")
    }
  }

  /// Types that the model has no embedding for become its last: RoBERTa has one, BERT two.
  func batch(_ rows: [Int], typeVocabularySize: Int) throws(KernelError) -> TokenBatch {
    let last = Int32(typeVocabularySize - 1)
    return try TokenBatch(
      sequences: rows.map { sequences[$0] }, types: rows.map { types[$0].map { min($0, last) } })
  }

  func targets(_ rows: [Int]) -> TrainingTargets {
    switch task.kind {
    case .classification: .classes(rows.map { Int32(targets[$0]) })
    case .regression: .values(rows.map { Float(targets[$0]) })
    }
  }
}

/// The order that rows are trained in: every epoch is a shuffle of its own, which depends on seed and epoch alone.
///
/// Batches are not sorted by length: kernels lay the tokens of a batch one after another, so that nothing is padded.
public struct EpochOrder: Sendable {
  public let count: Int
  public let seed: UInt64

  public init(count: Int, seed: UInt64) {
    self.count = count
    self.seed = seed
  }

  private static let stream: UInt64 = 0x6F72_6465_72

  /// A permutation of 0..<count (Fisher and Yates).
  public func rows(epoch: Int) -> [Int32] {
    var random = CounterRandom(seed: seed, stream: Self.stream, UInt64(epoch))
    var rows = [Int32](0..<Int32(count))
    for index in stride(from: count - 1, to: 0, by: -1) {
      rows.swapAt(index, random.nextIndex(below: index + 1))
    }
    return rows
  }

  /// Batches of an epoch; the last may be smaller.
  public func batches(epoch: Int, size: Int) -> [[Int]] {
    let rows = rows(epoch: epoch)
    return stride(from: 0, to: count, by: size).map { start in rows[start..<min(start + size, count)].map(Int.init) }
  }
}
