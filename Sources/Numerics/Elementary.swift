import Foundation

/// The few elementary functions that rooms without Foundation need.
public enum Elementary {
  @inlinable public static func log(_ x: Double) -> Double { Foundation.log(x) }
  @inlinable public static func log2(_ x: Double) -> Double { Foundation.log2(x) }
  @inlinable public static func exp(_ x: Double) -> Double { Foundation.exp(x) }
  @inlinable public static func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
  @inlinable public static func logit(_ p: Double) -> Double { log(p / (1 - p)) }
}
