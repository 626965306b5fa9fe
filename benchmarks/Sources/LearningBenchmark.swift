import Calibration
import Foundation
import Numerics
import Twins

/// Latency error on all other rows from few measurements.
struct LearningBenchmark {
  /// calibration.md's learning curve of F10, from 4, 8, 16 and 32 rows.
  private static let floor = [
    "rpi4-cpu": [11.7, 6.7, 3.4, 2.9], "jetson-nano-cpu": [15.2, 13.6, 12.6, 12.1],
    "m1-pro-cpu": [16.0, 11.4, 9.6, 7.6], "m1-pro-gpu": [12.4, 11.6, 10.2, 9.2], "a100": [14.6, 8.1, 7.0, 7.3],
  ]
  private static let sizes = [4, 8, 16, 32]
  private static let draws = 40

  func run() async throws {
    print("Median absolute percentage error of latency from n rows, mean of \(Self.draws) draws (floor in brackets)\n")
    print("| platform | " + Self.sizes.map { "n = \($0)" }.joined(separator: " | ") + " |")
    print("| --- |" + Self.sizes.map { _ in " --- |" }.joined())
    for platform in try Platform.all() where Platform.large.contains(platform.id) {
      let jobs = Self.sizes.flatMap { size in (0..<Self.draws).map { (size, $0) } }
      let errors = try await concurrentMap(jobs) { size, draw in
        try HeldOut.latencyError(platform, trainingRows: size, seed: 1, draw: draw)
      }
      let cells = Self.sizes.enumerated().map { index, size in
        let values = zip(jobs, errors).filter { $0.0.0 == size }.map(\.1)
        return String(format: "%.1f (%.1f)", 100 * Statistics.mean(values), Self.floor[platform.id]?[index] ?? .nan)
      }
      print("| \(platform.id) | \(cells.joined(separator: " | ")) |")
    }
  }
}
