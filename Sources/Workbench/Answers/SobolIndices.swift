import Foundation

/// How much of a quantity's variance each group of its inputs explains: Sobol's indices.
///
/// Estimators: the *first-order* index (the share that the group explains alone) by Saltelli et al., "Variance based sensitivity
/// analysis of model output", Computer Physics Communications 181, 2010, table 2 (b); the *total* index (with all its interactions) by
/// Jansen, Computer Physics Communications 117, 1999 (table 2 (f) there). Standard errors are those of the mean over 16 parts.
struct SobolIndices: Sendable, Hashable {
  struct Index: Sendable, Hashable {
    var first: Double
    var firstError: Double
    var total: Double
    var totalError: Double
  }

  /// One a group.
  var groups: [Index]
  var variance: Double

  static let parts = 16

  /// - Parameters:
  ///   - a: values at the first sample of inputs, at least ``parts`` of them.
  ///   - b: at the second, independent one.
  ///   - mixed: for each group, values at the first sample with this group's inputs taken from the second.
  /// - Returns: nil where the sizes disagree or a value is not finite; indices of 0 where nothing varies.
  init?(a: [Double], b: [Double], mixed: [[Double]]) {
    guard a.count >= Self.parts, b.count == a.count, mixed.allSatisfy({ $0.count == a.count }),
      (a + b + mixed.flatMap(\.self)).allSatisfy(\.isFinite)
    else { return nil }
    let all = a + b
    let mean = all.reduce(0, +) / Double(all.count)
    let variance = all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(all.count)
    self.variance = variance
    guard variance > 1e-24 * max(mean * mean, 1e-300) else {
      groups = mixed.map { _ in Index(first: 0, firstError: 0, total: 0, totalError: 0) }
      return
    }
    groups = mixed.map { values in
      let first = a.indices.map { (b[$0] - mean) * (values[$0] - a[$0]) / variance }
      let total = a.indices.map { (a[$0] - values[$0]) * (a[$0] - values[$0]) / (2 * variance) }
      let (one, all) = (Self.mean(first), Self.mean(total))
      return Index(first: one.value, firstError: one.error, total: all.value, totalError: all.error)
    }
  }

  private static func mean(_ values: [Double]) -> (value: Double, error: Double) {
    let size = values.count / parts
    let means = (0..<parts).map { part in
      let end = part == parts - 1 ? values.count : (part + 1) * size
      let own = values[(part * size)..<end]
      return own.reduce(0, +) / Double(own.count)
    }
    let value = values.reduce(0, +) / Double(values.count)
    let spread = means.reduce(0) { $0 + ($1 - value) * ($1 - value) } / Double(parts - 1)
    return (value, (spread / Double(parts)).squareRoot())
  }
}
