import Testing
import Training

/// Known answers of Hugging Face's `get_linear_schedule_with_warmup(optimizer, 4, 10)` with learning rate 2.
@Test func linearWarmUpThenLinearDecay() {
  let schedule = LearningRateSchedule(peak: 2, warmUpSteps: 4, totalSteps: 10)
  let expected = [0, 0.5, 1, 1.5, 2, 10.0 / 6, 8.0 / 6, 1, 4.0 / 6, 2.0 / 6, 0, 0]
  for (step, rate) in expected.enumerated() { #expect(abs(schedule.rate(step: step) - rate) < 1e-15) }
  #expect(LearningRateSchedule(peak: 1, warmUpSteps: 0, totalSteps: 2).rate(step: 0) == 1)
}
