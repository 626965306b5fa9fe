import Architectures
import Boards
import Calibration
import Foundation
import Measurements
import Numerics
import Twins
import Workbench

import struct Measurements.Measurement

/// For development: rows against what the roofs alone say, with shares.
struct HostDebug {
  func run(device: String, rows path: String) throws {
    var file = try DeviceFile(path: device)
    file.runtimes["native"]?.model = nil
    let rows = try MeasurementFile.read(path)
    var ratios: [Int: [Double]] = [:]
    for row in rows {
      guard let model = row.architecture, let median = row.latencySeconds else { continue }
      let fast = (row.environment["call_fastest_s"].flatMap(Double.init) ?? median) / Double(row.batchSize)
      let twin = try Twin(
        file: file, runtime: "native",
        settings: Settings(batchSize: row.batchSize, sequenceLength: row.sequenceLength, threads: row.threads))
      let features = twin.features(of: model)
      let predicted = twin.costs(of: features, level: 0.9).latencySeconds.median
      let names: [(String, Feature)] = [
        ("dense", .denseSeconds), ("head", .headSeconds), ("soft", .softmaxSeconds), ("act", .activationSeconds),
        ("norm", .normalisationSeconds), ("disp", .dispatchSeconds),
      ]
      let shares = names.map { "\($0.0) \(Int(100 * features[$0.1] / predicted))" }.joined(separator: " ")
      ratios[(row.threads ?? 1) * 1000 + row.sequenceLength, default: []].append(fast / predicted)
      print(
        String(format: "%.3f ms  median/fast %.2f  fast/roofs %.3f  t%d MB %.0f  ", fast * 1e3, median / fast,
          fast / predicted, row.threads ?? 1, features[.encoderParameterBytes] / 1e6) + shares)
    }
    for (key, values) in ratios.sorted(by: { $0.key < $1.key }) {
      print(key, Statistics.median(values), Statistics.quantile(values, 0.05), Statistics.quantile(values, 0.95))
    }
  }
}
