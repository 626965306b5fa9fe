import Architectures
import Foundation
import Measurements
import Numerics
import Testing
import Twins

import struct Measurements.Measurement

@testable import Calibration

/// A machine that runs the `native` runtime and keeps to none of the twin's formulas: products that round up to tiles and lose rate where
/// an operand leaves the second cache, weights read from memory as far as they exceed the last one, element-wise kernels that slow down
/// out of cache, an overhead a kernel and call, two threads that are less than twice as fast, and noise.
struct SyntheticHost {
  var seed: UInt64 = 5
  var noise = 0.03
  static let cores = 2

  private func random(_ streams: UInt64...) -> Double {
    var generator = CounterRandom(seed: seed, stream: streams[0], streams[1])
    return generator.nextNormal()
  }

  /// One product, all operands in cache.
  func product(m: Double, k: Double, n: Double, threads: Int) -> Double {
    let tiles = (m / 6).rounded(.up) * 6 * (n / 16).rounded(.up) * 16 * k
    let spill = k * n * 4 > 1e6 ? 1.12 : 1.0
    let packing = 3e-11 * m * k + 1.2e-10 * k * n + 2e-10 * m * n
    let alone = 2 * tiles / 1.1e11 * spill + packing + 4e-7
    return threads == 1 ? alone : alone / 1.8 + 2e-6
  }

  /// A linear map whose weights are in memory to `missing` of their bytes.
  func linear(m: Double, k: Double, n: Double, missing: Double, threads: Int) -> Double {
    let compute = product(m: m, k: k, n: n, threads: threads)
    let reading = missing * 4 * k * n / 14e9
    return max(compute, reading) + 0.3 * min(compute, reading)
  }

  func vector(_ elements: Double, rate: Double, threads: Int) -> Double {
    let spill = elements * 4 > 1e6 ? 1.35 : 1.0
    return elements / rate * spill / (threads == 1 ? 1 : 1.9)
  }

  /// One call, without noise.
  func callSeconds(_ model: Architecture, batch: Int, length: Int, threads: Int) -> Double {
    let (b, n) = (Double(batch), Double(length))
    let tokens = b * n
    let weights = 4 * Double(model.parameterCount(.native).total - model.vocabularySize * model.embeddingWidth)
    let missing = min(1, max(0, (weights - 2.0e7) / 3.0e7))
    let dispatch = threads == 1 ? 3e-7 : 4e-6
    let side = threads == 1 ? 1.0 : 1 / 1.75
    var sum = 1.5e-5 + vector(5 * tokens * Double(model.embeddingWidth), rate: 2.5e9, threads: threads)
    for (index, layer) in model.layers.enumerated() {
      let h = Double(layer.hiddenSize)
      let d = Double(layer.headSize)
      let a = d * Double(layer.heads.count)
      func map(_ k: Double, _ columns: Double) -> Double {
        linear(m: tokens, k: k, n: columns, missing: missing, threads: threads) + dispatch
      }
      func own(_ k: Double, _ columns: Double) -> Double { b * side * product(m: n, k: k, n: columns, threads: 1) }
      sum += map(h, 3 * a) + map(a, h) + 2 * (vector(tokens * h, rate: 1.3e9, threads: threads) + dispatch)
      for head in layer.heads {
        sum += own(d, 2 * n - 1) + own(n, d) + b * vector(n * n, rate: 7e8, threads: threads)
        switch head {
        case .scaledDotProduct: sum += own(d, n)
        case .weightedMultiplicative: sum += own(d, n) + own(d, d)
        case .discreteFourier: sum += own(d, 2 * d) + own(2 * n, d)
        case .discreteCosine: sum += own(d, d) + own(n, d)
        case .convolution5, .convolution9, .convolution13:
          let taps = Double(head.taps ?? 0)
          sum += 2 * own(d, d) + own(d, taps) + b * vector(n * d * (2 + taps), rate: 3e9, threads: threads)
        }
      }
      var width = h
      for next in layer.feedForward {
        sum += map(width, Double(next)) + vector(tokens * Double(next), rate: 9e8, threads: threads)
        width = Double(next)
      }
      sum += map(width, h)
      if index + 1 < model.layers.count, model.layers[index + 1].hiddenSize != layer.hiddenSize {
        sum += map(h, Double(model.layers[index + 1].hiddenSize))
      }
    }
    return sum
  }

  /// What timing single kernels gives, with half of the noise of a model.
  func roofs() -> Roofs {
    func noisy(_ index: Int, _ threads: Int) -> Double { exp(noise / 2 * random(7, UInt64(4 * index + threads))) }
    let shapes = RoofPlan().shapes
    return Roofs(
      library: "synthetic",
      products: [1, 2].flatMap { threads in
        shapes.enumerated().compactMap { index, shape in
          if threads > 1 && shape.isOfHead { return nil }
          let seconds = product(m: Double(shape.m), k: Double(shape.k), n: Double(shape.n), threads: threads)
          return Roofs.Product(
            m: shape.m, k: shape.k, n: shape.n, threads: threads,
            flopsPerSecond: shape.flops / seconds * noisy(index, threads))
        }
      },
      streams: [1, 2].flatMap { threads in
        [(16e3, 1e11), (512e3, 5e10), (8e6, 2.5e10), (256e6, 1.4e10)].map {
          Roofs.Stream(bytes: $0.0, threads: threads, bytesPerSecond: $0.1)
        }
      },
      elementwise: [1, 2].flatMap { threads in
        [(Roofs.Elementwise.Kernel.softmax, 7e8), (.gelu, 9e8), (.layerNorm, 1.3e9)].map {
          Roofs.Elementwise(kernel: $0.0, threads: threads, elementsPerSecond: $0.1 * (threads == 1 ? 1 : 1.9))
        }
      },
      dispatch: [.init(threads: 1, seconds: 3e-7), .init(threads: 2, seconds: 4e-6)], callSeconds: 1e-5,
      cacheBytes: 3.2e7)
  }

  func file(withRoofs: Bool = true) throws -> DeviceFile {
    var file = try PublishedData.file("intel-n100-cpu")
    file.device.id = "host"
    file.device.cores?.value = Double(Self.cores)
    file.device.roofs = withRoofs ? roofs() : nil
    file.runtimes = ["native": .init(variant: .native)]
    return file
  }

  func measurement(_ model: Architecture, order: Int, batch: Int = 1, length: Int = 128, threads: Int = 1)
    -> Measurement
  {
    let seconds = callSeconds(model, batch: batch, length: length, threads: threads)
    return Measurement(
      architecture: model, device: "host", runtime: "native", batchSize: batch, sequenceLength: length,
      precision: "fp32", threads: threads, order: order,
      latencySeconds: seconds / Double(batch) * exp(noise * random(9, UInt64(order))))
  }

  /// What a calibrated file predicts against what is measured.
  struct Errors {
    var absolute: [Double] = []
    var covered = 0
    var predicted: [Double] = []
    var measured: [Double] = []

    var median: Double { Statistics.median(absolute) }
    var coverage: Double { Double(covered) / Double(absolute.count) }
  }

  static func errors(_ file: DeviceFile, on rows: [Measurement]) throws -> Errors {
    var result = Errors()
    for row in rows {
      let twin = try Twin(
        file: file, runtime: "native",
        settings: Settings(batchSize: row.batchSize, sequenceLength: row.sequenceLength, threads: row.threads))
      let model = try #require(row.architecture)
      let seconds = try #require(row.latencySeconds)
      let estimate = try twin.predict(model, level: 0.9).costs.latencySeconds
      result.absolute.append(abs(estimate.median / seconds - 1))
      if (estimate.lower...estimate.upper).contains(seconds) { result.covered += 1 }
      result.predicted.append(estimate.median)
      result.measured.append(seconds)
    }
    return result
  }
}
