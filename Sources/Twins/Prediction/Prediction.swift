import Architectures

/// What limits a workload on a device.
public enum Bound: String, Sendable, Hashable, Codable, CaseIterable {
  case compute
  case memory
  /// Launching kernels, and whatever else is paid per layer, head or process.
  case overhead
  case paging
}

/// A twin's answer for one architecture.
public struct Prediction: Sendable, Hashable {
  public var architectureID: String
  /// Per sequence.
  public var costs: CostEstimate
  /// Of one call with the whole batch, in seconds.
  public var batchLatencySeconds: Estimate
  public var level: Double
  /// What the latency's interval mostly rests on.
  public var intervalBasis: Spread.Basis
  /// Settings, facts and features outside of what the twin was fitted on.
  public var extrapolated: [String]
  public var parameters: Int
  public var parametersInclude: ParameterCount.Convention
  /// Parameters and the largest activations.
  public var memoryBytes: Double
  public var fitsMemory: Bool
  /// What the steady time is mostly spent on.
  public var boundBy: Bound
  public var powerScope: PowerScope
}

extension Twin {
  /// Predicts an architecture.
  /// - Throws: ``TwinError/doesNotFit(architecture:device:neededBytes:availableBytes:)`` where the model does not fit a device that cannot page.
  public func predict(_ architecture: Architecture, level: Double = 0.9) throws(TwinError) -> Prediction {
    let memory = MemoryNeed(architecture, settings: settings)
    let fits = memory.totalBytes <= device.memory.availableBytes
    if !fits && device.memory.overflow == .error {
      throw .doesNotFit(
        architecture: architecture.id, device: device.id, neededBytes: memory.totalBytes,
        availableBytes: device.memory.availableBytes)
    }
    let features = features(of: architecture)
    let costs = costs(of: features, level: level)
    let batch = Double(settings.batchSize)
    let seconds = costs.latencySeconds
    let convention: ParameterCount.Convention = variant.usesRoofs ? .native : .protran
    return Prediction(
      architectureID: architecture.id, costs: costs,
      batchLatencySeconds: Estimate(
        median: seconds.median * batch, lower: seconds.lower * batch, upper: seconds.upper * batch),
      level: level, intervalBasis: intervalBasis(of: features, level: level),
      extrapolated: extrapolated
        + FeatureRange.outside(features, ranges: FeatureRange.all(of: model.fit, settings: settings))
        + (settings.sequenceLength > architecture.maximumPositions ? ["maximum_positions"] : []),
      parameters: architecture.parameterCount(convention).total, parametersInclude: convention,
      memoryBytes: memory.totalBytes, fitsMemory: fits, boundBy: CostShares(twin: self, features: features).bound,
      powerScope: device.power.scope)
  }
}

/// Memory that a model takes while it runs.
public struct MemoryNeed: Sendable, Hashable {
  public var parameterBytes: Double
  /// The most that is alive at once: a layer's input, q, k, v, scores of a head and the widest feed-forward activation.
  public var activationBytes: Double

  public var totalBytes: Double { parameterBytes + activationBytes }

  public init(_ architecture: Architecture, settings: Settings) {
    let e = settings.precision.bytes
    let tokens = Double(settings.batchSize) * Double(settings.sequenceLength)
    let length = Double(settings.sequenceLength)
    parameterBytes = e * Double(architecture.parameterCount(.native).total)
    activationBytes = architecture.layers.reduce(0) { largest, layer in
      let widest = Double(layer.feedForward.max() ?? 0)
      let attention = 3 * Double(layer.attentionWidth) + length
      return max(largest, e * tokens * (2 * Double(layer.hiddenSize) + max(attention, widest)))
    }
  }
}

extension FeatureRange {
  /// Names of the quantities that lie outside of their range.
  static func outside(_ features: FeatureVector, ranges: [FeatureRange]) -> [String] {
    let summaries = SummaryValues(features: features)
    return ranges.filter { range in
      let value = range.value(in: summaries)
      return value < range.lower || value > range.upper
    }.map(\.quantity.rawValue)
  }
}

/// How a predicted latency is made up, by what sets the pace.
struct CostShares {
  /// Seconds by cause, start-up left out unless the settings include it; they sum to the linear forms' mean.
  private(set) var seconds: [Bound: Double] = [:]

  init(twin: Twin, features: FeatureVector) {
    for form in twin.model.latency.forms {
      for coefficient in form.coefficients {
        var cost = coefficient.cost(of: features)
        if !twin.settings.includesStartup { cost -= coefficient.startupCost(of: features) }
        seconds[Self.bound(of: coefficient.feature), default: 0] += form.weight * cost
      }
    }
  }

  var bound: Bound {
    Bound.allCases.max { (seconds[$0] ?? 0) < (seconds[$1] ?? 0) } ?? .overhead
  }

  static func bound(of feature: Feature) -> Bound {
    switch feature {
    case .productFLOPs, .projectionFLOPs, .feedForwardFLOPs, .attentionFLOPs, .transformWork: .compute
    case .relativeScoreBytes, .parameterBytes, .embeddingParameterBytes, .encoderParameterBytes, .unfoldBytes,
      .feedForwardElements, .softmaxElements, .hiddenElements, .softmaxSeconds, .activationSeconds,
      .normalisationSeconds, .vectorSeconds, .weightWaitSeconds:
      .memory
    case .projectionSeconds, .feedForwardSeconds, .denseSeconds, .scoreSeconds, .relativeScoreSeconds,
      .attentionSeconds,
      .fourierSeconds, .cosineSeconds, .convolutionSeconds, .operationSeconds, .headSeconds, .rooflineSeconds:
      .compute
    case .parameterBytesAbove, .parameterPower, .pagedParameterBytes: .paging
    default: .overhead
    }
  }
}
