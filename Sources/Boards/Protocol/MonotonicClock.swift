import Foundation

/// A clock that never goes back, and a way to wait on it.
public protocol MonotonicClock: Sendable {
  /// Seconds since a moment that does not change.
  func now() -> Double
  func sleep(seconds: Double)
}

/// The clock of the machine: `CLOCK_MONOTONIC`, nanoseconds.
public struct SystemClock: MonotonicClock {
  public init() {}

  @inline(__always)
  public func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  public func sleep(seconds: Double) {
    if seconds > 0 { Thread.sleep(forTimeInterval: seconds) }
  }
}
