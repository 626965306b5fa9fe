import Foundation

/// What models take on so many threads over what their kernels take alone, beside what the other coefficients say: threads that share
/// caches, memory and a hypervisor's favour are slowed down by one another for as long as a model runs.
public struct ThreadLevel: Sendable, Hashable, Codable {
  public var threads: Int
  /// Added on the log scale.
  public var log: Double

  public init(threads: Int, log: Double) {
    self.threads = threads
    self.log = log
  }
}

extension [ThreadLevel] {
  /// The level of a number of threads: between two known ones by its logarithm, beyond them that of the nearest.
  func log(threads: Int) -> Double {
    let known = sorted { $0.threads < $1.threads }
    guard let first = known.first, let last = known.last else { return 0 }
    if threads <= first.threads { return first.log }
    guard let upper = known.first(where: { $0.threads >= threads }) else { return last.log }
    guard let lower = known.last(where: { $0.threads < threads }) else { return upper.log }
    let position =
      Foundation.log(Double(threads) / Double(lower.threads))
      / Foundation.log(Double(upper.threads) / Double(lower.threads))
    return lower.log + position * (upper.log - lower.log)
  }
}
