import Architectures
import Foundation
import Kernels
import ModelFiles
import Text

/// Runs a model folder on lines of input.
public struct Inference {
  private let model: Model
  private let path: String
  private let inputs: [InferenceInput]
  private let source: String
  private let sequences: [(ids: [Int32], types: [Int32])]
  private let session: InferenceSession

  public var matrixLibrary: MatrixLibrary { session.matrixLibrary }
  public var memoryPlan: MemoryPlan { session.memoryPlan }

  /// Opens the folder, reads all lines and plans for the longest.
  ///
  /// - Throws: `InputFileError`, `ModelFileError`, `TextError`, `KernelError`.
  public init(
    folder: String, input: String, head: OutputHead, batchSize: Int, options: SessionOptions
  ) throws {
    path = folder
    source = InputBytes.name(of: input)
    inputs = try InferenceInput.read(input)
    model = try Model.open(folder: folder)
    let limit = model.architecture.maximumPositions
    var tokenizer: (any Tokenizer)?
    var sequences: [(ids: [Int32], types: [Int32])] = []
    for line in inputs {
      switch line.content {
      case .tokens(let ids, let types):
        guard ids.count <= limit else {
          throw InputFileError(
            source: source, line: line.line, field: "input_ids",
            problem: "has \(ids.count) tokens; the model takes at most \(limit)")
        }
        let architecture = model.architecture
        try Self.check(
          ids, below: architecture.vocabularySize, "ids", field: "input_ids", source: source, line: line.line)
        try Self.check(
          types ?? [], below: architecture.typeVocabularySize, "types", field: "token_type_ids", source: source,
          line: line.line)
        sequences.append((ids, types ?? [Int32](repeating: 0, count: ids.count)))
      case .text(let text, let pair):
        let own = try tokenizer ?? TokenizerFolder.open(folder)
        tokenizer = own
        let encoded = own.encode(text, pair: pair, maximumLength: limit)
        // RoBERTa's tokeniser has one type, as its models do; a model with fewer types than the tokeniser gets its last.
        let last = Int32(model.architecture.typeVocabularySize - 1)
        sequences.append((encoded.ids, encoded.types.map { min($0, last) }))
      }
    }
    self.sequences = sequences
    let longest = sequences.map(\.ids.count).max() ?? 1
    session = try InferenceSession(
      model: model, batchSize: min(batchSize, sequences.count), sequenceLength: longest, head: head,
      options: options)
  }

  /// Before anything runs, so that the line and the field are named whatever the batch.
  private static func check(
    _ numbers: [Int32], below limit: Int, _ what: String, field: String, source: String, line: Int
  ) throws {
    guard let index = numbers.firstIndex(where: { $0 < 0 || $0 >= limit }) else { return }
    throw InputFileError(
      source: source, line: line, field: "\(field)[\(index)]",
      problem: "is \(numbers[index]); \(what) run from 0 to \(limit - 1)")
  }

  /// Gives each line's answer to `write`, in order and in pieces: `{"id","shape":[…],"values":[…]}`, row-major, nine significant digits, which name each 32-bit float.
  ///
  /// - Throws: `InputFileError` naming the line, or what `write` throws.
  public func run(write: (String) throws -> Void) throws {
    var start = 0
    while start < sequences.count {
      let end = min(start + session.batchSize, sequences.count)
      let part = sequences[start..<end]
      do throws(KernelError) {
        try session.load(TokenBatch(sequences: part.map(\.ids), types: part.map(\.types)))
      } catch {
        throw InputFileError(
          source: source, line: inputs[start].line,
          problem: "\(error) (sequences are counted from 0 at this line)")
      }
      session.runLoaded()
      var first = 0
      for index in start..<end {
        let rows = first..<first + (session.head.isPerToken ? sequences[index].ids.count : 1)
        first = rows.upperBound
        try self.write(rows, of: index, write: write)
      }
      start = end
    }
  }

  /// A row at a time, so that a text of millions of numbers is never in memory.
  private func write(_ rows: Range<Int>, of index: Int, write: (String) throws -> Void) throws {
    for row in rows {
      guard session.answer(rows: row..<row + 1).allSatisfy(\.isFinite) else {
        throw InputFileError(
          source: source, line: inputs[index].line,
          problem: "the model's answer is not finite: its weights are so large that 32-bit floats overflow")
      }
    }
    let shape = session.head.isPerToken ? [rows.count, session.outputWidth] : [session.outputWidth]
    var digits = NineDigits()
    var text = "{\"id\":\(inputs[index].idJSON),\"shape\":\(JSONText.list(shape.map(String.init))),\"values\":["
    for row in rows {
      for (column, value) in session.answer(rows: row..<row + 1).enumerated() {
        if row > rows.lowerBound || column > 0 { text += "," }
        text += digits.text(value)
      }
      if text.utf8.count > 1 << 16 {
        try write(text)
        text = ""
      }
    }
    try write(text + "]}\n")
  }
}
