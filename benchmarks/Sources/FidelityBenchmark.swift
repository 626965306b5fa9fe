import Calibration
import Foundation
import Numerics
import Twins

/// Held-out error and intervals against the published surrogate, repeated 5-fold, on the same folds.
struct FidelityBenchmark {
  struct Baseline: Codable {
    var folds: [[Int]]
    /// Repeat, row, measure.
    var predictions: [[[Double]]]
    /// Repeat, row, measure, kind of width, bound.
    var intervals: [[[[[Double]]]]]
    /// Row of the last fifth in order, measure: fitted on the rows before.
    var tail: [[Double]]
  }

  let baseline: [String: Baseline]

  init(baseline path: String) throws {
    baseline = try JSONDecoder().decode([String: Baseline].self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// Predictions and bounds of one row by every kind of knowledge.
  struct Row: Sendable {
    var measured: Double
    var unknown: Double
    var known: Double
    var unknownBounds: (Double, Double)
    var knownBounds: (Double, Double)
  }

  private struct Job: Sendable {
    var platform: Platform
    var repetition: Int
    var fold: Int
    var folds: [Int]
  }

  func run() async throws {
    let platforms = try Platform.all()
    let jobs = platforms.flatMap { platform in
      (baseline[platform.id]?.folds ?? []).enumerated().flatMap { repetition, folds in
        (0..<5).map { Job(platform: platform, repetition: repetition, fold: $0, folds: folds) }
      }
    }
    let results = try await concurrentMap(jobs) { job in
      try HeldOut.predict(job.platform, folds: job.folds, held: job.fold)
    }
    // Platform, repeat, row, measure.
    var table: [String: [[[Row?]]]] = [:]
    for (job, rows) in zip(jobs, results) {
      let empty = [[Row?]](repeating: [nil, nil, nil], count: job.platform.rows.count)
      var repeats = table[job.platform.id] ?? [[[Row?]]](repeating: empty, count: 3)
      for (row, measures) in rows { repeats[job.repetition][row] = measures }
      table[job.platform.id] = repeats
    }
    printErrors(platforms, table)
    printIntervals(table)
    try printTail(platforms)
  }

  /// ProTran's own figure: fitted on the first 80 % in the order of measuring, mean squared error on the rest, values divided by twice the
  /// largest of the first 16 rows.
  private func printTail(_ platforms: [Platform]) throws {
    print("\nProTran's figure: normalised mean squared error on the last 20 % in order, in %, BDT / ours\n")
    print("| platform | latency | energy | peak power |\n| --- | --- | --- | --- |")
    for platform in platforms {
      guard let base = baseline[platform.id] else { continue }
      let count = platform.rows.count
      let cut = count - count / 5
      let folds = (0..<count).map { $0 < cut ? 0 : 1 }
      let rows = try HeldOut.predict(platform, folds: folds, held: 1)
      let cells = (0..<3).map { measure -> String in
        let values = platform.rows.compactMap { row in
          [row.latencySeconds, row.energyJoules, row.peakPowerWatts][measure]
        }
        let scale = 2 * (values.prefix(16).max() ?? 1)
        func error(_ predicted: (Int) -> Double?) -> Double {
          let squares = (cut..<count).compactMap { row in
            predicted(row - cut).map { ($0 - values[row]) * ($0 - values[row]) / (scale * scale) }
          }
          return 100 * Statistics.mean(squares)
        }
        return String(
          format: "%.3f / %.3f", error { base.tail[$0][measure] }, error { rows[$0].measures[measure]?.unknown })
      }
      print("| \(platform.id) | \(cells.joined(separator: " | ")) |")
    }
  }

  private func printErrors(_ platforms: [Platform], _ table: [String: [[[Row?]]]]) {
    print("Median absolute percentage error of held-out rows, repeated 5-fold (3 repeats, same folds)")
    print("BDT: the published surrogate, with its standard error; ours with the regime of the row unknown and known\n")
    print("| platform | measure | BDT (SE) | ours, unknown | ours, known | within BDT + SE |")
    print("| --- | --- | --- | --- | --- | --- |")
    var logs: [String: [Double]] = [:]
    for platform in platforms {
      guard let base = baseline[platform.id], let repeats = table[platform.id] else { continue }
      for (measure, name) in ["latency", "energy", "peak power"].enumerated() {
        var errors: (bdt: [[Double]], unknown: [[Double]], known: [[Double]]) = ([], [], [])
        for (repetition, rows) in repeats.enumerated() {
          let present = rows.enumerated().compactMap { index, row in row[measure].map { (index, $0) } }
          errors.bdt.append(
            present.map { abs(base.predictions[repetition][$0.0][measure] / $0.1.measured - 1) })
          errors.unknown.append(present.map { abs($0.1.unknown / $0.1.measured - 1) })
          errors.known.append(present.map { abs($0.1.known / $0.1.measured - 1) })
        }
        func figure(_ errors: [[Double]]) -> Double { 100 * Statistics.mean(errors.map { Statistics.median($0) }) }
        let standardError = bootstrapError(errors.bdt)
        let (bdt, unknown, known) = (figure(errors.bdt), figure(errors.unknown), figure(errors.known))
        let kind = measure < 2 ? "cost" : "peak"
        logs[kind + " unknown", default: []].append(log(unknown / bdt))
        logs[kind + " known", default: []].append(log(known / bdt))
        print(
          "| \(platform.id) | \(name) | "
            + String(format: "%.1f (%.1f) | %.1f | %.1f | ", bdt, standardError, unknown, known)
            + (max(unknown, known) <= bdt + standardError ? "yes |" : "**no** |"))
      }
    }
    print("\nGeometric mean of the ratio to BDT (goals: 0.45 latency and energy, 0.90 peak power)")
    for key in ["cost unknown", "cost known", "peak unknown", "peak known"] {
      print(String(format: "  %@: %.3f", key, exp(Statistics.mean(logs[key] ?? []))))
    }
  }

  /// Standard error of the median error: of the rows by bootstrap, on the percent scale.
  private func bootstrapError(_ errors: [[Double]]) -> Double {
    var random = CounterRandom(seed: 0, stream: 9)
    let count = errors.first?.count ?? 0
    let figures = (0..<500).map { _ in
      let rows = (0..<count).map { _ in random.nextIndex(below: count) }
      return 100 * Statistics.mean(errors.map { errors in Statistics.median(rows.map { errors[$0] }) })
    }
    return Statistics.standardDeviation(figures)
  }

  private func printIntervals(_ table: [String: [[[Row?]]]]) {
    print("\n90 % intervals of latency and energy, nested, platforms with 60 rows or more")
    print("Score: width + 20 × miss over the measured value (Winkler), mean over rows\n")
    print("| platform | measure | score unknown (coverage) | score known (coverage) | BDT constant / relative / log |")
    print("| --- | --- | --- | --- | --- |")
    var pooled: [String: [Double]] = [:]
    var scores: [String: [Double]] = [:]
    for id in Platform.large {
      guard let base = baseline[id], let repeats = table[id] else { continue }
      for (measure, name) in ["latency", "energy"].enumerated() {
        var line: [String: [(score: Double, inside: Double)]] = [:]
        for (repetition, rows) in repeats.enumerated() {
          for (index, row) in rows.enumerated() {
            guard let row = row[measure] else { continue }
            line["unknown", default: []].append(winkler(row.unknownBounds, row.measured))
            line["known", default: []].append(winkler(row.knownBounds, row.measured))
            for kind in 0..<3 {
              let bounds = base.intervals[repetition][index][measure][kind]
              line["bdt \(kind)", default: []].append(winkler((bounds[0], bounds[1]), row.measured))
            }
          }
        }
        func mean(_ key: String) -> Double { Statistics.mean((line[key] ?? []).map(\.score)) }
        func coverage(_ key: String) -> Double { 100 * Statistics.mean((line[key] ?? []).map(\.inside)) }
        for key in line.keys {
          scores[key, default: []].append(mean(key))
          pooled[key, default: []] += (line[key] ?? []).map(\.inside)
        }
        print(
          "| \(id) | \(name) | "
            + String(
              format: "%.3f (%.0f %%) | %.3f (%.0f %%) | %.2f / %.2f / %.2f |", mean("unknown"), coverage("unknown"),
              mean("known"), coverage("known"), mean("bdt 0"), mean("bdt 1"), mean("bdt 2")))
      }
    }
    func score(_ key: String) -> Double { Statistics.mean(scores[key] ?? []) }
    let names = ["constant", "relative", "log"]
    for (kind, name) in names.enumerated() {
      print(
        String(
          format: "BDT %@ width: score %.3f, coverage %.1f %%; ours to it: unknown %.3f, known %.3f", name,
          score("bdt \(kind)"), 100 * Statistics.mean(pooled["bdt \(kind)"] ?? []),
          score("unknown") / score("bdt \(kind)"), score("known") / score("bdt \(kind)")))
    }
    for key in ["unknown", "known"] {
      print(
        String(
          format: "ours %@: score %.3f, pooled coverage %.1f %%", key, score(key),
          100 * Statistics.mean(pooled[key] ?? [])))
    }
  }

  private func winkler(_ bounds: (Double, Double), _ value: Double) -> (score: Double, inside: Double) {
    let miss = max(0, bounds.0 - value) + max(0, value - bounds.1)
    return ((bounds.1 - bounds.0 + 20 * miss) / value, miss == 0 ? 1 : 0)
  }
}
