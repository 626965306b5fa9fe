/// How the engine takes a batch through a block of a layer whose weights stay in cache: by parts, each of which one thread takes through the
/// whole block, so that what passes from kernel to kernel stays in that thread's cache and threads rarely wait for one another.
///
/// The kernels decide by it, and the twin of the engine that predicts them.
public enum BatchParts {
  /// Tokens of a part: as many whole sequences as have no more, at least one. Enough for a slice of weights to be read seldom.
  public static let rows = 128
  /// Bytes of a block's weights up to which it is taken by parts: they are read once a part, from the last cache of usual processors.
  public static let largestWeightBytes = 8 << 20

  public static func isApart(weightBytes: Int) -> Bool { weightBytes <= largestWeightBytes }

  /// Parts of a batch of sequences of one length.
  public static func count(batchSize: Int, sequenceLength: Int) -> Int {
    let sequences = max(1, rows / max(sequenceLength, 1))
    return (batchSize + sequences - 1) / sequences
  }

  /// Whether a batch is taken by parts at all: not where a thread would wait long for another that has one more.
  public static func areUsed(batchSize: Int, sequenceLength: Int, threads: Int) -> Bool {
    let parts = count(batchSize: batchSize, sequenceLength: sequenceLength)
    return parts > 1 && (parts % threads == 0 || parts >= 4 * threads)
  }

  /// Weights by which a layer's attention is judged: query, key, value and output of heads as wide together as the layer.
  public static func attentionWeights(width: Int) -> Int { 4 * width * width }
}
