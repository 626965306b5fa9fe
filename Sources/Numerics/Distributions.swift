import CGSL

/// Cumulative distribution functions and their inverses (GSL's `gsl_cdf`). Arguments outside the domain give
/// NaN.
public enum Distributions {
  /// P(Z ≤ x) of the standard normal.
  public static func normalCDF(_ x: Double) -> Double {
    GSL.prepare()
    return x.isNaN ? .nan : gsl_cdf_ugaussian_P(x)
  }

  /// The x with P(Z ≤ x) = `probability`; infinite at 0 and 1.
  public static func normalQuantile(_ probability: Double) -> Double {
    GSL.prepare()
    guard probability >= 0, probability <= 1 else { return .nan }
    if probability == 0 { return -.infinity }
    return probability == 1 ? .infinity : gsl_cdf_ugaussian_Pinv(probability)
  }

  /// P(T ≤ x) of Student's t.
  ///
  /// - Parameter degreesOfFreedom: positive, need not be whole.
  public static func studentTCDF(_ x: Double, degreesOfFreedom: Double) -> Double {
    GSL.prepare()
    guard degreesOfFreedom > 0, !x.isNaN else { return .nan }
    if degreesOfFreedom.isInfinite { return normalCDF(x) }
    if x.isInfinite { return x > 0 ? 1 : 0 }
    return gsl_cdf_tdist_P(x, degreesOfFreedom)
  }

  /// The x with P(T ≤ x) = `probability`; infinite at 0 and 1.
  public static func studentTQuantile(_ probability: Double, degreesOfFreedom: Double) -> Double {
    GSL.prepare()
    guard degreesOfFreedom > 0, probability >= 0, probability <= 1 else { return .nan }
    if probability == 0 { return -.infinity }
    if probability == 1 { return .infinity }
    if degreesOfFreedom.isInfinite { return normalQuantile(probability) }
    return gsl_cdf_tdist_Pinv(probability, degreesOfFreedom)
  }
}
