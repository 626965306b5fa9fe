/// How a sentence's tokens become the one vector that the classifier reads.
public enum Pooling: String, Sendable, Hashable, Codable, CaseIterable {
  /// tanh of a linear map of the first token, as in BERT: needs `pooler.dense`.
  case first
  /// The mean of the last layer over the tokens, as in sentence embeddings.
  case mean
}
