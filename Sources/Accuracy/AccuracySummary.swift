import Architectures
import Numerics

/// What the predictor sees of a model: sums over its layers.
struct AccuracySummary: Sendable, Equatable {
  var layers = 0.0
  /// `4·h·a`: weights of the q, k, v and output projections. What a kind of head owns is left out, so that no kind gains by it.
  var attention = 0.0
  /// `h·f₁ + f₁·f₂ + … + f_s·h`: weights of the feed-forward stacks.
  var feedForward = 0.0
  /// Share of a layer's heads that transform.
  var transformShare = 0.0
  /// Share of a layer's heads that convolve.
  var convolutionShare = 0.0
  /// Distance of the head size from BERT's, `|log₂(d / 64)|`.
  var headSizeDistance = 0.0
  /// Logarithm of the hidden size over 128's.
  var logWidth = 0.0

  init() {}

  init(_ architecture: Architecture) {
    for layer in architecture.layers {
      layers += 1
      attention += Self.attention(hiddenSize: layer.hiddenSize, headCount: layer.heads.count, headSize: layer.headSize)
      feedForward += Self.feedForward(hiddenSize: layer.hiddenSize, stack: layer.feedForward)
      let heads = Double(max(layer.heads.count, 1))
      transformShare += Double(layer.heads.count { $0.isLinearTransform }) / heads
      convolutionShare += Double(layer.heads.count { $0.taps != nil }) / heads
      headSizeDistance += Self.headSizeDistance(layer.headSize)
      logWidth += Self.logWidth(layer.hiddenSize)
    }
  }

  init(_ row: PublishedScore) {
    layers = Double(row.layerCount)
    attention =
      layers
      * Self.attention(
        hiddenSize: row.hiddenSize, headCount: row.headCount, headSize: row.hiddenSize / max(row.headCount, 1))
    feedForward = layers * Self.feedForward(hiddenSize: row.hiddenSize, stack: [row.feedForwardSize])
    logWidth = layers * Self.logWidth(row.hiddenSize)
  }

  static func attention(hiddenSize: Int, headCount: Int, headSize: Int) -> Double {
    4 * Double(hiddenSize) * Double(headCount) * Double(headSize)
  }

  static func feedForward(hiddenSize: Int, stack: [Int]) -> Double {
    var weights = 0.0
    var input = Double(hiddenSize)
    for width in stack + [hiddenSize] {
      weights += input * Double(width)
      input = Double(width)
    }
    return weights
  }

  static func logWidth(_ hiddenSize: Int) -> Double {
    Elementary.log(Double(max(hiddenSize, 1)) / MeasuredCurve.referenceWidth)
  }

  static func headSizeDistance(_ headSize: Int) -> Double {
    abs(Elementary.log2(Double(max(headSize, 1)) / 64))
  }
}
