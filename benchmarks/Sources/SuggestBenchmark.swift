import Architectures
import Calibration
import Foundation
import Numerics
import Twins

/// `suggest` replayed on the rows at hand: the error from 16 rows that it chose, against 16 that a Latin hypercube chose.
struct SuggestBenchmark {
  private static let chosen = 16
  private static let draws = 20
  private struct Job: Sendable {
    var platform: Platform
    var draw: Int
    /// Share of the platform's rows that may be chosen; all that are not chosen are test rows.
    var pool: Double
  }

  func run() async throws {
    try await run(pool: 1)
    try await run(pool: 0.7)
  }

  private func run(pool: Double) async throws {
    print(
      "Error from \(Self.chosen) chosen rows: suggest against Latin hypercube, \(Self.draws) draws of \(Int(100 * pool)) % of the rows as candidates\n"
    )
    print("| platform | latency: suggest / LHS (ratio) | energy: suggest / LHS (ratio) |\n| --- | --- | --- |")
    var ratios: [[Double]] = [[], []]
    for platform in try Platform.all() where Platform.large.contains(platform.id) {
      let results = try await concurrentMap((0..<Self.draws).map { Job(platform: platform, draw: $0, pool: pool) }) {
        try Self.errors($0)
      }
      var cells: [String] = []
      for measure in 0..<2 {
        let suggested = 100 * Statistics.mean(results.map { $0.suggested[measure] })
        let sampled = 100 * Statistics.mean(results.map { $0.sampled[measure] })
        ratios[measure].append(log(suggested / sampled))
        cells.append(String(format: "%.1f / %.1f (%.2f)", suggested, sampled, suggested / sampled))
      }
      print("| \(platform.id) | \(cells.joined(separator: " | ")) |")
    }
    print(
      String(
        format: "\nGeometric mean of the ratio (goal 0.85): latency %.3f, energy %.3f, both %.3f\n",
        exp(Statistics.mean(ratios[0])), exp(Statistics.mean(ratios[1])),
        exp(Statistics.mean(ratios[0] + ratios[1]))))
  }

  private static func errors(_ job: Job) throws -> (suggested: [Double], sampled: [Double]) {
    let rows = job.platform.rows
    var random = CounterRandom(seed: 11, stream: UInt64(job.draw))
    let candidates = rows.indices.shuffled(using: &random).prefix(Int(job.pool * Double(rows.count))).sorted()
    let architectures = candidates.compactMap { rows[$0].architecture }
    let suggester = Suggester(
      file: job.platform.file, runtime: "protran", seed: UInt64(job.draw), prior: job.platform.prior)
    let suggested = try suggester.suggest(measured: [], candidates: architectures, count: chosen)
      .map { candidates[$0.index] }
    return (
      try error(job.platform, training: suggested),
      try error(job.platform, training: hypercube(architectures, seed: UInt64(job.draw)).map { candidates[$0] })
    )
  }

  private static func error(_ platform: Platform, training: [Int]) throws -> [Double] {
    let test = platform.rows.indices.filter { !training.contains($0) }
    let estimates = try Calibrator(file: platform.file, runtime: "protran", prior: platform.prior)
      .heldOut(platform.rows, training: training.sorted(), test: test, withIntervals: false)
    func median(_ error: (Int, Int) -> Double?) -> Double {
      Statistics.median(test.enumerated().compactMap { error($0, $1) })
    }
    return [
      median { index, row in
        estimates[index].latency.flatMap { estimate in
          platform.rows[row].latencySeconds.map { abs(estimate.unknown.median / $0 - 1) }
        }
      },
      median { index, row in
        estimates[index].energy.flatMap { estimate in
          platform.rows[row].energyJoules.map { abs(estimate.unknown.median / $0 - 1) }
        }
      },
    ]
  }

  /// Rows nearest to the points of a Latin hypercube over the 37 numbers, each scaled by its largest value, none twice.
  private static func hypercube(_ architectures: [Architecture], seed: UInt64) throws -> [Int] {
    let space = DesignSpace.flexibert2
    let maxima = space.embeddingMaxima.map { max(Double($0), 1) }
    func scaled(_ point: DesignPoint) -> [Double] { zip(space.embedding(of: point), maxima).map { Double($0) / $1 } }
    let rows = architectures.map { space.point(of: $0).map(scaled) }
    var taken: [Int] = []
    for point in try space.sample(count: chosen, seed: seed, method: .lhs).map(scaled) {
      func distance(_ row: [Double]?) -> Double {
        guard let row else { return .infinity }
        return zip(row, point).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      }
      let free = rows.indices.filter { !taken.contains($0) }
      if let nearest = free.min(by: { distance(rows[$0]) < distance(rows[$1]) }) { taken.append(nearest) }
    }
    return taken
  }
}
