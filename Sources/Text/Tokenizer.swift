/// Turns texts into token ids, and knows the special tokens that a model is fed and trained with.
public protocol Tokenizer: Sendable {
  /// Tokens by id; a token that the files leave out is empty.
  var vocabulary: [String] { get }
  /// `[CLS]` or `<s>`: begins every sequence.
  var classifierID: Int32 { get }
  /// `[SEP]` or `</s>`: ends every text.
  var separatorID: Int32 { get }
  /// Nil where the vocabulary has no `[PAD]` or `<pad>`.
  var paddingID: Int32? { get }
  /// Nil where the vocabulary has no `[MASK]` or `<mask>`.
  var maskID: Int32? { get }
  /// Ids that stand for no text.
  var specialIDs: [Int32] { get }

  /// Ids of a text alone, without special tokens around it.
  func pieces(of text: String) -> [Int32]

  /// A sequence of one text or of two with special tokens around them; cut to `maximumLength` tokens, of two texts the longer one first.
  ///
  /// - Returns: ids, and a token type for each.
  func encode(_ text: String, pair: String?, maximumLength: Int) -> (ids: [Int32], types: [Int32])
}

extension Tokenizer {
  public var vocabularySize: Int { vocabulary.count }

  public func encode(_ text: String, maximumLength: Int) -> (ids: [Int32], types: [Int32]) {
    encode(text, pair: nil, maximumLength: maximumLength)
  }
}

/// How texts are cut where they are too long, as Hugging Face's `longest_first` does.
enum Truncation {
  static func cut(_ ids: inout [Int32], to count: Int) {
    let surplus = ids.count - max(count, 0)
    if surplus > 0 { ids.removeLast(surplus) }
  }

  /// The longer text is cut first, until both are as long.
  static func cut(_ first: inout [Int32], _ second: inout [Int32], to room: Int) {
    let room = max(room, 0)
    guard first.count + second.count > room else { return }
    let firstIsLonger = first.count > second.count
    // The shorter text stays whole where it fits in half of the room; an odd token goes to the longer one.
    let keptOfShorter = min(min(first.count, second.count), room / 2)
    cut(&first, to: firstIsLonger ? room - keptOfShorter : keptOfShorter)
    cut(&second, to: firstIsLonger ? keptOfShorter : room - keptOfShorter)
  }
}
