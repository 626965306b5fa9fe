import Architectures
import Foundation
import Testing

@testable import Twins

@Suite struct RoofProductTests {
  private static let shapes = [
    (128, 256, 768), (128, 256, 256), (128, 256, 1024), (128, 1024, 256), (32, 256, 256), (32, 1024, 256),
    (32, 256, 768), (32, 256, 1024), (128, 128, 512), (128, 512, 128),
  ]

  /// Products at 50 GFLOP/s, those in 8-bit integers at `int8` times that, those that end in a norm with `ended` times the arithmetic.
  private func device(int8: Double? = nil, ended: Double? = nil) throws -> Device {
    var device = try Library.file("rpi4-cpu").device
    device.compute.fp16 = nil
    device.compute.int8 = nil
    func products(_ precision: Precision, _ rate: Double) -> [Roofs.Product] {
      Self.shapes.map {
        .init(m: $0.0, k: $0.1, n: $0.2, threads: 1, precision: precision, flopsPerSecond: rate)
      }
    }
    var all = products(.fp32, 5e10)
    if let int8 { all += products(.int8, int8 * 5e10) }
    if let ended {
      // With 2 ns an element for the norm.
      all += Self.shapes.filter { $0.2 <= 256 }.map { m, k, n in
        let flops = 2 * Double(m * k * n)
        return .init(
          m: m, k: k, n: n, threads: 1, isNormalised: true,
          flopsPerSecond: flops / (ended * flops / 5e10 + 2e-9 * Double(m * n)))
      }
    }
    device.roofs = Roofs(
      products: all, streams: [.init(bytes: 1e6, threads: 1, bytesPerSecond: 1e12)],
      elementwise: [.init(kernel: .layerNorm, threads: 1, elementsPerSecond: 5e8)], callSeconds: 1e-6,
      provenance: .measured)
    return device
  }

  private func form(_ device: Device, _ settings: Settings, variant: RuntimeVariant = .native) -> FeatureForm {
    FeatureForm(
      settings: settings, variant: variant, position: .relativeKey, roofs: RoofTable(device: device, settings: settings)
    )
  }

  @Test(arguments: [32, 128]) func productsThatEndInANormAreReproduced(length: Int) throws {
    let device = try device(ended: 1.6)
    let settings = Settings(sequenceLength: length, threads: 1)
    let table = RoofTable(device: device, settings: settings)
    let n = Double(length)
    let flops = 2 * n * 1024 * 256
    #expect(abs(table.productSeconds(m: n, k: 1024, n: 256) / (flops / 5e10) - 1) < 0.02)
    #expect(abs(table.normSeconds(elements: n * 256) / (2e-9 * n * 256) - 1) < 0.01)
    // The norm itself is no part of it.
    #expect(abs(table.normalisedProductSeconds(m: n, k: 1024, n: 256) / (1.6 * flops / 5e10) - 1) < 0.06)
    // The last map of a stack ends in a norm where it is fused, which is in this project's kernels.
    func feedForward(_ variant: RuntimeVariant) -> Double {
      form(device, settings, variant: variant).feedForward(hiddenSize: 256, stack: [1024])[.feedForwardSeconds]
    }
    #expect(abs(feedForward(.native) / feedForward(.onnxRuntime) - 1.3) < 0.04)
  }

  @Test func shapesThatNoneWasTimedOfFollowTheOthers() throws {
    let (with, without) = (try device(ended: 1.6), try device())
    let settings = Settings(threads: 1)
    let (a, b) = (RoofTable(device: with, settings: settings), RoofTable(device: without, settings: settings))
    // Far from every shape that ends in a norm.
    #expect(
      abs(a.normalisedProductSeconds(m: 128, k: 128, n: 8192) / a.productSeconds(m: 128, k: 128, n: 8192) - 1) < 1e-9)
    #expect(b.normalisedProductSeconds(m: 128, k: 1024, n: 256) == b.productSeconds(m: 128, k: 1024, n: 256))
  }

  @Test func lowerPrecisionIsForMapsAndNotForHeads() throws {
    let device = try device(int8: 3)
    func vector(_ precision: Precision) -> (map: FeatureVector, head: FeatureVector) {
      let form = form(device, Settings(precision: precision, threads: 1))
      return (
        form.feedForward(hiddenSize: 256, stack: [1024]), form.head(.scaledDotProduct, headSize: 64, of: 4)
      )
    }
    let (plain, quantised) = (vector(.fp32), vector(.int8))
    #expect(abs(plain.map[.feedForwardSeconds] / quantised.map[.feedForwardSeconds] - 3) < 0.05)
    #expect(abs(plain.head[.headSeconds] / quantised.head[.headSeconds] - 1) < 1e-9)
    // Activations stay floating-point numbers; weights are read from memory as bytes.
    #expect(plain.map[.activationSeconds] == quantised.map[.activationSeconds])
    #expect(plain.map[.encoderParameterBytes] == 4 * quantised.map[.encoderParameterBytes])
  }

  @Test func aPrecisionIsPredictedWhereItWasTimed() throws {
    func twin(_ device: Device, _ precision: Precision) throws -> Twin {
      try Twin(
        file: DeviceFile(device: device, runtimes: ["native": .init(variant: .native)]), runtime: "native",
        settings: Settings(precision: precision, threads: 1))
    }
    let model = DesignSpace.flexibert2.architecture(
      of: try DesignSpace.flexibert2.sample(count: 1, seed: 3)[0])
    let with = try device(int8: 3)
    let (plain, quantised) = (try twin(with, .fp32).predict(model), try twin(with, .int8).predict(model))
    #expect(quantised.costs.latencySeconds.median < 0.6 * plain.costs.latencySeconds.median)
    #expect(throws: TwinError.precision(.bf16, device: "rpi4-cpu", known: [.fp32, .int8])) { try twin(with, .bf16) }
    #expect(throws: TwinError.precision(.int8, device: "rpi4-cpu", known: [.fp32])) { try twin(try device(), .int8) }
  }

  @Test func productsSurviveAFile() throws {
    let roofs = try #require(try device(int8: 2, ended: 1.5).roofs)
    let text = String(decoding: try JSONEncoder().encode(roofs), as: UTF8.self)
    #expect(try JSONDecoder().decode(Roofs.self, from: Data(text.utf8)) == roofs)
    #expect(
      text.components(separatedBy: "\"normalised\":true").count == 1 + roofs.products.count(where: \.isNormalised))
  }

  /// A batch of small layers is taken by parts, each by one thread: so many times what one thread needs for one.
  @Test func batchesOfSmallLayersAreTakenByParts() throws {
    let device = try device(ended: 1.6)
    func layer(batch: Int, length: Int = 128, threads: Int, width: Double = 256, variant: RuntimeVariant = .native)
      -> FeatureVector
    {
      let form = form(
        device, Settings(batchSize: batch, sequenceLength: length, threads: threads), variant: variant)
      return form.feedForward(hiddenSize: width, stack: [4 * width])
        + form.head(.scaledDotProduct, headSize: width / 4, of: 4)
    }
    for feature in [Feature.denseSeconds, .vectorSeconds, .headSeconds] {
      let one = layer(batch: 1, threads: 1)[feature]
      #expect(one > 0)
      #expect(abs(layer(batch: 8, threads: 1)[feature] / one - 1) < 1e-9)
      #expect(abs(layer(batch: 8, threads: 2)[feature] / (one / 2) - 1) < 1e-9)
      // Nine parts on two threads: one of them has five.
      #expect(abs(layer(batch: 9, threads: 2)[feature] / (one * 5 / 9) - 1) < 1e-9)
      // Four short sequences are one part.
      #expect(
        abs(
          layer(batch: 16, length: 32, threads: 4)[feature] / (layer(batch: 4, length: 32, threads: 1)[feature] / 4) - 1
        ) < 1e-9)
    }
    // Weights that no cache holds are taken by all threads together, as other runtimes take all.
    func dense(_ batch: Int, _ width: Double, _ variant: RuntimeVariant) -> Double {
      layer(batch: batch, threads: 2, width: width, variant: variant)[.denseSeconds]
    }
    #expect(dense(8, 2048, .native) != dense(1, 2048, .native))
    #expect(abs(dense(8, 256, .native) / dense(8, 256, .onnxRuntime) - 1) > 1e-3)
  }
}
