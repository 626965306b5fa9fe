/// The additive features of a workload, or of a part of it.
public struct FeatureVector: Sendable, Hashable {
  private var values = [Double](repeating: 0, count: Feature.allCases.count)

  public init() {}

  /// The value of an additive feature; functions of the parameters' size are ``value(of:at:exponent:)``.
  public subscript(feature: Feature) -> Double {
    get { values[feature.index] }
    set { values[feature.index] = newValue }
  }

  /// The value of any feature.
  /// - Parameters:
  ///   - at: knee or scale in bytes, for the functions of the parameters' size.
  ///   - exponent: of ``Feature/parameterPower``.
  public func value(of feature: Feature, at: Double = 0, exponent: Double = 1) -> Double {
    switch feature {
    case .parameterBytesAbove: ParameterFunction.above(self[.parameterBytes], at: at)
    case .parameterPower: ParameterFunction.power(self[.parameterBytes], at: at, exponent: exponent)
    default: self[feature]
    }
  }

  public static func + (a: FeatureVector, b: FeatureVector) -> FeatureVector {
    var sum = a
    for index in sum.values.indices { sum.values[index] += b.values[index] }
    return sum
  }

  public static func += (a: inout FeatureVector, b: FeatureVector) { a = a + b }

  public static func * (factor: Double, a: FeatureVector) -> FeatureVector {
    var product = a
    for index in product.values.indices { product.values[index] *= factor }
    return product
  }
}

/// Functions of the parameters' total size, shared by the fast and the explain path.
enum ParameterFunction {
  @inline(__always) static func above(_ bytes: Double, at: Double) -> Double { max(0, bytes - at) }

  /// `(bytes/at)^exponent`; exponents are whole and positive in every form, and are raised by squaring.
  @inline(__always) static func power(_ bytes: Double, at: Double, exponent: Double) -> Double {
    guard at > 0 else { return 0 }
    var base = bytes / at
    var remaining = Int(exponent)
    var result = 1.0
    while remaining > 0 {
      if remaining & 1 == 1 { result *= base }
      base *= base
      remaining >>= 1
    }
    return result
  }
}
