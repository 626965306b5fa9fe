import Foundation
import Kernels
import Testing
import Twins

@testable import Workbench

@Suite struct WeightTimingTests {
  /// Times as if a cache of 32 MB held all weights up to 8 MB, none from 20 MB on, and a byte then took `wait` seconds.
  private func seconds(wait: Double, cacheBytes: Double = 32e6) -> [WeightTiming: Double] {
    var result: [WeightTiming: Double] = [:]
    for timing in WeightTiming.all(cacheBytes: cacheBytes) {
      let bytes = Double(4 * timing.width * timing.width)
      let computing = 2 * Double(timing.rows) * bytes / 4 / 1e11
      let share =
        switch timing.place {
        case .cache: 0.0
        case .memory: 1.0
        case .spread(let spread): min(1, max(0, (Double(spread) - 8e6) / 12e6))
        }
      result[timing] = computing + share * wait * bytes * 16 / Double(timing.rows)
    }
    return result
  }

  @Test func waitsAndSizeAreFound() throws {
    let found = try #require(
      WeightTiming.weights([1: seconds(wait: 1e-10), 2: seconds(wait: 4e-11)], cacheBytes: 32e6))
    #expect(abs(found.cachedBytes / 8e6 - 1) < 0.05 && abs(found.streamedBytes / 20e6 - 1) < 0.05)
    #expect(found.waits.map(\.threads) == [1, 1, 1, 1, 2, 2, 2, 2])
    for wait in found.waits {
      let expected = (wait.threads == 1 ? 1e-10 : 4e-11) * 16 / Double(wait.tokens)
      #expect(abs(wait.secondsPerByte / expected - 1) < 1e-6)
    }
  }

  @Test func withoutWaitsTheSizeIsAssumed() throws {
    let found = try #require(WeightTiming.weights([1: seconds(wait: 1e-14)], cacheBytes: 32e6))
    #expect(found.cachedBytes == 16e6 && found.streamedBytes == 48e6)
    #expect(WeightTiming.weights([:], cacheBytes: 32e6) == nil)
    #expect(WeightTiming.all(cacheBytes: nil).isEmpty && WeightTiming.all(cacheBytes: 256e6).isEmpty)
  }

  @Test func waitsDoNotRiseWithRows() {
    #expect(WeightTiming.falling([4, 2, 3, 1]) == [4, 2.5, 2.5, 1])
    #expect(WeightTiming.falling([1, 2, 3]) == [2, 2, 2])
    #expect(WeightTiming.falling([0, -1, 2, 8]) == [2.25, 2.25, 2.25, 2.25])
    #expect(WeightTiming.falling([3, 2]) == [3, 2] && WeightTiming.falling([]).isEmpty)
  }

  @Test(arguments: [0.5e6, 32e6]) func everyTimingRuns(cacheBytes: Double) throws {
    let bench = try KernelBench(threads: 1)
    let some = WeightTiming.all(cacheBytes: cacheBytes).filter { $0.rows <= 32 }
    #expect(some.count == 24)
    for timing in some {
      let probe = try KernelProbe(timing.kind(cacheBytes: cacheBytes), bench: bench)
      #expect(timing.seconds(probe, bench: bench) > 0)
    }
  }
}
