import Foundation

/// What networks compute with: numbers, or numbers with a derivative along one direction, through which the product of the Hessian
/// and a vector is had exactly from one gradient.
protocol NetworkScalar: Sendable {
  init(_ value: Double)
  var value: Double { get }
  static func + (a: Self, b: Self) -> Self
  static func - (a: Self, b: Self) -> Self
  static func * (a: Self, b: Self) -> Self
  static func * (a: Double, b: Self) -> Self
  static func / (a: Self, b: Self) -> Self
  static func += (a: inout Self, b: Self)
  static func exp(_ x: Self) -> Self
  static func log(_ x: Self) -> Self
  static func squareRoot(_ x: Self) -> Self
  /// Distribution function of the standard normal.
  static func normalCDF(_ x: Self) -> Self
}

extension Double: NetworkScalar {
  var value: Double { self }
  static func exp(_ x: Double) -> Double { Foundation.exp(x) }
  static func log(_ x: Double) -> Double { Foundation.log(x) }
  static func squareRoot(_ x: Double) -> Double { x.squareRoot() }
  static func normalCDF(_ x: Double) -> Double { 0.5 * erfc(-x * 0.5.squareRoot()) }
}

/// A number and its derivative along one direction.
struct Dual: NetworkScalar {
  var value: Double
  var slope: Double

  init(_ value: Double) { self.init(value, slope: 0) }
  init(_ value: Double, slope: Double) {
    self.value = value
    self.slope = slope
  }

  static func + (a: Dual, b: Dual) -> Dual { Dual(a.value + b.value, slope: a.slope + b.slope) }
  static func - (a: Dual, b: Dual) -> Dual { Dual(a.value - b.value, slope: a.slope - b.slope) }
  static func * (a: Dual, b: Dual) -> Dual { Dual(a.value * b.value, slope: a.slope * b.value + a.value * b.slope) }
  static func * (a: Double, b: Dual) -> Dual { Dual(a * b.value, slope: a * b.slope) }
  static func / (a: Dual, b: Dual) -> Dual {
    let quotient = a.value / b.value
    return Dual(quotient, slope: (a.slope - quotient * b.slope) / b.value)
  }
  static func += (a: inout Dual, b: Dual) { a = a + b }
  static func exp(_ x: Dual) -> Dual {
    let value = Foundation.exp(x.value)
    return Dual(value, slope: value * x.slope)
  }
  static func log(_ x: Dual) -> Dual { Dual(Foundation.log(x.value), slope: x.slope / x.value) }
  static func squareRoot(_ x: Dual) -> Dual {
    let root = x.value.squareRoot()
    return Dual(root, slope: root > 0 ? x.slope / (2 * root) : 0)
  }
  static func normalCDF(_ x: Dual) -> Dual {
    Dual(Double.normalCDF(x.value), slope: x.slope * Double.normalDensity(x.value))
  }
}

extension NetworkScalar {
  /// Of the exponential of what is not positive: the other overflows, and a slope through it is not a number.
  static func logistic(_ x: Self) -> Self {
    guard x.value < 0 else { return Self(1) / (Self(1) + exp(Double(-1) * x)) }
    let power = exp(x)
    return power / (Self(1) + power)
  }

  /// `ln(1 + eˣ)`, and x where that is the same.
  static func softplus(_ x: Self) -> Self { x.value > 30 ? x : log(Self(1) + exp(x)) }

  /// Density of the standard normal.
  static func normalDensity(_ x: Self) -> Self { 0.398_942_280_401_432_7 * exp(-0.5 * (x * x)) }
}
