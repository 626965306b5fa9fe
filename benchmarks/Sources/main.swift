import Architectures
@testable import Calibration
import Foundation
import Measurements
import Numerics
import Twins

let data = ProcessInfo.processInfo.environment["EDGETWIN_DATA"] ?? ""
struct Baseline: Codable { var folds: [[Int]]; var predictions: [[[Double]]] }
let bdt = try JSONDecoder().decode([String: Baseline].self, from: Data(contentsOf: URL(fileURLWithPath: CommandLine.arguments[1])))
let rows = try ProTranImporter.read(data + "/protran")
let byDevice = Dictionary(grouping: rows, by: \.device)
var logsU: [Double] = [], logsK: [Double] = []
let start = Date()
for (device, rows) in byDevice.sorted(by: { $0.key < $1.key }) {
  guard let base = bdt[device] else { continue }
  let variant: RuntimeVariant = device == "m1-pro-gpu" ? .protranTensorFlow : device == "ncs2" ? .protranOpenVINO : .protranEager
  let series = Series(rows: rows, variant: variant)
  let table = FeatureTable(features: series.features, sets: FeatureSet.standard(pagingOnset: device.hasPrefix("jetson-nano") ? 3e8 : (ProcessInfo.processInfo.environment["KNEES"] != nil ? 3e8 : nil)))
  var line = device.padding(toLength: 16, withPad: " ", startingAt: 0)
  for (m, values) in [series.latencySeconds, series.energyJoules].enumerated() {
    let y = values.map { $0 ?? 1 }
    var u = 0.0, k = 0.0, b = 0.0
    for (rep, folds) in base.folds.enumerated() {
      var eu = [Double](repeating: 0, count: y.count), ek = eu, eb = eu
      for fold in 0..<5 {
        let train = y.indices.filter { folds[$0] != fold }, test = y.indices.filter { folds[$0] == fold }
        let fit = try SeriesFit(table: table.selecting(train), values: train.map { y[$0] }, orders: train.map { series.orders[$0] })
        let pu = fit.logPredictions(table.selecting(test)), pk = fit.logPredictions(table.selecting(test), orders: test.map { series.orders[$0] })
        for (i, row) in test.enumerated() {
          eu[row] = abs(exp(pu[i]) / y[row] - 1)
          ek[row] = abs(exp(pk[i]) / y[row] - 1)
          eb[row] = abs(base.predictions[rep][row][m] / y[row] - 1)
        }
      }
      u += 100 * Statistics.median(eu) / 3; k += 100 * Statistics.median(ek) / 3; b += 100 * Statistics.median(eb) / 3
    }
    line += String(format: "%5.1f %5.1f %5.1f | ", b, u, k)
    logsU.append(log(u / b)); logsK.append(log(k / b))
  }
  print(line)
}
print("GM unknown \(exp(Statistics.mean(logsU))) known \(exp(Statistics.mean(logsK))), \(Date().timeIntervalSince(start)) s")
