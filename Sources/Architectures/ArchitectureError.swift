/// A field of an architecture that no kernel could run, or whose arithmetic could overflow.
public enum ArchitectureError: Error, Equatable, Sendable, CustomStringConvertible {
  /// `field` is a path such as `layers[3].feed_forward[0]`, counted from 0.
  case outOfRange(field: String, value: Int, allowed: ClosedRange<Int>)

  public var field: String {
    switch self {
    case .outOfRange(let field, _, _): field
    }
  }

  public var description: String {
    switch self {
    case .outOfRange(let field, let value, let allowed):
      "\(field): \(value) is not within \(allowed.lowerBound) to \(allowed.upperBound)"
    }
  }
}
