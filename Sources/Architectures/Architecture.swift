/// Any encoder that the kernels can run: a member of the FlexiBERT 2.0 space, BERT-Base, MiniLM, or a grown
/// or pruned model.
///
/// Values are checked when they are made by a reader or by ``validated(_:)``; the memberwise initialiser does
/// not check.
public struct Architecture: Hashable, Sendable {
  /// How a token's position enters the model.
  public enum Position: String, Sendable, Hashable, CaseIterable {
    /// Every head adds `q · r(i − j)` to its scores (Shaw et al. 2018); nothing is added to the input.
    case relativeKey = "relative_key"
    /// A learnt vector a position is added to the input, as in BERT.
    case absolute
  }

  /// One encoder layer.
  public struct Layer: Hashable, Sendable {
    /// Width `h` of the layer's input and output.
    public var hiddenSize: Int
    /// Width `d` of one head.
    public var headSize: Int
    /// The operation of each head, in order.
    public var heads: [HeadOperation]
    /// Widths of the stacked feed-forward hidden layers, first to last.
    public var feedForward: [Int]

    public init(hiddenSize: Int, headSize: Int, heads: [HeadOperation], feedForward: [Int]) {
      self.hiddenSize = hiddenSize
      self.headSize = headSize
      self.heads = heads
      self.feedForward = feedForward
    }

    /// Width `a = m·d` of the concatenated heads.
    public var attentionWidth: Int { heads.count * headSize }
  }

  public var vocabularySize: Int
  public var maximumPositions: Int
  public var typeVocabularySize: Int
  public var position: Position
  public var layers: [Layer]

  public init(
    vocabularySize: Int, maximumPositions: Int, typeVocabularySize: Int, position: Position, layers: [Layer]
  ) {
    self.vocabularySize = vocabularySize
    self.maximumPositions = maximumPositions
    self.typeVocabularySize = typeVocabularySize
    self.position = position
    self.layers = layers
  }

  /// Width of the embeddings: the hidden size of the first layer.
  public var embeddingWidth: Int { layers.first?.hiddenSize ?? 0 }
}
