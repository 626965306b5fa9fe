import Architectures

/// Sequences of token ids, not padded: the engine lays the tokens of all sequences one after another, so that padding costs nothing and
/// changes nothing.
public struct TokenBatch: Sendable, Hashable {
  public private(set) var ids: [Int32] = []
  public private(set) var types: [Int32] = []
  /// First token of each sequence, then the number of tokens.
  public private(set) var offsets: [Int32] = [0]

  public var count: Int { offsets.count - 1 }
  /// Tokens of all sequences.
  public var tokenCount: Int { ids.count }

  /// - Parameters:
  ///   - sequences: token ids, a list a sequence; at least one token each.
  ///   - types: token types, as long as the ids; all 0 where nil.
  /// - Throws: ``KernelError`` (kind `input`) for an empty batch or sequence, or types of another length.
  public init(sequences: [[Int32]], types: [[Int32]]? = nil) throws(KernelError) {
    guard !sequences.isEmpty else { throw KernelError(.input, "there is no sequence to run") }
    guard types == nil || types?.count == sequences.count else {
      throw KernelError(.input, "there are \(types?.count ?? 0) lists of token types for \(sequences.count) sequences")
    }
    for (index, sequence) in sequences.enumerated() {
      guard !sequence.isEmpty else { throw KernelError(.input, "sequence \(index) has no tokens") }
      let own = types?[index] ?? [Int32](repeating: 0, count: sequence.count)
      guard own.count == sequence.count else {
        throw KernelError(
          .input, "sequence \(index) has \(sequence.count) tokens and \(own.count) token types; give one a token")
      }
      ids += sequence
      self.types += own
      offsets.append(Int32(ids.count))
    }
  }

  /// Sequences as a mask describes them: each row's ones, which must come first.
  ///
  /// - Throws: ``KernelError`` (kind `input`) for a mask that is not ones then zeros (operations.md: transforms and convolutions need
  ///   contiguous tokens), and as the other initialiser.
  public init(ids: [[Int32]], mask: [[Int32]], types: [[Int32]]? = nil) throws(KernelError) {
    guard ids.count == mask.count else {
      throw KernelError(.input, "there are \(mask.count) masks for \(ids.count) sequences")
    }
    var lengths: [Int] = []
    for (index, (row, ones)) in zip(ids, mask).enumerated() {
      let length = ones.prefix { $0 == 1 }.count
      guard ones.count == row.count, ones.dropFirst(length).allSatisfy({ $0 == 0 }) else {
        throw KernelError(
          .input, "the mask of sequence \(index) is not as many numbers as tokens, ones then zeros (right padding)")
      }
      lengths.append(length)
    }
    try self.init(
      sequences: zip(ids, lengths).map { Array($0.prefix($1)) },
      types: types.map { zip($0, lengths).map { Array($0.prefix($1)) } })
  }

  /// Length of sequence `index` in tokens.
  public func length(_ index: Int) -> Int { Int(offsets[index + 1] - offsets[index]) }

  /// - Throws: ``KernelError`` (kind `input`) naming the first token that the architecture has no embedding for.
  package func check(_ architecture: Architecture) throws(KernelError) {
    for index in 0..<count {
      guard length(index) <= architecture.maximumPositions else {
        throw KernelError(
          .input,
          "sequence \(index) has \(length(index)) tokens; the model takes at most \(architecture.maximumPositions)")
      }
      for token in Int(offsets[index])..<Int(offsets[index + 1]) {
        guard ids[token] >= 0, ids[token] < architecture.vocabularySize else {
          throw KernelError(
            .input,
            "sequence \(index): token \(token - Int(offsets[index])) is \(ids[token]); ids run from 0 to \(architecture.vocabularySize - 1)"
          )
        }
        guard types[token] >= 0, types[token] < architecture.typeVocabularySize else {
          throw KernelError(
            .input,
            "sequence \(index): token type \(types[token]); types run from 0 to \(architecture.typeVocabularySize - 1)")
        }
      }
    }
  }
}
