/// The additive features of a workload, or of a part of it.
public struct FeatureVector: Sendable, Hashable {
  private var values = [Double](repeating: 0, count: Feature.allCases.count)

  public init() {}

  /// The value of an additive feature; functions of the parameters' size are ``value(of:at:shape:)``, and what is kept here of
  /// ``Feature/weightWaitSeconds`` is the wait for one byte.
  public subscript(feature: Feature) -> Double {
    get { values[feature.index] }
    set { values[feature.index] = newValue }
  }

  /// The value of any feature.
  /// - Parameters:
  ///   - at: knee or scale in bytes, for the functions of the parameters' size.
  ///   - shape: exponent of ``Feature/parameterPower``, span in bytes of ``Feature/pagedParameterBytes`` and
  ///     ``Feature/weightWaitSeconds``.
  public func value(of feature: Feature, at: Double = 0, shape: Double = 1) -> Double {
    guard feature.isFunctionOfParameters else { return self[feature] }
    let function = ParameterFunction(feature: feature, at: at, shape: shape)
    return feature == .weightWaitSeconds
      ? self[feature] * function.value(of: self[.encoderParameterBytes]) : function.value(of: self[.parameterBytes])
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

/// A function of the parameters' total size (of the encoder's, where they are streamed), shared by the fast and the explain path.
struct ParameterFunction: Sendable, Hashable {
  var feature: Feature
  var at: Double
  var shape: Double

  /// Whether it is a function of the encoder's parameters alone.
  var isOfEncoder: Bool { feature == .weightWaitSeconds }

  @inline(__always) func value(of bytes: Double) -> Double {
    switch feature {
    case .parameterBytesAbove: max(0, bytes - at)
    case .parameterPower: power(of: bytes)
    case .pagedParameterBytes, .weightWaitSeconds:
      shape > 0 ? bytes * min(1, max(0, (bytes - at) / shape)) : (bytes > at ? bytes : 0)
    default: 0
    }
  }

  /// Beyond this multiple of `at` a power goes on in proportion to the bytes: a steep bend says nothing of what lies far beyond it.
  private static let powerLimit = 1.125

  /// Exponents are whole and positive in every form, and are raised by squaring.
  private func power(of bytes: Double) -> Double {
    guard at > 0, shape >= 1, shape <= 64 else { return 0 }
    let ratio = bytes / at
    var base = min(ratio, Self.powerLimit)
    var remaining = Int(shape)
    var result = 1.0
    while remaining > 0 {
      if remaining & 1 == 1 { result *= base }
      base *= base
      remaining >>= 1
    }
    return ratio > Self.powerLimit ? result * ratio / Self.powerLimit : result
  }
}
