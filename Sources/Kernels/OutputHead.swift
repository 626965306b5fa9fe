/// What a model answers with.
public enum OutputHead: String, Sendable, Hashable, CaseIterable {
  /// Scores of the labels: pooler, then classifier; [labels] a sequence.
  case classifier
  /// Scores of every word at every token: [tokens, vocabulary].
  case mlm
  /// Output of the last layer: [tokens, hidden size].
  case hidden
  /// Sentence embedding: mean of the last layer over the tokens; [hidden size].
  case mean

  /// True where there is a row a token rather than one a sequence.
  public var isPerToken: Bool { self == .mlm || self == .hidden }
}
