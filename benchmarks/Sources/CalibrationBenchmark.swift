import Calibration
import Foundation
import Numerics

/// Time to calibrate all seven platforms, cross-validation and learning curve included.
struct CalibrationBenchmark {
  func run() throws {
    let platforms = try Platform.all()
    let rounds = try (0..<3).map { _ in
      let start = Date()
      for platform in platforms {
        _ = try Calibrator(file: platform.file, runtime: "protran", prior: platform.prior).calibrate(platform.rows)
      }
      return Date().timeIntervalSince(start)
    }
    print(
      String(
        format: "Calibrating all seven platforms: %.1f s (median of 3 rounds; goal 20 s)", Statistics.median(rounds)))
  }
}
