import Architectures
import Foundation
import Measurements
import Numerics
import Testing
import Twins

import struct Measurements.Measurement

@testable import Calibration

@Suite("Rooflines by Levenberg and Marquardt's method") struct RooflineTests {
  /// A device whose linear maps are bound by arithmetic and whose element-wise kernels are bound by memory.
  static let truth = Roofline(
    linearFLOPsPerSecond: 6e9, attentionFLOPsPerSecond: 2e9, operationFLOPsPerSecond: 1e9,
    elementwiseFLOPsPerSecond: 4e9, bytesPerSecond: 1.5e9, launchSeconds: 8e-5)
  static let constant = 0.4

  static func series(_ count: Int, sample: UInt64, noise: Double = 0.02) throws -> Series {
    let form = ClosedForm(settings: SyntheticDevice.settings, variant: .protranEager, position: .relativeKey)
    let rows = try SyntheticDevice.architectures(count, seed: sample).enumerated().map { order, model in
      var seconds = constant
      seconds += truth.seconds(form.embedding(width: Double(model.embeddingWidth), position: .relativeKey), batch: 1)
      seconds += truth.seconds(form.pooler(width: Double(model.layers.last?.hiddenSize ?? 0)), batch: 1)
      for (index, layer) in model.layers.enumerated() {
        let h = Double(layer.hiddenSize)
        seconds += truth.seconds(form.attention(hiddenSize: h, attentionWidth: Double(layer.attentionWidth)), batch: 1)
        for head in layer.heads {
          seconds += truth.seconds(form.head(head, headSize: Double(layer.headSize)), batch: 1)
        }
        seconds += truth.seconds(form.feedForward(hiddenSize: h, stack: layer.feedForward.map(Double.init)), batch: 1)
        if index + 1 < model.layers.count {
          seconds += truth.seconds(form.join(from: h, to: Double(model.layers[index + 1].hiddenSize)), batch: 1)
        }
      }
      var random = CounterRandom(seed: sample, stream: UInt64(order))
      return Measurement(
        architecture: model, device: SyntheticDevice.id, runtime: "protran", batchSize: 1, sequenceLength: 128,
        precision: "fp32", order: order, latencySeconds: seconds * exp(noise * random.nextNormal()))
    }
    return try SyntheticDevice.calibrator().series(rows).0
  }

  static func table(_ series: Series) throws -> RooflineTable {
    let calibrator = try SyntheticDevice.calibrator()
    return try #require(calibrator.data(series, datasheet: calibrator.datasheetTwin(series)).latencyTable.roofline)
  }

  @Test("rows of a roofline are predicted by one, and its linear maps' rate comes back")
  func recovers() throws {
    let train = try Self.series(60, sample: 4)
    let values = train.latencySeconds.map { $0 ?? 1 }
    let fit = try RooflineFit(try Self.table(train), values: values, knee: nil)
    let test = try Self.series(40, sample: 5, noise: 0)
    let costs = fit.costs(try Self.table(test))
    let errors = zip(costs, test.latencySeconds).map { abs($0 / ($1 ?? 1) - 1) }
    #expect(Statistics.median(errors) < 0.02)
    #expect(abs(log(fit.roofline.linearFLOPsPerSecond / Self.truth.linearFLOPsPerSecond)) < 0.25)
  }

  @Test("the analytic derivatives lead where differences do: a fit of exact values leaves nothing")
  func exact() throws {
    let train = try Self.series(50, sample: 6, noise: 0)
    let values = train.latencySeconds.map { $0 ?? 1 }
    let fit = try RooflineFit(try Self.table(train), values: values, knee: nil)
    let errors = zip(fit.costs(try Self.table(train)), values).map { abs($0 / $1 - 1) }
    #expect(Statistics.median(errors) < 0.01)
  }

  @Test(
    "the fast path agrees with the reference where a roofline is one of the forms, and where terms are times at roofs")
  func compiledAgrees() throws {
    var file = try PublishedData.file("rpi4-cpu")
    var model = try #require(file.runtimes["protran"]?.model)
    model.roofline = Self.truth
    let weight = model.latency.forms[0].weight
    model.latency.forms[0] = LinearForm(
      name: "roofline", weight: weight,
      coefficients: [
        Coefficient(feature: .constant, value: 0.5, unit: "s", provenance: .fitted, startupShare: 1),
        Coefficient(feature: .rooflineSeconds, value: 1, unit: "s/s", provenance: .fitted),
      ])
    file.runtimes["protran"]?.model = model
    // The file keeps it, too.
    let twin = try Twin(
      file: try DeviceFile(yaml: try YAMLFile.encode(file), name: "roofline"), runtime: "protran",
      settings: Settings(batchSize: 2, sequenceLength: 64))
    try expectAgreement(twin)
    let host = try Twin(
      file: try SyntheticHost().file(), runtime: "native",
      settings: Settings(batchSize: 4, sequenceLength: 64, threads: 2))
    try expectAgreement(host)
  }

  private func expectAgreement(_ twin: Twin) throws {
    let space = DesignSpace.flexibert2
    let points = try space.sample(count: 40, seed: 8)
    let compiled = CompiledTwin(twin)
    for point in points {
      let fast = compiled.predict(point).latencySeconds
      let slow = twin.costs(of: twin.features(of: space.architecture(of: point)), level: 0.9).latencySeconds
      #expect(abs(fast.median / slow.median - 1) < 1e-9)
      #expect(abs(fast.upper / slow.upper - 1) < 1e-9)
    }
  }

  @Test("an explanation shares a roofline out, and its parts sum to the whole")
  func explained() throws {
    let twin = try Twin(file: try SyntheticHost().file(), runtime: "native", settings: Settings(threads: 1))
    let model = try #require(try SyntheticDevice.architectures(1, seed: 3).first)
    let explanation = try Explanation(twin: twin, architecture: model)
    let total = explanation.layers.reduce(0) { $0 + $1.seconds }
    #expect(abs(total / explanation.prediction.costs.latencySeconds.median - 1) < 1e-6)
  }

  @Test(
    "roofs that no device has are refused where they stand",
    arguments: [
      ("m: 128", "m: 0", "roofs.products"), ("flop_per_s: 123456", "flop_per_s: -1", "roofs.products"),
      ("call_s: 0.5", "call_s: 900", "roofs.call_s"),
    ])
  func refused(good: String, bad: String, field: String) throws {
    var file = try PublishedData.file("intel-n100-cpu")
    file.device.roofs = Roofs(
      products: [.init(m: 128, k: 64, n: 32, threads: 1, flopsPerSecond: 123_456)], callSeconds: 0.5)
    let text = try YAMLFile.encode(file)
    #expect(text.contains(good), "\(text)")
    _ = try DeviceFile(yaml: text, name: "good")
    #expect {
      _ = try DeviceFile(yaml: text.replacing(good, with: bad), name: "bad")
    } throws: { error in
      (error as? YAMLFileError)?.field.hasPrefix(field) ?? false
    }
  }
}
