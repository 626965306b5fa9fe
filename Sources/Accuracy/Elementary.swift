import Foundation

/// The few elementary functions that this room needs, so that Foundation is imported once.
enum Elementary {
  @inline(__always) static func log(_ x: Double) -> Double { Foundation.log(x) }
  @inline(__always) static func log2(_ x: Double) -> Double { Foundation.log2(x) }
  @inline(__always) static func exp(_ x: Double) -> Double { Foundation.exp(x) }
  @inline(__always) static func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
  @inline(__always) static func logit(_ p: Double) -> Double { log(p / (1 - p)) }
}
