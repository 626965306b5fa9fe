import Architectures
import Foundation
import Numerics
import Testing

@testable import Twins

@Suite struct RoofWeightTests {
  private static let weights = Roofs.Weights(
    cachedBytes: 8e6, streamedBytes: 20e6,
    waits: [
      .init(tokens: 32, threads: 1, secondsPerByte: 1e-10), .init(tokens: 128, threads: 1, secondsPerByte: 2e-11),
      .init(tokens: 32, threads: 2, secondsPerByte: 4e-11),
    ])

  private func file(_ weights: Roofs.Weights?) throws -> DeviceFile {
    var file = try Library.file("rpi4-cpu")
    file.device.compute.fp16 = nil
    file.device.roofs = Roofs(
      products: [.init(m: 128, k: 256, n: 256, threads: 1, flopsPerSecond: 5e10)], weights: weights,
      provenance: .measured)
    file.runtimes["native"] = .init(variant: .native)
    return file
  }

  /// Of hidden size 512: 12·512² weights a layer, 12.6 MB.
  private func model(layers: Int) -> Architecture {
    let layer = Architecture.Layer(
      hiddenSize: 512, headSize: 64, heads: .init(repeating: .scaledDotProduct, count: 8), feedForward: [2_048])
    return Architecture(
      vocabularySize: 1_000, maximumPositions: 512, typeVocabularySize: 2, position: .absolute,
      layers: .init(repeating: layer, count: layers))
  }

  @Test func waitsAreInterpolatedOverRows() {
    let weights = Self.weights
    func wait(_ tokens: Double, _ threads: Int = 1) -> Double {
      weights.secondsPerByte(tokens: tokens, threads: threads) ?? .nan
    }
    #expect(wait(8) == 1e-10 && wait(32) == 1e-10 && wait(128) == 2e-11 && wait(4_096) == 2e-11)
    #expect(abs(wait(64) - 6e-11) < 1e-20)
    #expect(wait(500, 2) == 4e-11 && wait(500, 8) == 4e-11)
    #expect(Roofs.Weights(cachedBytes: 1, streamedBytes: 2, waits: []).secondsPerByte(tokens: 1, threads: 1) == nil)
  }

  @Test func modelsThatFillTheCacheWaitOnceACall() throws {
    /// Of the layers and the pooler.
    func bytes(layers: Int) throws -> Double {
      try Twin(file: try file(nil), runtime: "native").features(of: model(layers: layers))[.encoderParameterBytes]
    }
    func seconds(_ weights: Roofs.Weights?, layers: Int, length: Int, batch: Int = 1) throws -> Double {
      let settings = Settings(batchSize: batch, sequenceLength: length, threads: 1)
      let twin = try Twin(file: try file(weights), runtime: "native", settings: settings)
      return try twin.predict(model(layers: layers)).costs.latencySeconds.median * Double(batch)
    }
    var none = Self.weights
    none.waits = [.init(tokens: 1, threads: 1, secondsPerByte: 0)]
    for (length, batch, wait) in [(32, 1, 1e-10), (32, 4, 2e-11), (128, 1, 2e-11)] {
      let more = try seconds(Self.weights, layers: 4, length: length, batch: batch)
      let less = try seconds(none, layers: 4, length: length, batch: batch)
      // Four layers are beyond what is cached.
      #expect(abs((more - less) / (wait * (try bytes(layers: 4))) - 1) < 1e-6)
    }
    // One layer is on the way from all cached to none.
    let one = try seconds(Self.weights, layers: 1, length: 32) - seconds(none, layers: 1, length: 32)
    let some = try bytes(layers: 1)
    #expect(some > 12.5e6 && some < 15e6)
    #expect(abs(one / (1e-10 * some * (some - 8e6) / 12e6) - 1) < 1e-6)
  }

  @Test func theFastPathWaitsAsLong() throws {
    let twin = try Twin(
      file: try file(Self.weights), runtime: "native", settings: Settings(batchSize: 2, sequenceLength: 16, threads: 1))
    let compiled = CompiledTwin(twin)
    for seed in UInt64(0)..<20 {
      var random = CounterRandom(seed: seed)
      let point = DesignSpace.flexibert2.randomPoint(using: &random)
      let architecture = DesignSpace.flexibert2.architecture(of: point)
      let slow = twin.costs(of: twin.features(of: architecture), level: 0.9).latencySeconds.median
      #expect(abs(compiled.predict(point).latencySeconds.median / slow - 1) < 1e-9)
    }
  }

  @Test func filesHoldThemAndRefuseNonsense() throws {
    func read(_ weights: Roofs.Weights) throws -> Roofs.Weights? {
      let text = String(decoding: try JSONEncoder().encode(try file(weights)), as: UTF8.self)
      return try DeviceFile(yaml: text, name: "a.yaml").device.roofs?.weights
    }
    #expect(try read(Self.weights) == Self.weights)
    for (wrong, problem) in [
      (Roofs.Weights(cachedBytes: 8e6, streamedBytes: 8e6, waits: []), "streamed_bytes"),
      (Roofs.Weights(cachedBytes: -1, streamedBytes: 8e6, waits: []), "cached_bytes"),
      (.init(cachedBytes: 1, streamedBytes: 2, waits: [.init(tokens: 0, threads: 1, secondsPerByte: 0)]), "waits 0"),
      (.init(cachedBytes: 1, streamedBytes: 2, waits: [.init(tokens: 1, threads: 1, secondsPerByte: -1)]), "waits 0"),
    ] {
      #expect {
        _ = try read(wrong)
      } throws: {
        "\($0)".contains("weights") && "\($0)".contains(problem)
      }
    }
  }
}
