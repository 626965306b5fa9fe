/// Linear warm-up to a peak, then linear decay to 0 at the last step (Devlin et al. 2019).
public struct LearningRateSchedule: Sendable, Hashable {
  public var peak: Double
  public var warmUpSteps: Int
  public var totalSteps: Int

  public init(peak: Double, warmUpSteps: Int, totalSteps: Int) {
    self.peak = peak
    self.warmUpSteps = warmUpSteps
    self.totalSteps = totalSteps
  }

  /// The learning rate of step `index`, from 0: as Hugging Face's `get_linear_schedule_with_warmup`, so that step 0 of a warm-up is 0.
  public func rate(step index: Int) -> Double {
    if index < warmUpSteps { return peak * Double(max(index, 0)) / Double(warmUpSteps) }
    guard index < totalSteps else { return 0 }
    return peak * Double(totalSteps - index) / Double(max(totalSteps - warmUpSteps, 1))
  }
}
