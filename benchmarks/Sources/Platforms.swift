import Calibration
import Foundation
import Measurements
import Twins

import struct Measurements.Measurement

/// The seven profiled platforms: their files and rows.
struct Platform: Sendable {
  let file: DeviceFile
  let rows: [Measurement]
  /// The datasheet's constants as the other six platforms give them, so that nothing of this one is in its prior.
  var prior = DatasheetPrior.standard

  var id: String { file.device.id }

  static let ids = [
    "rpi4-cpu", "jetson-nano-cpu", "jetson-nano-gpu", "m1-pro-cpu", "m1-pro-gpu", "a100", "ncs2",
  ]

  /// Those with 60 rows or more.
  static let large = ["rpi4-cpu", "jetson-nano-cpu", "m1-pro-cpu", "m1-pro-gpu", "a100"]

  static func all(withPriors: Bool = true) throws -> [Platform] {
    guard let data = ProcessInfo.processInfo.environment["EDGETWIN_DATA"] else {
      throw BenchmarkError(description: "set EDGETWIN_DATA to the folder with the shared measurements")
    }
    let byDevice = Dictionary(grouping: try ProTranImporter.read(data + "/protran"), by: \.device)
    var platforms = try ids.map { id in
      var file = try DeviceFile(path: "device-models/\(id).yaml")
      // Nothing fitted before may help.
      file.runtimes["protran"]?.model = nil
      return Platform(file: file, rows: byDevice[id] ?? [])
    }
    guard withPriors else { return platforms }
    let series = platforms.map { (file: $0.file, runtime: "protran", rows: $0.rows) }
    for index in platforms.indices {
      platforms[index].prior = try DatasheetPriorFit.fit(
        series.indices.filter { $0 != index }.map { series[$0] })
    }
    return platforms
  }
}

struct BenchmarkError: Error, CustomStringConvertible {
  var description: String
}

/// Runs `work` for every item on all cores; results in the items' order.
func concurrentMap<Item: Sendable, Result: Sendable>(
  _ items: [Item], _ work: @Sendable @escaping (Item) throws -> Result
) async throws -> [Result] {
  try await withThrowingTaskGroup(of: (Int, Result).self) { group in
    for (index, item) in items.enumerated() { group.addTask { (index, try work(item)) } }
    var results = [Result?](repeating: nil, count: items.count)
    for try await (index, result) in group { results[index] = result }
    return results.compactMap(\.self)
  }
}
