import Architectures
import Numerics

/// What a compiled predictor's median is made of, for searches that use its structure.
///
/// A model of `layers` layers is predicted at least `score` where
/// `ln S − penalty·(T / layers) ≥ need(score, layers)`, with `ln S = (ln A + 2 ln F)/3` of its attention weights A and feed-forward weights F,
/// and T the sum over layers of the share of transform heads.
package struct AccuracyStructure: Sendable {
  private let model: AccuracyModel
  private let hiddenSizes: [Int]
  private let headCounts: [Int]
  private let stacks: [[Int]]

  package init(_ predictor: AccuracyPredictor, space: DesignSpace) {
    model = predictor.model
    hiddenSizes = space.hiddenSizes
    headCounts = space.headCounts
    stacks = space.feedForwardStacks
  }

  /// Attention weights of a layer, by hidden size and number of heads.
  package var attention: [Double] {
    hiddenSizes.flatMap { h in
      headCounts.map { AccuracySummary.attention(hiddenSize: h, headCount: $0, headSize: h / $0) }
    }
  }

  /// Feed-forward weights of a layer, by hidden size and stack.
  package var feedForward: [Double] {
    hiddenSizes.flatMap { h in stacks.map { AccuracySummary.feedForward(hiddenSize: h, stack: $0) } }
  }

  /// The highest score of any model of the space with so many layers.
  package func greatestScore(layers: Int) -> Double {
    let count = Double(layers)
    let size = (attention.max() ?? 0, feedForward.max() ?? 0)
    var summary = AccuracySummary()
    summary.layers = count
    summary.attention = count * size.0
    summary.feedForward = count * size.1
    return model.median(summary)
  }

  /// Loss of ln S by transform heads alone; not negative.
  package var penalty: Double { max(model.transformPenalty / model.sizeExponent, 0) }

  /// The least `ln S` of a model without transform heads for a score; −∞ where every model has it, +∞ where none does.
  package func need(score: Double, layers: Int) -> Double {
    guard score > model.floor else { return -.infinity }
    guard score < 100 else { return .infinity }
    let eta = Elementary.logit((score - model.floor) / (100 - model.floor))
    let rest = model.offset + model.depthExponent * Elementary.log(Double(layers) / AccuracyModel.referenceDepth)
    return (eta - rest) / model.sizeExponent - AccuracyModel.sizeShift
  }
}
