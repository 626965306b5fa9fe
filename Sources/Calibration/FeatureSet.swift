import Twins

/// A set of features that a cost is regressed on, with what is expected of each before any row is seen.
///
/// The prior says: at the reference size of its feature, each term contributes about its share of the whole. Only the shares are prior
/// knowledge, not the level: it holds for every device, and it is what makes four rows enough for a first fit.
struct FeatureSet: Sendable {
  struct Term: Sendable {
    var feature: Feature
    var at: Double?
    var shape: Double?
    /// A typical value of the feature, which scales the column to about 1.
    var reference: Double
    /// Expected share of the cost.
    var share: Double
    /// Whether the device's file has it as measured by itself.
    var isTimed = false
  }

  var name: String
  /// Below this many rows the set has more freedom than the rows can fill.
  var minimumRows: Int
  var terms: [Term]

  init(_ name: String, minimumRows: Int, _ terms: [(Feature, reference: Double, share: Double)], knees: [Knee]) {
    self.name = name
    self.minimumRows = minimumRows
    let total = terms.reduce(0) { $0 + $1.share } + knees.reduce(0) { $0 + $1.share }
    self.terms =
      terms.map { Term(feature: $0.0, reference: $0.reference, share: $0.share / total) }
      + knees.map {
        Term(feature: $0.feature, at: $0.at, shape: $0.shape, reference: $0.reference, share: $0.share / total)
      }
  }

  init(name: String, minimumRows: Int, terms: [Term]) {
    self.name = name
    self.minimumRows = minimumRows
    self.terms = terms
  }

  /// Bytes of parameters at the first paging term; nil where the set has none.
  var pagingOnset: Double? { terms.filter(\.feature.isPaging).compactMap(\.at).min() }

  /// The same set with its paging terms moved by a factor.
  func movingPaging(by factor: Double) -> FeatureSet {
    var result = self
    for index in terms.indices where terms[index].feature.isPaging {
      result.terms[index].at = terms[index].at.map { $0 * factor }
      if terms[index].feature == .parameterBytesAbove { result.terms[index].reference *= factor }
    }
    return result
  }

  /// A term in the parameters' total size.
  struct Knee: Sendable {
    var feature: Feature
    var at: Double
    var shape: Double?
    var reference: Double
    var share: Double
  }

  /// Terms for a device whose memory fills up when the parameters reach `onset` bytes.
  private static func knees(onset: Double?, share: Double) -> [Knee] {
    guard let onset else { return [] }
    return [
      Knee(feature: .parameterBytesAbove, at: onset, reference: onset / 3, share: share),
      Knee(feature: .parameterBytesAbove, at: onset * 4 / 3, reference: onset / 3, share: share),
    ]
  }

  private static func powers(onset: Double?) -> [Knee] {
    guard let onset else { return [] }
    let scale = onset * 4 / 3
    return [
      Knee(feature: .parameterPower, at: scale, shape: 2, reference: 1, share: 0.005),
      Knee(feature: .parameterPower, at: scale, shape: 4, reference: 2, share: 0.005),
      Knee(feature: .parameterPower, at: scale, shape: 16, reference: 30, share: 0.003),
      Knee(feature: .parameterPower, at: scale, shape: 30, reference: 1000, share: 0.003),
    ]
  }

  /// Three views of the same physics, from coarse to fine.
  /// - Parameter pagingOnset: bytes of parameters from which paging may set in; nil where the device does not page.
  static func standard(pagingOnset onset: Double?) -> [FeatureSet] {
    [
      FeatureSet(
        "F10", minimumRows: 0,
        [
          (.constant, 1, 0.20), (.layers, 7, 0.08), (.heads, 60, 0.10), (.productFLOPs, 1.4e10, 0.20),
          (.relativeScoreBytes, 2e8, 0.10), (.parameterBytes, 3e8, 0.22), (.feedForwardElements, 3.75e6, 0.05),
          (.feedForwardStacks, 14, 0.05),
        ], knees: knees(onset: onset, share: 0.03)),
      FeatureSet(
        "F14", minimumRows: 9,
        [
          (.constant, 1, 0.20), (.layers, 7, 0.08), (.selfAttentionHeads, 17, 0.03), (.linearTransformHeads, 17, 0.03),
          (.convolutionHeads, 26, 0.04), (.projectionFLOPs, 2.5e9, 0.06), (.feedForwardFLOPs, 1.1e10, 0.12),
          (.attentionFLOPs, 3e8, 0.02), (.relativeScoreBytes, 2e8, 0.10), (.parameterBytes, 3e8, 0.22),
          (.feedForwardElements, 3.75e6, 0.05), (.feedForwardStacks, 14, 0.05),
        ], knees: knees(onset: onset, share: 0.03)),
      FeatureSet(
        "F28", minimumRows: 24,
        [
          (.constant, 1, 0.20), (.layers, 7, 0.04), (.scaledDotProductHeads, 8.6, 0.014),
          (.weightedMultiplicativeHeads, 8.6, 0.014), (.discreteFourierHeads, 8.6, 0.014),
          (.discreteCosineHeads, 8.6, 0.014), (.convolution5Heads, 8.6, 0.014), (.convolution9Heads, 8.6, 0.014),
          (.convolution13Heads, 8.6, 0.014), (.projectionFLOPs, 2.5e9, 0.05), (.feedForwardFLOPs, 1.1e10, 0.10),
          (.attentionFLOPs, 3e8, 0.02), (.relativeScoreBytes, 2e8, 0.06), (.softmaxElements, 1e6, 0.03),
          (.transformWork, 1.5e6, 0.01), (.unfoldBytes, 6e6, 0.02), (.hiddenElements, 4e5, 0.03), (.joins, 4, 0.02),
          (.embeddingParameterBytes, 1e8, 0.11), (.encoderParameterBytes, 2e8, 0.11),
          (.feedForwardElements, 3.75e6, 0.05), (.feedForwardStacks, 14, 0.05),
        ], knees: knees(onset: onset, share: 0.02) + powers(onset: onset)),
    ]
  }
}
