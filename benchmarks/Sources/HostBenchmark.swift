import Architectures
import Boards
import Calibration
import Foundation
import Kernels
import Measurements
import ModelFiles
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

/// For development: every step's fastest time against its roof.
struct HostSteps {
  func run(threads: Int, seconds: Double) throws {
    var measurer = RoofMeasurer(threads: [threads], seconds: seconds / 2, cacheBytes: MachineState.lastCacheBytes())
    measurer.maximumRounds = 1000
    let roofs = try measurer.measure()
    let file = HostFacts.file(roofs: roofs)
    let settings = Settings(threads: threads)
    let twin = try Twin(file: file, runtime: "native", settings: settings)
    guard let table = twin.roofs else { return }
    let models = HostSample(twin: twin, seed: 3, longestSeconds: 0.1).draw(14)
    let sessions = try models.map { model -> InferenceSession in
      let session = try InferenceSession(
        model: Model.forTiming(model), batchSize: 1, sequenceLength: 128, options: SessionOptions(threads: threads))
      try session.load(TokenBatch(sequences: [(0..<128).map { Int32($0 * 37 % 5000) }]))
      return session
    }
    var best: [[Double]] = sessions.map { _ in [] }
    var labels: [[KernelEvent]] = sessions.map { _ in [] }
    let end = ContinuousClock.now + .seconds(seconds / 2)
    while ContinuousClock.now < end {
      for index in sessions.indices {
        sessions[index].runLoaded()
        let events = sessions[index].profile()
        labels[index] = events
        let values = events.map(\.durationSeconds)
        best[index] = best[index].isEmpty ? values : zip(best[index], values).map { min($0, $1) }
      }
    }
    var sums: [String: (Double, Double, [Double])] = [:]
    func note(_ key: String, _ measured: Double, _ predicted: Double) {
      let old = sums[key] ?? (0, 0, [])
      sums[key] = (old.0 + measured, old.1 + predicted, old.2 + [measured / predicted])
    }
    func vector(_ k: Roofs.Elementwise.Kernel, _ elements: Double) -> Double {
      (roofs.elementwise.first { $0.kernel == k }?.elementsPerSecond).map { elements / $0 } ?? 0
    }
    for (index, model) in models.enumerated() {
      var total = 0.0
      for (event, measured) in zip(labels[index], best[index]) {
        total += measured
        guard let l = event.layer else { note(event.name, measured, 1e-5); continue }
        let layer = model.layers[l]
        let (h, a) = (Double(layer.hiddenSize), Double(layer.attentionWidth))
        let big = Double(model.parameterCount(.native).total - model.vocabularySize * model.embeddingWidth) > 8e6 ? "big " : "small "
        switch event.name {
        case "query, key, value": note(big + "qkv", measured, table.productSeconds(m: 128, k: h, n: 3 * a)); note("qkv h\(Int(h))", measured, table.productSeconds(m: 128, k: h, n: 3 * a))
        case "heads":
          var p = 0.0
          for op in layer.heads {
            let f = FeatureForm(settings: settings, variant: .native, position: .relativeKey, roofs: table).head(op, headSize: Double(layer.headSize), of: Double(layer.heads.count))
            let own = f[.headSeconds] + f[.softmaxSeconds] + f[.headTasks] * table.headSeconds
            p += own
          }
          note(big + "heads", measured, p)
          note("heads d\(layer.headSize)", measured, p)
          note("heads count \(layer.heads.count)", measured, p)
        case "attention output, residual, norm": note(big + "out", measured, table.productSeconds(m: 128, k: a, n: h) + vector(.layerNorm, 128 * h))
        case "join": note("join", measured, table.productSeconds(m: 128, k: h, n: Double(model.layers[l + 1].hiddenSize)))
        case "feed forward output, residual, norm":
          note(big + "ffout", measured, table.productSeconds(m: 128, k: Double(layer.feedForward.last ?? 1), n: h) + vector(.layerNorm, 128 * h))
        default:
          if let i = event.name.split(separator: " ").dropFirst(2).first.flatMap({ Int($0.dropLast()) }) {
            let k = i == 0 ? h : Double(layer.feedForward[i - 1])
            let p = table.productSeconds(m: 128, k: k, n: Double(layer.feedForward[i])) + vector(.gelu, 128 * Double(layer.feedForward[i]))
            note(big + "ff", measured, p)
            note("ff weights \(Int(log2(4 * k * Double(layer.feedForward[i]))))", measured, p)
          }
        }
      }
      note("total", total, twin.costs(of: twin.features(of: model), level: 0.9).latencySeconds.median)
    }
    for (key, value) in sums.sorted(by: { $0.key < $1.key }) {
      print(String(format: "%@: %.3f ms, ratio of sums %.3f, median ratio %.3f (%.3f to %.3f) of %d", key, value.0 * 1e3, value.0 / value.1,
        Statistics.median(value.2), value.2.min() ?? 0, value.2.max() ?? 0, value.2.count))
    }
    print(roofs.dispatch, roofs.callSeconds ?? 0, roofs.headSeconds ?? 0, roofs.elementwise, roofs.streams)
  }
}

/// For development: sums of fastest steps at other settings against roofs.
struct HostWhatIf {
  func run(seconds: Double) throws {
    var measurer = RoofMeasurer(threads: [1, 2], seconds: seconds, cacheBytes: MachineState.lastCacheBytes())
    measurer.maximumRounds = 1000
    let file = HostFacts.file(roofs: try measurer.measure())
    try Data(try file.encodedYAML().utf8).write(to: URL(filePath: "/tmp/h/roofs.yaml"))
    let first = try Twin(file: file, runtime: "native", settings: Settings(threads: 1))
    let models = HostSample(twin: first, seed: 3, longestSeconds: 0.06).draw(9)
    for (batch, length, threads) in [(1, 128, 1), (1, 32, 1), (1, 64, 1), (1, 256, 1), (4, 128, 1), (16, 128, 1), (1, 128, 2), (1, 64, 2), (4, 128, 2)] {
      let settings = Settings(batchSize: batch, sequenceLength: length, threads: threads)
      let twin = try Twin(file: file, runtime: "native", settings: settings)
      let sessions = try models.map { model -> InferenceSession in
        let session = try InferenceSession(
          model: Model.forTiming(model), batchSize: batch, sequenceLength: length, options: SessionOptions(threads: threads))
        try session.load(TokenBatch(sequences: (0..<batch).map { b in (0..<length).map { Int32(($0 * 37 + b * 999) % 5000) } }))
        return session
      }
      var best: [[Double]] = sessions.map { _ in [] }
      var labels: [[KernelEvent]] = sessions.map { _ in [] }
      let end = ContinuousClock.now + .seconds(14)
      while ContinuousClock.now < end {
        for index in sessions.indices {
          let events = sessions[index].profile()
          labels[index] = events
          let values = events.map(\.durationSeconds)
          best[index] = best[index].isEmpty ? values : zip(best[index], values).map { min($0, $1) }
        }
      }
      var line = "B\(batch) n\(length) t\(threads):"
      for (index, model) in models.enumerated() {
        let f = twin.features(of: model)
        let total = best[index].reduce(0, +) / Double(batch)
        let heads = zip(labels[index], best[index]).filter { $0.0.kernelClass == "attention" }.reduce(0) { $0 + $1.1 } / Double(batch)
        let headsPredicted = f[.headSeconds] + f[.softmaxSeconds] + f[.headTasks] * (twin.roofs?.headSeconds ?? 0)
        let predicted = twin.costs(of: f, level: 0.9).latencySeconds.median
        line += String(format: " %.3f (h %.2f, %.0f MB, %.1f ms)", total / predicted, heads / headsPredicted, f[.encoderParameterBytes] / 1e6, total * 1e3)
      }
      print(line)
    }
  }
}
