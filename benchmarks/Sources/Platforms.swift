import Calibration
import Foundation
import Measurements
import Twins

import struct Measurements.Measurement

/// The seven profiled platforms: their files and rows.
struct Platform: Sendable {
  let file: DeviceFile
  let rows: [Measurement]

  var id: String { file.device.id }

  static let ids = [
    "rpi4-cpu", "jetson-nano-cpu", "jetson-nano-gpu", "m1-pro-cpu", "m1-pro-gpu", "a100", "ncs2",
  ]

  /// Those with 60 rows or more.
  static let large = ["rpi4-cpu", "jetson-nano-cpu", "m1-pro-cpu", "m1-pro-gpu", "a100"]

  static func all() throws -> [Platform] {
    guard let data = ProcessInfo.processInfo.environment["EDGETWIN_DATA"] else {
      throw BenchmarkError(description: "set EDGETWIN_DATA to the folder with the shared measurements")
    }
    let byDevice = Dictionary(grouping: try ProTranImporter.read(data + "/protran"), by: \.device)
    return try ids.map { id in
      var file = try DeviceFile(path: "device-models/\(id).yaml")
      // Nothing fitted before may help.
      file.runtimes["protran"]?.model = nil
      return Platform(file: file, rows: byDevice[id] ?? [])
    }
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
