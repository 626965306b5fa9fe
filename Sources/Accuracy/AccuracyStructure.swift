import Architectures
import Numerics

/// What a compiled predictor's median is made of, for searches that use its structure.
///
/// A model of `layers` layers is predicted at least `score` only where
/// `ln S − penalty·(T / layers) ≥ need(score, layers)`, with `ln S = (ln A + 2 ln F)/3` of its attention weights A and feed-forward weights F,
/// and T the sum over layers of the share of transform heads. With published scores it is also enough; where accuracies were measured, what
/// else they depend on is in `need` by the most that it can add.
package struct AccuracyStructure: Sendable {
  private let floor: Double
  private let offset: Double
  private let sizeExponent: Double
  private let depthExponent: Double
  /// The most that other features add to η.
  private let slack: Double
  private let hiddenSizes: [Int]
  private let headCounts: [Int]
  private let stacks: [[Int]]

  /// Loss of ln S by transform heads alone; not negative.
  package let penalty: Double

  package init(_ predictor: AccuracyPredictor, space: DesignSpace) {
    hiddenSizes = space.hiddenSizes
    headCounts = space.headCounts
    stacks = space.feedForwardStacks
    switch predictor.curve {
    case .published(let model):
      (floor, offset, slack) = (model.floor, model.offset, 0)
      (sizeExponent, depthExponent) = (model.sizeExponent, model.depthExponent)
      penalty = max(model.transformPenalty / model.sizeExponent, 0)
    case .measured(let curve):
      typealias Lane = MeasuredCurve.Lane
      let weights = curve.weights
      (floor, offset, slack) = (0, weights[Lane.constant], Self.slack(weights, space))
      (sizeExponent, depthExponent) = (weights[Lane.size], weights[Lane.depth])
      penalty = max(-weights[Lane.transforms] / weights[Lane.size], 0)
    }
  }

  /// The most that features other than size, depth, and transforms that cost, add to η. All are means over layers but the balance, which lies between
  /// those of the layers.
  private static func slack(_ weights: MeasuredCurve.Features, _ space: DesignSpace) -> Double {
    typealias Lane = MeasuredCurve.Lane
    var most = 0.0
    if space.operations.contains(where: \.isLinearTransform) { most += max(weights[Lane.transforms], 0) }
    if space.operations.contains(where: { $0.taps != nil }) { most += max(weights[Lane.convolutions], 0) }
    var (balance, headSize, width) = (-Double.infinity, -Double.infinity, -Double.infinity)
    for hidden in space.hiddenSizes {
      width = max(width, weights[Lane.width] * AccuracySummary.logWidth(hidden))
      for heads in space.headCounts {
        headSize = max(headSize, weights[Lane.headSize] * AccuracySummary.headSizeDistance(hidden / heads))
        let attention = AccuracySummary.attention(hiddenSize: hidden, headCount: heads, headSize: hidden / heads)
        for stack in space.feedForwardStacks {
          let feedForward = AccuracySummary.feedForward(hiddenSize: hidden, stack: stack)
          balance = max(balance, weights[Lane.balance] * Elementary.log(feedForward / (2 * max(attention, 1))))
        }
      }
    }
    return most + balance + headSize + width
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

  /// η less the part of ln S.
  private func rest(layers: Int) -> Double {
    offset + slack + depthExponent * Elementary.log(Double(layers) / AccuracyModel.referenceDepth)
  }

  /// No model of the space with so many layers has a higher score.
  package func greatestScore(layers: Int) -> Double {
    let count = Double(layers)
    let size = (attention.max() ?? 0, feedForward.max() ?? 0)
    var summary = AccuracySummary()
    summary.layers = count
    summary.attention = count * size.0
    summary.feedForward = count * size.1
    let eta = rest(layers: layers) + sizeExponent * AccuracyModel.regressors(summary).size
    return floor + (100 - floor) * Elementary.logistic(eta)
  }

  /// The least `ln S` of a model without transform heads for a score; −∞ where every model has it, +∞ where none does.
  package func need(score: Double, layers: Int) -> Double {
    guard score > floor else { return -.infinity }
    guard score < 100 else { return .infinity }
    let eta = Elementary.logit((score - floor) / (100 - floor))
    let need = (eta - rest(layers: layers)) / sizeExponent - AccuracyModel.sizeShift
    // Where size hardly counts, need is as good as nothing, or all: kept within what its exponential can say.
    return need < 0 ? -.infinity : min(need, 300)
  }
}
