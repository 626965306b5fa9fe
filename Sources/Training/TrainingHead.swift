import ModelFiles

/// What a model is trained for: the head that is used, and its loss.
public enum TrainingHead: Sendable, Hashable {
  /// `classifier` on the pooled sentence; cross-entropy over the model's labels.
  case classification(Pooling)
  /// `classifier` with one label on the pooled sentence; squared error.
  case regression(Pooling)
  /// `cls.predictions` at chosen tokens, with a decoder of its own or the word embeddings (*tied*); cross-entropy over the vocabulary.
  case maskedLanguageModel
}

/// What the model should have said; one item is what a loss is counted by.
public enum TrainingTargets: Sendable, Hashable {
  /// A class a sequence, from 0; an item a sequence.
  case classes([Int32])
  /// A number a sequence; an item a sequence.
  case values([Float])
  /// `words[i]` at token `tokens[i]`, counted over the tokens of all sequences one after another (``TokenBatch``), each at most once and rising;
  /// an item each. May be empty.
  case words([Int32], tokens: [Int32])
  /// The word at every token, an item a token.
  case allWords([Int32])

  /// Number of scored items.
  public var count: Int {
    switch self {
    case .classes(let classes): classes.count
    case .values(let values): values.count
    case .words(let words, _): words.count
    case .allWords(let words): words.count
    }
  }
}
