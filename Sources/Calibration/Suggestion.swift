import Architectures

/// An architecture that is worth measuring.
public struct Suggestion: Sendable, Hashable {
  /// Position in the candidates that were given.
  public var index: Int
  public var architecture: Architecture
  /// By how much measuring it lowers the mean prediction variance over the candidates, the suggestions before it being measured, as a
  /// share of the variance before all of them. The gains of a list sum to the drop that the whole list brings.
  public var gain: Double
  /// What it tells most about, in words.
  public var reason: String

  public init(index: Int, architecture: Architecture, gain: Double, reason: String) {
    self.index = index
    self.architecture = architecture
    self.gain = gain
    self.reason = reason
  }
}
