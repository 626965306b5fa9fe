/// Why a twin cannot be fitted.
public enum CalibrationError: Error, Sendable, CustomStringConvertible {
  case tooFewRows(Int)
  case noRows(device: String, runtime: String, found: [String])
  case mixedSettings(setting: String, first: String, other: String, row: Int)
  case unusableRow(row: Int, problem: String)
  case noCandidates
  /// So few rows were measured in the time that there was.
  case tooShort(seconds: Double, rows: Int)
  case tooFewPlatforms(Int)

  public var description: String {
    switch self {
    case .tooFewRows(let count):
      "\(count) usable measurements, and a twin needs at least 4: measure more (edgetwin suggest says what)"
    case .noRows(let device, let runtime, let found):
      "no measurement of \(device) with runtime \(runtime)"
        + (found.isEmpty ? "" : "; the file holds \(found.joined(separator: ", "))")
    case .mixedSettings(let setting, let first, let other, let row):
      "measurement \(row + 1) has \(setting) \(other) where the first has \(first): calibrate one setting at a time"
    case .unusableRow(let row, let problem): "measurement \(row + 1): \(problem)"
    case .noCandidates: "there is nothing left to suggest: every candidate is measured already"
    case .tooShort(let seconds, let rows):
      "in \(Int(seconds.rounded())) s \(rows) rows were measured, and a twin needs at least \(TwinFit.minimumRows): give more time (--budget 3min)"
    case .tooFewPlatforms(let count):
      "\(count) platforms, and leaving one out needs at least 2: add the measurements of another device"
    }
  }
}
