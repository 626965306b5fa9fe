import Numerics
import Text

/// BERT's masking (Devlin et al. 2019, section 3.1): 15 % of a sequence's tokens, at least one, are to be guessed; of these 80 % become `[MASK]`, 10 %
/// any token, and 10 % stay.
public struct TokenMasking: Sendable {
  public var share = 0.15
  public let maskID: Int32
  public let vocabularySize: Int
  private let specials: Set<Int32>

  /// Nil where the tokeniser has no mask token.
  public init?(_ tokenizer: any Tokenizer) {
    guard let maskID = tokenizer.maskID else { return nil }
    self.maskID = maskID
    vocabularySize = tokenizer.vocabularySize
    specials = Set(tokenizer.specialIDs)
  }

  /// Whether a token may be hidden: special ones are not.
  func mayHide(_ id: Int32) -> Bool { !specials.contains(id) }

  public struct Masked: Sendable, Hashable {
    public var sequences: [[Int32]]
    /// The tokens that were there, and where: counted over all sequences one after another, rising.
    public var words: [Int32] = []
    public var positions: [Int32] = []
  }

  /// - Parameters:
  ///   - sequences: tokens, special ones among them, which are left alone.
  ///   - stream: of random numbers; sequence i of the batch has one of its own.
  public func masked(_ sequences: [[Int32]], seed: UInt64, stream: UInt64) -> Masked {
    var result = Masked(sequences: sequences)
    var start = 0
    for (index, sequence) in sequences.enumerated() {
      var random = CounterRandom(seed: seed, stream: Self.stream, stream, UInt64(index))
      var candidates = sequence.indices.filter { !specials.contains(sequence[$0]) }
      let count = candidates.isEmpty ? 0 : max(1, Int((share * Double(candidates.count)).rounded()))
      // The first `count` of a shuffle.
      for place in 0..<count {
        candidates.swapAt(place, place + random.nextIndex(below: candidates.count - place))
      }
      for position in candidates[..<count].sorted() {
        result.words.append(sequence[position])
        result.positions.append(Int32(start + position))
        switch random.nextUniform() {
        case ..<0.8: result.sequences[index][position] = maskID
        case ..<0.9: result.sequences[index][position] = Int32(random.nextIndex(below: vocabularySize))
        default: break
        }
      }
      start += sequence.count
    }
    return result
  }

  private static let stream: UInt64 = 0x6D61_736B
}
