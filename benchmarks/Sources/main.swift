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
  let file = try DeviceFile(path: "device-models/\(device).yaml")
  let sheet = DatasheetTwin(device: file.device, variant: variant, sequencesPerProcess: Double(file.runtimes["protran"]!.profiled!.sequencesPerProcess), settings: series.settings)
  let lam = Double(ProcessInfo.processInfo.environment["LAM"] ?? "0") ?? 0
  let table0 = FeatureTable(features: series.features, sets: FeatureSet.standard(pagingOnset: device.hasPrefix("jetson-nano") ? 3e8 : (ProcessInfo.processInfo.environment["KNEES"] != nil ? 3e8 : nil)))
  let tables = [sheet.latency(), sheet.energy()].map { form in FeatureTable(features: series.features, sets: table0.sets.map { $0.leaning(on: form, weight: lam) }) }
  var line = device.padding(toLength: 16, withPad: " ", startingAt: 0)
  for (m, values) in [series.latencySeconds, series.energyJoules].enumerated() {
    let y = values.map { $0 ?? 1 }
    let table = tables[m]
    var u = 0.0, k = 0.0, b = 0.0
    for (rep, folds) in base.folds.enumerated() {
      var eu = [Double](repeating: 0, count: y.count), ek = eu, eb = eu
      for fold in 0..<5 {
        let train = y.indices.filter { folds[$0] != fold }, test = y.indices.filter { folds[$0] == fold }
        let fit = try SeriesFit(table: table.selecting(train), values: train.map { y[$0] }, orders: train.map { series.orders[$0] })
        var pu = fit.logPredictions(table.selecting(test)), pk = fit.logPredictions(table.selecting(test), orders: test.map { series.orders[$0] })
        if m == 1, let mix = ProcessInfo.processInfo.environment["MIX"].flatMap(Double.init) {
          let L = series.latencySeconds.map { $0! }
          let lat = try SeriesFit(table: tables[0].selecting(train), values: train.map { L[$0] }, orders: train.map { series.orders[$0] })
          let ptable = FeatureTable(features: series.features, sets: [FeatureSet("p", minimumRows: 0, [(.constant, 1, 1)], knees: [])])
          let pow = try SeriesFit(table: ptable.selecting(train), values: train.map { y[$0] / L[$0] }, orders: train.map { series.orders[$0] })
          let o = test.map { series.orders[$0] }
          let lu = lat.logPredictions(tables[0].selecting(test)), lk = lat.logPredictions(tables[0].selecting(test), orders: o)
          let wu = pow.logPredictions(ptable.selecting(test)), wk = pow.logPredictions(ptable.selecting(test), orders: o)
          for i in pu.indices { pu[i] = (1 - mix) * pu[i] + mix * (lu[i] + wu[i]); pk[i] = (1 - mix) * pk[i] + mix * (lk[i] + wk[i]) }
        }
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
if ProcessInfo.processInfo.environment["LC"] != nil {
  for device in ["rpi4-cpu", "jetson-nano-cpu", "m1-pro-cpu", "m1-pro-gpu", "a100"] {
    let variant: RuntimeVariant = device == "m1-pro-gpu" ? .protranTensorFlow : .protranEager
    let series = Series(rows: byDevice[device]!, variant: variant)
    let y = series.latencySeconds.map { $0! }
    let file = try DeviceFile(path: "device-models/\(device).yaml")
    let sheet = DatasheetTwin(device: file.device, variant: variant, sequencesPerProcess: Double(file.runtimes["protran"]!.profiled!.sequencesPerProcess), settings: series.settings)
    let lam = Double(ProcessInfo.processInfo.environment["LAM"] ?? "0") ?? 0
    let table = FeatureTable(features: series.features, sets: FeatureSet.standard(pagingOnset: device.hasPrefix("jetson-nano") ? 3e8 : nil).map { $0.leaning(on: sheet.latency(), weight: lam) })
    var line = device
    for n in [4, 8, 16, 32] {
      var errors: [Double] = []
      for draw in 0..<40 {
        var random = CounterRandom(seed: 1, stream: UInt64(draw), UInt64(n))
        let order = y.indices.shuffled(using: &random)
        let train = Array(order.prefix(n)).sorted(), test = Array(order.dropFirst(n))
        let fit = try SeriesFit(table: table.selecting(train), values: train.map { y[$0] }, orders: train.map { series.orders[$0] })
        let p = fit.logPredictions(table.selecting(test))
        errors.append(100 * Statistics.median(zip(p, test).map { abs(exp($0) / y[$1] - 1) }))
      }
      line += String(format: "  %5.1f (med %5.1f)", Statistics.mean(errors), Statistics.median(errors))
    }
    print(line)
  }
}
