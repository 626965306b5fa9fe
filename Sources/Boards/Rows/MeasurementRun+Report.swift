import Foundation

extension MeasurementRun.Report {
  /// What must be known to judge the rows, for people.
  public var summary: String {
    func percent(_ share: Double) -> String { String(format: abs(share) < 0.0995 ? "%.1f %%" : "%.0f %%", 100 * share) }
    var parts = [
      "measured \(measured) \(measured == 1 ? "architecture" : "architectures") in \(String(format: "%.1f", seconds)) s"
    ]
    if let floor = noiseFloor {
      parts.append(
        "early and late rounds differ by \(percent(floor.median)) (at most \(percent(floor.largest))), repeats by"
          + " \(percent(floor.repeatSpread))")
    }
    if let drift {
      let change = "\(drift.change < 0 ? "" : "+")\(percent(drift.change)) over \(Int(drift.seconds.rounded())) s"
      parts.append(
        drift.isPresent
          ? "the machine drifted: \(change) (Spearman \(String(format: "%.2f", drift.spearman)))"
          : "no drift (\(change))")
    }
    if repeats > 0 { parts.append("\(outlierRepeats) of \(repeats) repeats are outliers") }
    if unsteady > 0 { parts.append("\(unsteady) did not become steady while warming up") }
    return parts.joined(separator: "; ")
  }
}
