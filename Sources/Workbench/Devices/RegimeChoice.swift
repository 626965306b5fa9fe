import Foundation
import Twins

/// Which of the states that a device was measured in predictions are for.
public enum RegimeChoice: Sendable, Hashable {
  /// The typical one, which a twin predicts unless told otherwise.
  case typical
  /// The one that the series ended in.
  case latest
  /// By its position in the list of latency's regimes, from 0.
  case index(Int)

  /// - Returns: nil for a text that is none of `typical`, `latest` and a whole number from 0.
  public init?(_ text: String) {
    switch text {
    case "typical": self = .typical
    case "latest": self = .latest
    default:
      guard let index = Int(text), index >= 0 else { return nil }
      self = .index(index)
    }
  }
}

/// A regime that a device does not have.
public struct RegimeError: Error, Sendable, CustomStringConvertible {
  public var device: String
  public var runtime: String
  public var index: Int
  public var count: Int

  public var description: String {
    count < 2
      ? "\(device) with \(runtime) has one regime only: leave --regime out"
      : "\(device) with \(runtime) has no regime \(index): its latency has regimes 0 to \(count - 1)"
  }
}

extension DeviceFile {
  /// The file with a runtime's coefficients moved to one of its regimes.
  ///
  /// A regime of the latency is a stretch of the series; energy follows by the regime of its own that has most of that stretch. Peak power
  /// has none. Intervals stay as wide as those of an unknown state.
  /// - Throws: ``RegimeError`` for an index that does not exist.
  public func moved(to choice: RegimeChoice, runtime: String) throws(RegimeError) -> DeviceFile {
    guard choice != .typical, var model = runtimes[runtime]?.model else {
      if case .index(let index) = choice, index > 0 {
        throw RegimeError(device: device.id, runtime: runtime, index: index, count: 0)
      }
      return self
    }
    let regimes = model.latency.regimes
    let wanted: Regime?
    switch choice {
    case .typical: wanted = nil
    case .latest: wanted = regimes.max { $0.last < $1.last }
    case .index(let index):
      guard regimes.indices.contains(index) || (index == 0 && regimes.isEmpty) else {
        throw RegimeError(device: device.id, runtime: runtime, index: index, count: regimes.count)
      }
      wanted = regimes.isEmpty ? nil : regimes[index]
    }
    guard let wanted else { return self }
    model.latency.logLevel += log(wanted.factor)
    func overlap(_ regime: Regime) -> Int {
      min(regime.last, wanted.last) - max(regime.first, wanted.first) + 1
    }
    if let energy = model.energy.regimes.max(by: { overlap($0) < overlap($1) }), overlap(energy) > 0 {
      model.energy.logLevel += log(energy.factor)
    }
    var moved = self
    moved.runtimes[runtime]?.model = model
    return moved
  }
}
