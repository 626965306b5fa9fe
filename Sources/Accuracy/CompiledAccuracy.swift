import Architectures

/// An ``AccuracyPredictor`` compiled for one design space: tables of each choice's share in the sums, so that a design point costs
/// two look-ups a layer and a few elementary functions.
public struct CompiledAccuracy: Sendable {
  private struct Heads {
    var countIndex: Int32
    var transformShare: Float
    var convolutionShare: Float
  }

  private let curve: AccuracyCurve
  private let quantile: Double
  /// Probability of the intervals.
  public let level: Double
  private let heads: [Heads]
  /// By hidden size, then number of heads.
  private let attention: [Double]
  private let headSizeDistance: [Double]
  /// By hidden size.
  private let logWidth: [Double]
  private let headCountCount: Int
  /// By hidden size, then stack.
  private let feedForward: [Double]
  private let stackCount: Int

  /// - Parameter level: probability of the central interval of ``estimate(of:)``.
  public init(_ predictor: AccuracyPredictor, space: DesignSpace, level: Double = 0.9) {
    curve = predictor.curve
    quantile = predictor.quantile(level: level)
    self.level = level
    let counts = space.headCounts
    headCountCount = counts.count
    heads = (0..<space.headCombinationCount).map { index in
      let combination = space.headCombination(index)
      let total = Float(max(combination.headCount, 1))
      var transforms = 0
      var convolutions = 0
      for operation in HeadOperation.allCases {
        if operation.isLinearTransform { transforms += combination.count(of: operation) }
        if operation.taps != nil { convolutions += combination.count(of: operation) }
      }
      return Heads(
        countIndex: Int32(counts.firstIndex(of: combination.headCount) ?? 0),
        transformShare: Float(transforms) / total, convolutionShare: Float(convolutions) / total)
    }
    attention = space.hiddenSizes.flatMap { h in
      counts.map { AccuracySummary.attention(hiddenSize: h, headCount: $0, headSize: h / $0) }
    }
    headSizeDistance = space.hiddenSizes.flatMap { h in counts.map { AccuracySummary.headSizeDistance(h / $0) } }
    logWidth = space.hiddenSizes.map(AccuracySummary.logWidth)
    stackCount = space.feedForwardStackCount
    feedForward = space.hiddenSizes.flatMap { h in
      (0..<space.feedForwardStackCount).map {
        AccuracySummary.feedForward(hiddenSize: h, stack: space.feedForwardStack($0))
      }
    }
  }

  /// Medians of points of the space, in points of GLUE; `medians` is resized to match.
  public func medians(of points: [DesignPoint], into medians: inout [Double]) {
    medians.removeAll(keepingCapacity: true)
    medians.reserveCapacity(points.count)
    switch curve {
    case .published(let model): for point in points { medians.append(model.median(summary(of: point))) }
    case .measured(let curve): for point in points { medians.append(curve.median(summary(of: point))) }
    }
  }

  /// Estimates of points of the space; `estimates` is resized to match.
  public func estimates(of points: [DesignPoint], into estimates: inout [AccuracyEstimate]) {
    estimates.removeAll(keepingCapacity: true)
    estimates.reserveCapacity(points.count)
    switch curve {
    case .published(let model):
      for point in points { estimates.append(model.estimate(summary(of: point), quantile: quantile)) }
    case .measured(let curve):
      for point in points { estimates.append(curve.estimate(summary(of: point), quantile: quantile)) }
    }
  }

  public func estimate(of point: DesignPoint) -> AccuracyEstimate {
    curve.estimate(summary(of: point), quantile: quantile)
  }

  @inline(__always) private func summary(of point: DesignPoint) -> AccuracySummary {
    var summary = AccuracySummary()
    let count = point.layerCount
    summary.layers = Double(count)
    for index in 0..<count {
      let layer = point[index]
      let head = heads[layer.heads]
      let shape = layer.hidden * headCountCount + Int(head.countIndex)
      summary.attention += attention[shape]
      summary.headSizeDistance += headSizeDistance[shape]
      summary.logWidth += logWidth[layer.hidden]
      summary.feedForward += feedForward[layer.hidden * stackCount + layer.feedForward]
      summary.transformShare += Double(head.transformShare)
      summary.convolutionShare += Double(head.convolutionShare)
    }
    return summary
  }
}
