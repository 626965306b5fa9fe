import Architectures
import Foundation
import Numerics
import Twins

/// Predictions a second on one core: distinct 12-layer design points, medians and bounds of all three measures.
struct SpeedBenchmark {
  func run() throws {
    let space = DesignSpace.flexibert2
    var random = CounterRandom(seed: 3, stream: 0)
    var points: [DesignPoint] = []
    while points.count < 1_000_000 {
      points.append(
        DesignPoint(
          layers: (0..<12).map { _ in
            DesignPoint.Layer(
              hidden: random.nextIndex(below: space.hiddenSizes.count),
              feedForward: random.nextIndex(below: space.feedForwardStackCount),
              heads: random.nextIndex(below: space.headCombinationCount))
          }))
    }
    print("| device | predictions a second (median of 5 rounds of \(points.count) distinct points) |\n| --- | --- |")
    for id in Platform.ids {
      let file = try DeviceFile(path: "device-models/\(id).yaml")
      let twin = CompiledTwin(try Twin(file: file, runtime: "protran"), space: space)
      var costs: [CostEstimate] = []
      var checksum = 0.0
      let rates = (0..<5).map { _ in
        let start = ContinuousClock.now
        twin.predict(points, into: &costs)
        let elapsed = ContinuousClock.now - start
        checksum += costs.reduce(0) { $0 + $1.latencySeconds.upper + $1.energyJoules.lower + $1.peakPowerWatts.median }
        return Double(points.count)
          / (Double(elapsed.components.attoseconds) * 1e-18 + Double(elapsed.components.seconds))
      }
      guard checksum.isFinite else { throw BenchmarkError(description: "\(id): a prediction is not finite") }
      print("| \(id) | " + String(format: "%.2f million", Statistics.median(rates) / 1e6) + " |")
    }
  }
}
