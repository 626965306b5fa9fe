import Foundation

enum Elementary {
  @inline(__always) static func log(_ x: Double) -> Double { Foundation.log(x) }
}
