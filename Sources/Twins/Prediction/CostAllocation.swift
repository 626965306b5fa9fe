import Architectures
import Foundation

/// Shares a measure's terms out over the kernel calls that they stand for.
struct CostAllocation {
  /// Per call, by cause.
  private(set) var byCall: [[Bound: Double]]
  /// What no call stands for.
  private(set) var unplaced: [Bound: Double] = [:]
  /// Start-up inside the total.
  private(set) var startup = 0.0
  /// Start-up outside of the total.
  private(set) var omittedStartup = 0.0

  /// - Parameter total: what all shares and the start-up inside it sum to.
  init(
    _ measure: MeasureModel, features: FeatureVector, calls: [KernelCall], architecture: Architecture,
    roofline: Roofline?, includesStartup: Bool, total: Double
  ) {
    byCall = [[Bound: Double]](repeating: [:], count: calls.count)
    let kinds = calls.map { call -> HeadOperation? in
      guard let layer = call.layer, let head = call.head else { return nil }
      return architecture.layers[layer].heads[head]
    }
    for form in measure.forms {
      for coefficient in form.coefficients {
        let cost = form.weight * coefficient.cost(of: features)
        let once = form.weight * coefficient.startupCost(of: features)
        if includesStartup { startup += once } else { omittedStartup += once }
        let bound = CostShares.bound(of: coefficient.feature)
        let weights = zip(calls, kinds).map { call, kind in
          coefficient.feature == .rooflineSeconds
            ? roofline?.seconds(call.work, of: call.kernelClass) ?? 0
            : Self.weight(of: coefficient.feature, call: call, kind: kind)
        }
        let sum = weights.reduce(0, +)
        if sum > 0 {
          for index in calls.indices where weights[index] > 0 {
            byCall[index][bound, default: 0] += (cost - once) * weights[index] / sum
          }
        } else {
          unplaced[bound, default: 0] += cost - once
        }
      }
    }
    let raw =
      byCall.reduce(0) { $0 + $1.total } + unplaced.total + startup
    guard raw > 0, total.isFinite else { return }
    let factor = total / raw
    for index in byCall.indices { byCall[index] = byCall[index].mapValues { $0 * factor } }
    unplaced = unplaced.mapValues { $0 * factor }
    startup *= factor
    omittedStartup *= factor
  }

  private static let products: Set<KernelClass> = [
    .projection, .feedForward, .join, .scores, .relativeScores, .context, .convolution,
  ]
  private static let weighted: Set<KernelClass> = [.projection, .feedForward, .join, .pooler]

  /// How much of a feature's cost falls on a call, relative to other calls.
  private static func weight(of feature: Feature, call: KernelCall, kind: HeadOperation?) -> Double {
    func flops(_ classes: Set<KernelClass>) -> Double { classes.contains(call.kernelClass) ? call.work.flops : 0 }
    func bytes(_ kernelClass: KernelClass) -> Double { call.kernelClass == kernelClass ? call.work.bytes : 0 }
    func launches(_ matches: Bool) -> Double { matches ? call.work.calls : 0 }
    switch feature {
    case .constant: return 0
    case .layers: return launches(call.layer != nil && call.head == nil)
    case .heads, .headTasks: return launches(call.head != nil)
    case .selfAttentionHeads: return launches(kind?.isSelfAttention ?? false)
    case .linearTransformHeads: return launches(kind?.isLinearTransform ?? false)
    case .convolutionHeads: return launches(kind?.taps != nil)
    case .scaledDotProductHeads: return launches(kind == .scaledDotProduct)
    case .weightedMultiplicativeHeads: return launches(kind == .weightedMultiplicative)
    case .discreteFourierHeads: return launches(kind == .discreteFourier)
    case .discreteCosineHeads: return launches(kind == .discreteCosine)
    case .convolution5Heads: return launches(kind == .convolution5)
    case .convolution9Heads: return launches(kind == .convolution9)
    case .convolution13Heads: return launches(kind == .convolution13)
    case .productFLOPs: return flops(products)
    case .projectionFLOPs: return flops([.projection, .join])
    case .feedForwardFLOPs: return flops([.feedForward])
    case .attentionFLOPs: return flops([.scores, .relativeScores, .context, .convolution])
    case .relativeScoreBytes: return bytes(.relativeScores)
    case .embeddingParameterBytes: return bytes(.embedding)
    case .parameterBytes, .encoderParameterBytes, .parameterBytesAbove, .parameterPower, .pagedParameterBytes,
      .weightWaitSeconds:
      // Linear maps read their weights once a call; their FLOPs are proportional to them.
      return flops(weighted)
    case .feedForwardElements: return bytes(.activation)
    case .feedForwardStacks: return launches(call.kernelClass == .feedForward || call.kernelClass == .activation)
    case .joins: return launches(call.kernelClass == .join)
    case .softmaxElements: return bytes(.softmax)
    case .transformWork: return flops([.fourier, .cosine])
    case .unfoldBytes: return bytes(.convolution)
    case .hiddenElements: return bytes(.normalisation)
    case .calls, .rooflineSeconds: return 0
    case .dispatchSeconds: return launches(call.head == nil)
    case .projectionSeconds: return flops([.projection, .join, .pooler])
    case .feedForwardSeconds: return flops([.feedForward])
    case .denseSeconds: return flops(weighted)
    case .scoreSeconds: return flops([.scores, .context])
    case .relativeScoreSeconds: return flops([.relativeScores])
    case .attentionSeconds: return flops([.scores, .context, .relativeScores])
    case .fourierSeconds: return flops([.fourier])
    case .cosineSeconds: return flops([.cosine])
    case .convolutionSeconds: return flops([.convolution])
    case .operationSeconds: return flops([.fourier, .cosine, .convolution])
    case .headSeconds: return flops([.scores, .context, .relativeScores, .fourier, .cosine, .convolution])
    case .softmaxSeconds: return bytes(.softmax)
    case .activationSeconds: return bytes(.activation)
    case .normalisationSeconds: return bytes(.normalisation) + bytes(.embedding)
    case .vectorSeconds: return bytes(.softmax) + bytes(.activation) + bytes(.normalisation) + bytes(.embedding)
    }
  }
}

extension [Bound: Double] {
  /// The sum in a fixed order, so that it has the same last digits in every process.
  var total: Double { Bound.allCases.reduce(0) { $0 + (self[$1] ?? 0) } }
}
