import Foundation

/// A number that sums a candidate up for the residual model.
public enum Summary: String, Sendable, Hashable, Codable, CaseIterable {
  /// Logarithm of what the linear forms predict.
  case logPrediction = "log_prediction"
  case logParameterBytes = "log_parameter_bytes"
  case logHeads = "log_heads"
  case logProductFLOPs = "log_product_flops"
  case logRelativeScoreBytes = "log_relative_score_bytes"
  case logHeadsPerLayer = "log_heads_per_layer"
  /// Share of the heads that convolve.
  case convolutionShare = "convolution_share"
  /// Share of the heads that transform.
  case transformShare = "transform_share"
}

/// What the residual model and the check for extrapolation see of a candidate, in one place for both paths.
struct SummaryValues: Sendable {
  var parameterBytes: Double
  var heads: Double
  var layers: Double
  var productFLOPs: Double
  var relativeScoreBytes: Double
  var convolutionHeads: Double
  var transformHeads: Double

  init(features: FeatureVector) {
    parameterBytes = features[.parameterBytes]
    heads = features[.heads]
    layers = features[.layers]
    productFLOPs = features[.productFLOPs]
    relativeScoreBytes = features[.relativeScoreBytes]
    convolutionHeads = features[.convolutionHeads]
    transformHeads = features[.linearTransformHeads]
  }

  @inline(__always)
  init(
    parameterBytes: Double, heads: Double, layers: Double, productFLOPs: Double, relativeScoreBytes: Double,
    convolutionHeads: Double, transformHeads: Double
  ) {
    self.parameterBytes = parameterBytes
    self.heads = heads
    self.layers = layers
    self.productFLOPs = productFLOPs
    self.relativeScoreBytes = relativeScoreBytes
    self.convolutionHeads = convolutionHeads
    self.transformHeads = transformHeads
  }

  @inline(__always)
  func value(of summary: Summary, logPrediction: Double) -> Double {
    switch summary {
    case .logPrediction: logPrediction
    case .logParameterBytes: log(parameterBytes)
    case .logHeads: log(heads)
    case .logProductFLOPs: log(productFLOPs)
    case .logRelativeScoreBytes: log(relativeScoreBytes)
    case .logHeadsPerLayer: log(heads / layers)
    case .convolutionShare: convolutionHeads / heads
    case .transformShare: transformHeads / heads
    }
  }
}

extension FeatureVector {
  /// A summary of these features, given the logarithm of what the forms predict.
  public func summary(_ summary: Summary, logPrediction: Double) -> Double {
    SummaryValues(features: self).value(of: summary, logPrediction: logPrediction)
  }
}
