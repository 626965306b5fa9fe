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
    var tokenizer: WordPieceTokenizer?
    var sequences: [(ids: [Int32], types: [Int32])] = []
    for line in inputs {
      switch line.content {
      case .tokens(let ids, let types):
        guard ids.count <= limit else {
          throw InputFileError(
            source: source, line: line.line, field: "input_ids",
            problem: "has \(ids.count) tokens; the model takes at most \(limit)")
        }
        sequences.append((ids, types ?? [Int32](repeating: 0, count: ids.count)))
      case .text(let text, let pair):
        let own = try tokenizer ?? WordPieceTokenizer.open(folder: folder)
        tokenizer = own
        let encoded = own.encode(text, pair: pair, maximumLength: limit)
        sequences.append((encoded.ids, encoded.types))
      }
    }
    self.sequences = sequences
    let longest = sequences.map(\.ids.count).max() ?? 1
    session = try InferenceSession(
      model: model, batchSize: min(batchSize, sequences.count), sequenceLength: longest, head: head,
      options: options)
  }

  /// Gives each line's answer to `write`, in order: `{"id","shape":[…],"values":[…]}`, row-major, digits enough to name each 32-bit float.
  ///
  /// - Throws: `InputFileError` naming the line, or what `write` throws.
  public func run(write: (String) throws -> Void) throws {
    var start = 0
    while start < sequences.count {
      let end = min(start + session.batchSize, sequences.count)
      let part = sequences[start..<end]
      let values: [Float]
      do throws(KernelError) {
        values = try session.run(TokenBatch(sequences: part.map(\.ids), types: part.map(\.types)))
      } catch {
        throw InputFileError(
          source: source, line: inputs[start].line,
          problem: "\(error) (sequences are counted from 0 at this line)")
      }
      var offset = 0
      for index in start..<end {
        let rows = session.head.isPerToken ? sequences[index].ids.count : 1
        let own = values[offset..<offset + rows * session.outputWidth]
        offset += own.count
        guard own.allSatisfy(\.isFinite) else {
          throw InputFileError(
            source: source, line: inputs[index].line,
            problem: "the model's answer is not finite: its weights overflow 32-bit floats")
        }
        let shape = session.head.isPerToken ? [rows, session.outputWidth] : [session.outputWidth]
        try write(
          "{\"id\":\(inputs[index].idJSON),\"shape\":\(JSONText.list(shape.map(String.init))),\"values\":"
            + "\(JSONText.list(own.lazy.map { "\($0)" }))}\n")
      }
      start = end
    }
  }
}
