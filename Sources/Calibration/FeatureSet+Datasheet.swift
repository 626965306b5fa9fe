import Twins

extension FeatureSet {
  /// Shares that lean on what the datasheet says of this very device: `(1 − weight)` of the general ones and `weight` of the contributions
  /// of a datasheet twin's terms to a model of the reference size.
  func leaning(on datasheet: LinearForm, weight: Double) -> FeatureSet {
    var contributions = [Double](repeating: 0, count: terms.count)
    for coefficient in datasheet.coefficients {
      // The coarsest features that the set has; a finer split follows the terms' reference sizes.
      let groups = Self.groups(standingFor: coefficient.feature)
      guard let group = groups.first(where: { group in terms.contains { group.contains($0.feature) } }) else {
        continue
      }
      let value = coefficient.value * Self.activeShare(coefficient)
      for index in terms.indices where group.contains(terms[index].feature) {
        contributions[index] += value * terms[index].reference
      }
    }
    let total = contributions.reduce(0, +)
    guard total > 0 else { return self }
    let covered = zip(terms, contributions).reduce(0) { $0 + ($1.1 > 0 ? $1.0.share : 0) }
    var result = self
    for index in terms.indices where contributions[index] > 0 {
      result.terms[index].share =
        (1 - weight) * terms[index].share + weight * covered * contributions[index] / total
    }
    return result
  }

  /// Features that stand for one of the datasheet twin's, coarse to fine.
  private static func groups(standingFor feature: Feature) -> [Set<Feature>] {
    switch feature {
    case .heads:
      [
        [.heads], [.selfAttentionHeads, .linearTransformHeads, .convolutionHeads],
        [
          .scaledDotProductHeads, .weightedMultiplicativeHeads, .discreteFourierHeads, .discreteCosineHeads,
          .convolution5Heads, .convolution9Heads, .convolution13Heads,
        ],
      ]
    case .productFLOPs: [[.productFLOPs], [.projectionFLOPs, .feedForwardFLOPs, .attentionFLOPs]]
    case .parameterBytes, .pagedParameterBytes:
      [[.parameterBytes], [.embeddingParameterBytes, .encoderParameterBytes]]
    case .encoderParameterBytes: [[.encoderParameterBytes], [.parameterBytes]]
    default: [[feature]]
    }
  }

  /// How much of a paging term is active at a model of the reference size.
  private static func activeShare(_ coefficient: Coefficient) -> Double {
    guard coefficient.feature == .pagedParameterBytes else { return 1 }
    return min(1, max(0, (referenceParameterBytes - (coefficient.at ?? 0)) / max(coefficient.shape ?? 1, 1)))
  }

  private static let referenceParameterBytes = 3e8
}
