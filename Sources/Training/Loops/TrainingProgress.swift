/// How far a run is.
public struct TrainingProgress: Sendable, Hashable {
  public var step: Int
  public var totalSteps: Int
  /// Mean of the last steps'.
  public var loss: Double
  /// Of this process.
  public var stepsPerSecond: Double
  public var tokensPerSecond: Double

  public var secondsLeft: Double { Double(totalSteps - step) / max(stepsPerSecond, 1e-9) }

  /// `step 120 of 1000 (12 %), loss 6.213, 3.2 steps/s, 5210 tokens/s, 4 min 35 s left`.
  public var line: String {
    let share = 100 * step / max(totalSteps, 1)
    return "step \(step) of \(totalSteps) (\(share) %), loss \(Self.fixed(loss, 3)), "
      + "\(Self.fixed(stepsPerSecond, stepsPerSecond < 10 ? 2 : 0)) steps/s, "
      + "\(Self.fixed(tokensPerSecond, 0)) tokens/s, \(Self.duration(secondsLeft)) left"
  }

  private static func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
    var scale = 1
    for _ in 0..<digits { scale *= 10 }
    let scaled = Int((abs(value) * Double(scale)).rounded())
    let sign = value < 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(scaled)" }
    let fraction = String(scaled % scale)
    return "\(sign)\(scaled / scale)." + String(repeating: "0", count: digits - fraction.count) + fraction
  }

  private static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "long" }
    let whole = Int(seconds.rounded(.up))
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
  }
}

/// A run that was asked to stop, after a checkpoint.
public struct TrainingStopped: Error, Sendable, Hashable, CustomStringConvertible {
  public let step: Int
  public let folder: String

  public var description: String { "stopped after step \(step); the same command with --resume goes on from there" }
}
