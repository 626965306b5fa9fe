import Foundation
import Numerics
import Testing

@testable import Boards

@Suite struct WarmUpTests {
  @Test func waitsUntilSteady() throws {
    let clock = FakeClock()
    // Twice as slow at first, decaying over 60 calls.
    let workload = FakeWorkload("a", clock) { _, call in 0.002 * (1 + exp(-Double(call) / 60)) }
    let report = try MeasuringProtocol.WarmUp().run(workload, clock: clock)
    #expect(report.isSteady)
    #expect(report.calls > 100 && report.calls < 1_000)
    #expect(abs(report.callSeconds / 0.002 - 1) < 0.01 && report.excess > 0.8)
  }

  @Test func steadyWorkloadsAreNotHeldUp() throws {
    let clock = FakeClock()
    let workload = FakeWorkload("a", clock) { _, _ in 0.0001 }
    let report = try MeasuringProtocol.WarmUp().run(workload, clock: clock)
    #expect(report.isSteady && report.seconds < 0.09)
    #expect(abs(report.excess) < 1e-9)
  }

  @Test func noiseIsNotWaitedOut() throws {
    // Windows that scatter by 5 % would seldom agree to 1 %.
    for seed in 0..<10 {
      let clock = FakeClock()
      let noise = Noise(UInt64(seed))
      let workload = FakeWorkload("a", clock) { _, _ in 0.04 * noise.factor(0.07) }
      let report = try MeasuringProtocol.WarmUp().run(workload, clock: clock)
      #expect(report.isSteady && report.seconds < 2.5)
    }
  }

  @Test func isBounded() throws {
    let clock = FakeClock()
    let growing = FakeWorkload("a", clock) { _, call in 0.001 * exp(Double(call) / 100) }
    let report = try MeasuringProtocol.WarmUp().run(growing, clock: clock)
    #expect(!report.isSteady && report.seconds >= 3 && report.seconds < 7)
    // Calls that are longer than the whole bound: one is enough.
    let slow = FakeWorkload("b", clock) { _, _ in 10 }
    let long = try MeasuringProtocol.WarmUp().run(slow, clock: clock)
    #expect(!long.isSteady && long.calls == 1 && long.callSeconds == 10)
  }

  @Test func stopsWhenAsked() throws {
    let clock = FakeClock()
    let workload = FakeWorkload("a", clock) { _, call in 0.001 * exp(Double(call)) }
    #expect(try MeasuringProtocol.WarmUp().run(workload, clock: clock, shouldStop: { true }).isSteady == false)
    #expect(workload.calls <= 12)
  }
}

@Suite struct SeriesTests {
  private func series(
    _ plan: MeasuringProtocol, _ seconds: [(_ now: Double, _ call: Int) -> Double], clock: FakeClock = FakeClock()
  ) -> SeriesResult {
    SeriesMeasurer(plan: plan, clock: clock).measure(
      seconds.enumerated().map { FakeWorkload("w\($0)", clock, $1) })
  }

  @Test func recoversTimesUnderNoiseAndInterference() throws {
    let noise = Noise(3)
    let truths = [0.0003, 0.004, 0.09]
    let result = series(
      MeasuringProtocol(repeats: 12),
      truths.map { truth in
        // One call in twelve takes three times as long: another process had the core.
        { _, _ in truth * noise.factor(0.01) * (noise.uniform < 1.0 / 12 ? 3 : 1) }
      })
    for (truth, one) in zip(truths, result.results) {
      let summary = try #require(one?.summary)
      #expect(abs(summary.medianSeconds / truth - 1) < 0.015)
      #expect(summary.spreadSeconds / truth < 0.03 && summary.outlierCalls > 0)
      #expect(summary.p99Seconds >= summary.p95Seconds && summary.p95Seconds >= summary.medianSeconds)
    }
    let fast = try #require(result.results[0]?.summary)
    #expect(fast.p99Seconds > 2 * 0.0003)
    #expect(!result.wasStopped && result.failures.isEmpty)
  }

  @Test func repeatsLastLongEnough() throws {
    let plan = MeasuringProtocol(repeats: 3, repeatSeconds: 0.05, maximumCallsPerRepeat: 400)
    let result = series(plan, [{ _, _ in 0.001 }, { _, _ in 0.2 }, { _, _ in 1e-6 }, { _, _ in 0 }])
    #expect(result.results[0]?.repeats.allSatisfy { (50...51).contains($0.callSeconds.count) } == true)
    #expect(result.results[1]?.repeats.allSatisfy { $0.callSeconds.count == 1 } == true)
    #expect(result.results[2]?.repeats.allSatisfy { $0.callSeconds.count == 400 } == true)
    #expect(result.results[3]?.repeats.count == 3)
  }

  @Test func roundsAreInterleavedAndShuffled() throws {
    let clock = FakeClock()
    var log: [String] = []
    let workloads = (0..<4).map { index in
      let workload = FakeWorkload("w\(index)", clock) { _, _ in 0.05 }
      workload.log = { log.append($0) }
      return workload
    }
    let measurer = SeriesMeasurer(plan: MeasuringProtocol(repeats: 5, seed: 9), clock: clock)
    let result = measurer.measure(workloads)
    // No model's repeat starts before each has had the one before.
    let order = result.results.enumerated().flatMap { index, one in
      (one?.repeats ?? []).map { (at: $0.atSeconds, round: $0.round, index: index) }
    }.sorted { $0.at < $1.at }
    #expect(order.map(\.round) == order.map(\.round).sorted() && order.count == 20)
    let rounds = (0..<5).map { round in order.filter { $0.round == round }.map(\.index) }
    #expect(Set(rounds).count > 1 && rounds.allSatisfy { $0.sorted() == [0, 1, 2, 3] })
    #expect(rounds == (0..<5).map { measurer.order(round: $0, count: 4) })
    #expect(log.prefix(1) == ["prepare w0"] && log.suffix(4) == (0..<4).map { "release w\($0)" })
    #expect(workloads.allSatisfy { !$0.isPrepared })
  }

  @Test func outlierRepeatsAreMarked() throws {
    let noise = Noise(5)
    // The machine is three times as slow from second 2 to second 2.6.
    let start = 1_000.0
    let result = series(
      MeasuringProtocol(repeats: 20, repeatSeconds: 0.1),
      [{ now, _ in 0.01 * noise.factor(0.005) * ((2...2.6).contains(now - start) ? 3 : 1) }])
    let one = try #require(result.results[0])
    let slow = one.repeats.filter { $0.seconds > 0.02 }.map(\.round)
    #expect(!slow.isEmpty && Set(slow).isSubset(of: one.summary.outlierRounds) && one.summary.outlierRounds.count < 9)
    #expect(abs(one.summary.medianSeconds / 0.01 - 1) < 0.01)
  }

  @Test func fastestCallsDoNotMindWhatComesBetween() throws {
    let noise = Noise(6)
    let truths = (0..<8).map { 0.002 * Double($0 + 1) }
    // Beside another program for two thirds of the time, and at the end for more.
    let slow: (Double) -> Double = { now in
      let place = (now / 0.2).rounded(.down).truncatingRemainder(dividingBy: now < 1_010 ? 3 : 5)
      return place > 0 ? 1.4 : 1
    }
    var plan = MeasuringProtocol(repeats: 30)
    plan.statistic = .fastest
    let result = series(plan, truths.map { truth in { now, _ in truth * noise.factor(0.01) * slow(now) } })
    for (truth, one) in zip(truths, result.results) {
      let summary = try #require(one?.summary)
      #expect(abs(summary.fastestSeconds / truth - 1) < 0.04 && summary.p95Seconds > 1.3 * truth)
    }
    let floor = try #require(result.noiseFloor)
    #expect(floor.median < 0.03 && abs(floor.shift) < 0.03)
  }

  @Test func agreementMakesNoOutliers() {
    let repeats = (0..<10).map { Repeat(round: $0, atSeconds: Double($0), callSeconds: [$0 == 7 ? 1.001 : 1]) }
    #expect(RepeatSummary(repeats, outlierDeviations: 3.5).outlierRounds.isEmpty)
  }

  @Test func summaryHasKnownValues() {
    let calls: [[Double]] = [[1, 2, 9], [2, 2, 2], [4, 4, 4], [1, 5]]
    let summary = RepeatSummary(
      calls.enumerated().map { Repeat(round: $0, atSeconds: 0, callSeconds: $1, involuntarySwitches: 2) },
      outlierDeviations: 3.5)
    // Repeats 2, 2, 4, 3 (a mean: two calls have no middle); median 2.5, distances 0.5, 0.5, 1.5, 0.5.
    #expect(summary.medianSeconds == 2.5 && abs(summary.spreadSeconds - 1.4826 * 0.5) < 1e-12)
    #expect(summary.calls == 11 && summary.repeats == 4 && summary.involuntarySwitches == 8)
    #expect(summary.outlierCalls == 5 && summary.outlierRounds.isEmpty)
    // Type 7 of 1 1 2 2 2 2 4 4 4 5 9 at 0.95: position 9.5, between 5 and 9.
    #expect(abs(summary.p95Seconds - 7) < 1e-12)
    #expect(summary.fastestSeconds == 1 && summary.hasSpread)
    let one = RepeatSummary(
      [Repeat(round: 0, atSeconds: 0, callSeconds: [1, 2], involuntarySwitches: 0)], outlierDeviations: 3.5)
    #expect(!one.hasSpread, "one repeat is no distance from itself")
  }

  @Test func repeatsOnSlowedCoresDoNotCount() {
    func summary(_ paces: [Double?]) -> RepeatSummary {
      let repeats = paces.enumerated().map { index, pace in
        Repeat(
          round: index, atSeconds: 0, callSeconds: [(pace ?? 1) * Double(index + 1)], paceSeconds: pace.map { $0...$0 })
      }
      return RepeatSummary(repeats, outlierDeviations: 3.5, bestPaceSeconds: paces.compactMap(\.self).min())
    }
    // Within 5 % of the best pace all count.
    #expect(summary([1, 1.04, 1.02]).disturbedRepeats == 0)
    let disturbed = summary([1, 1.5, 1.01, 1.4])
    #expect(disturbed.disturbedRepeats == 2 && abs(disturbed.medianSeconds - (1 + 3 * 1.01) / 2) < 1e-12)
    // The calmer half counts always.
    let restless = summary([1, 1.5, 1.4])
    #expect(restless.disturbedRepeats == 1 && abs(restless.medianSeconds - (1 + 4.2) / 2) < 1e-12)
    #expect(summary([nil, nil]).disturbedRepeats == 0)
    #expect(restless.fastestPaceSeconds == 1 && summary([nil, nil]).fastestPaceSeconds == nil)
  }

  @Test func aFloorOfFastestCallsIsAtOnePace() throws {
    // From the fourth round on the cores, and the gauge with them, are half as fast.
    let series = [1.0, 3.0].map { truth in
      (0..<6).map { round in
        let slowing = round < 3 ? 1.0 : 2.0
        return Repeat(
          round: round, atSeconds: Double(round), callSeconds: [truth * slowing, 1.2 * truth * slowing],
          paceSeconds: 0.001 * slowing...0.0015 * slowing)
      }
    }
    let fastest = try #require(NoiseFloor(series, statistic: .fastest))
    let typical = try #require(NoiseFloor(series))
    #expect(abs(fastest.shift) < 1e-12 && fastest.largest < 1e-12)
    #expect(abs(typical.shift - log(2)) < 1e-12)
  }

  @Test func theGaugeRuns() throws {
    let gauge = try PaceGauge(threads: 1)
    #expect(gauge.seconds() > 1e-6 && gauge.seconds() < 1)
  }

  @Test func failuresAreToldAndDoNotEndTheSeries() throws {
    let clock = FakeClock()
    let workloads = (0..<3).map { index in FakeWorkload("w\(index)", clock) { _, _ in 0.01 } }
    workloads[1].failsAtCall = 60
    workloads[2].failsAtCall = 0
    let result = SeriesMeasurer(plan: MeasuringProtocol(repeats: 20), clock: clock).measure(workloads)
    #expect(result.results[0]?.repeats.count == 20 && result.results[1] == nil && result.results[2] == nil)
    #expect(result.failures[1]?.description == "architecture w1: out of order")
    #expect(Set(result.failures.keys) == [1, 2])
  }

  @Test func stoppingKeepsWhatThereIs() throws {
    let clock = FakeClock()
    let workloads = (0..<3).map { index in FakeWorkload("w\(index)", clock) { _, _ in 0.05 } }
    var measurer = SeriesMeasurer(plan: MeasuringProtocol(repeats: 50), clock: clock)
    measurer.shouldStop = { clock.now() > 1_004 }
    let result = measurer.measure(workloads)
    #expect(result.wasStopped)
    let counts = result.results.map { $0?.repeats.count ?? 0 }
    #expect(counts.allSatisfy { $0 > 3 && $0 < 50 } && (counts.max() ?? 0) - (counts.min() ?? 0) <= 1)
    measurer.shouldStop = { true }
    #expect(measurer.measure(workloads).results.allSatisfy { $0 == nil })
  }

  @Test func pausesBetweenRounds() throws {
    let clock = FakeClock()
    let workload = FakeWorkload("a", clock) { _, _ in 0.01 }
    let result = SeriesMeasurer(plan: MeasuringProtocol(repeats: 3, pauseSeconds: 600), clock: clock).measure([workload]
    )
    let times = try #require(result.results[0]?.repeats.map(\.atSeconds))
    #expect(times.count == 3 && zip(times, times.dropFirst()).allSatisfy { $1 - $0 > 600 && $1 - $0 < 601 })
  }
}

@Suite struct DriftTests {
  /// Repeats of `models` models over `rounds` rounds, a second each.
  private func repeats(
    models: Int, rounds: Int, noise: Double, seed: UInt64, _ factor: (_ share: Double) -> Double
  ) -> [[Repeat]] {
    let random = Noise(seed)
    return (0..<models).map { model in
      (0..<rounds).map { round in
        let at = Double(round * models + model)
        let share = at / Double(rounds * models - 1)
        return Repeat(
          round: round, atSeconds: at,
          callSeconds: [0.001 * Double(model + 1) * factor(share) * random.factor(noise)])
      }
    }
  }

  @Test func sizeOfADriftIsFound() throws {
    let drift = try #require(Drift(repeats(models: 6, rounds: 15, noise: 0.01, seed: 1) { 1 + 0.08 * $0 }))
    #expect(drift.isPresent && abs(drift.change - 0.08) < 0.015)
    #expect(drift.spearman > 0.8 && drift.repeats == 90 && drift.seconds == 89)
    let faster = try #require(Drift(repeats(models: 6, rounds: 15, noise: 0.01, seed: 1) { 1 - 0.05 * $0 }))
    #expect(faster.isPresent && faster.change < -0.035)
  }

  @Test func noiseIsNoDrift() throws {
    var alarms = 0
    for seed in 0..<40 {
      let drift = try #require(Drift(repeats(models: 5, rounds: 10, noise: 0.03, seed: UInt64(seed)) { _ in 1 }))
      if drift.isPresent { alarms += 1 }
    }
    #expect(alarms <= 2)
  }

  @Test func aQuarterOfDisturbedRepeatsDoesNotMoveIt() throws {
    var series = repeats(models: 4, rounds: 20, noise: 0.005, seed: 2) { 1 + 0.05 * $0 }
    for model in series.indices {
      for round in stride(from: 2, to: 20, by: 5) { series[model][round].callSeconds[0] *= 4 }
    }
    let drift = try #require(Drift(series))
    #expect(abs(drift.change - 0.05) < 0.02)
  }

  @Test func largeSeriesAreThinned() throws {
    let drift = try #require(Drift(repeats(models: 50, rounds: 100, noise: 0.01, seed: 4) { 1 + 0.1 * $0 }))
    #expect(abs(drift.change - 0.1) < 0.02)
  }

  @Test func tooLittleGivesNothing() {
    #expect(Drift([]) == nil && Drift([[Repeat(round: 0, atSeconds: 0, callSeconds: [1])]]) == nil)
    #expect(NoiseFloor([[Repeat(round: 0, atSeconds: 0, callSeconds: [1])]]) == nil)
  }

  @Test func noiseFloorComparesDistantRounds() throws {
    let floor = try #require(NoiseFloor(repeats(models: 8, rounds: 9, noise: 0, seed: 1) { $0 > 0.5 ? 1.04 : 1 }))
    #expect(abs(floor.median - log(1.04)) < 1e-9 && abs(floor.largest - log(1.04)) < 1e-9 && floor.models == 8)
    let quiet = try #require(NoiseFloor(repeats(models: 8, rounds: 30, noise: 0.01, seed: 2) { _ in 1 }))
    #expect(quiet.median < 0.01 && abs(quiet.repeatSpread - 0.01) < 0.003)
  }
}
