import Foundation
import Measurements
import Numerics

import struct Measurements.Measurement

/// How far measurements of the same models differ from one occasion to another: what no twin can be better than. Prints Markdown.
///
/// Each file is one pass of `edgetwin measure` over the same models.
struct NoiseBenchmark {
  var paths: [String]

  private struct Key: Hashable {
    var id: String
    var threads: Int
  }

  func run() throws {
    let passes = try paths.map { try MeasurementFile.read($0) }
    var seconds: [Key: [Double]] = [:]
    var spreads: [Key: [Double]] = [:]
    var order: [Key] = []
    for row in passes.joined() {
      guard let id = row.architecture?.id, let latency = row.latencySeconds else { continue }
      let key = Key(id: id, threads: row.threads ?? 1)
      if seconds[key] == nil { order.append(key) }
      seconds[key, default: []].append(latency)
      if let spread = row.spreadSeconds { spreads[key, default: []].append(spread / latency) }
    }
    print(
      "| model | threads | latency, median of passes | repeats of a pass scatter by | passes scatter by | slowest over fastest pass |\n"
        + "| --- | ---: | ---: | ---: | ---: | ---: |")
    var differences: [Int: [Double]] = [:]
    for key in order {
      let own = seconds[key] ?? []
      guard own.count > 1, let least = own.min(), let most = own.max() else { continue }
      let median = Statistics.median(own)
      let logs = own.map { log($0) }
      for (index, value) in logs.enumerated() {
        differences[key.threads, default: []] += logs.dropFirst(index + 1).map { abs($0 - value) }
      }
      print(
        "| \(key.id.prefix(8)) | \(key.threads) | \(String(format: "%.3g ms", median * 1e3)) |"
          + " \(Self.percent(Statistics.median(spreads[key] ?? [0]))) |"
          + " \(Self.percent(1.4826 * Statistics.medianAbsoluteDeviation(logs))) | \(Self.percent(most / least - 1)) |")
    }
    for (threads, own) in differences.sorted(by: { $0.key < $1.key }) {
      print(
        "\nTwo passes of one model on \(threads) \(threads == 1 ? "thread" : "threads") differ by"
          + " \(Self.percent(Statistics.median(own))) (median; nine in ten by less than"
          + " \(Self.percent(Statistics.quantile(ofSorted: own.sorted(), 0.9)))), over \(paths.count) passes.")
    }
  }

  private static func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }
}
