import Architectures
import Twins

/// A twin as the search sees it: one device at one problem's settings, asked for many points at once.
public protocol CandidateCosting: Sendable {
  /// As the problem names the device.
  var deviceID: String { get }
  /// How much of the machine its energy and power see.
  var powerScope: PowerScope { get }
  /// Probability of the intervals that ``costs(of:into:)`` gives, such as 0.9.
  var intervalLevel: Double { get }
  /// Memory beyond which the device cannot run a model at all; nil where it pages.
  var memoryLimitBytes: Double? { get }
  /// Costs of points of the problem's space, in order. `costs` arrives with any content and leaves with one element a point.
  func costs(of points: [DesignPoint], into costs: inout [CostEstimate])
  /// Memory that a model needs, likewise; asked only where a budget or the device limits it.
  func memoryBytes(of points: [DesignPoint], into bytes: inout [Double])
}
