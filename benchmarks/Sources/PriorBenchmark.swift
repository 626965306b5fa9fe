import Calibration
import Foundation
import Numerics
import Twins

/// Datasheet-only twins: each platform predicted from constants that the other six gave.
struct PriorBenchmark {
  func run() throws {
    let platforms = try Platform.all(withPriors: false).map { (file: $0.file, runtime: "protran", rows: $0.rows) }
    let results = try DatasheetPriorFit.leaveOneOut(platforms)
    print(
      "Datasheet-only twins, leaving the platform out: factor error exp(median |ln(predicted/measured)|), coverage of 90 %\n"
    )
    print("| platform | latency | energy | peak power |\n| --- | --- | --- | --- |")
    for result in results {
      func cell(_ path: KeyPath<PerMeasure, Double>) -> String {
        String(
          format: "%.2f (%.0f %%)", result.factorErrors[keyPath: path], 100 * result.coverage90[keyPath: path])
      }
      print("| \(result.device) | \(cell(\.latency)) | \(cell(\.energy)) | \(cell(\.peakPower)) |")
    }
    func geometricMean(_ path: KeyPath<PerMeasure, Double>) -> Double {
      exp(Statistics.mean(results.map { log($0.factorErrors[keyPath: path]) }))
    }
    func coverage(_ path: KeyPath<PerMeasure, Double>) -> Double {
      100 * Statistics.mean(results.map { $0.coverage90[keyPath: path] })
    }
    print(
      String(
        format: "| geometric mean (mean coverage) | %.2f (%.0f %%) | %.2f (%.0f %%) | %.2f (%.0f %%) |",
        geometricMean(\.latency), coverage(\.latency), geometricMean(\.energy), coverage(\.energy),
        geometricMean(\.peakPower), coverage(\.peakPower)))
    print("\nGoal: 1.6 in latency. Constants fitted on all seven:\n\(try DatasheetPriorFit.fit(platforms))")
  }
}
