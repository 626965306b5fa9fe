import Foundation

/// A number that sums a candidate up for the residual model.
public enum Summary: String, Sendable, Hashable, Codable, CaseIterable {
  /// Logarithm of the predicted latency in seconds, start-up included.
  case logSeconds = "log_seconds"
  case logParameterBytes = "log_parameter_bytes"
  case logHeads = "log_heads"
  /// Share of the heads that convolve.
  case convolutionShare = "convolution_share"
  case logProductFLOPs = "log_product_flops"
}

/// What the residual model and the check for extrapolation see of a candidate, in one place for both paths.
struct SummaryValues: Sendable {
  var parameterBytes: Double
  var heads: Double
  var convolutionHeads: Double
  var layers: Double
  var productFLOPs: Double

  init(features: FeatureVector) {
    self.init(
      parameterBytes: features[.parameterBytes],
      heads: features[.heads], convolutionHeads: features[.convolutionHeads], layers: features[.layers],
      productFLOPs: features[.productFLOPs])
  }

  @inline(__always)
  init(
    parameterBytes: Double, heads: Double, convolutionHeads: Double, layers: Double,
    productFLOPs: Double
  ) {
    self.parameterBytes = parameterBytes
    self.heads = heads
    self.convolutionHeads = convolutionHeads
    self.layers = layers
    self.productFLOPs = productFLOPs
  }

  @inline(__always)
  func value(of summary: Summary, logSeconds: Double) -> Double {
    switch summary {
    case .logSeconds: logSeconds
    case .logParameterBytes: log(parameterBytes)
    case .logHeads: log(heads)
    case .convolutionShare: convolutionHeads / heads
    case .logProductFLOPs: log(productFLOPs)
    }
  }
}

extension FeatureVector {
  /// A summary of these features, given the logarithm of the predicted latency.
  public func summary(_ summary: Summary, logSeconds: Double) -> Double {
    SummaryValues(features: self).value(of: summary, logSeconds: logSeconds)
  }
}
