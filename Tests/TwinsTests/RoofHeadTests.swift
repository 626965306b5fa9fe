import Architectures
import Foundation
import Testing

@testable import Twins

@Suite struct RoofHeadTests {
  private func device(heads: [Roofs.Head]) throws -> Device {
    var device = try Library.file("rpi4-cpu").device
    device.cores?.value = 2
    device.roofs = Roofs(heads: heads, headSeconds: 2e-7, provenance: .measured)
    return device
  }

  private func form(_ device: Device, threads: Int, length: Int = 128, batch: Int = 1) -> FeatureForm {
    let settings = Settings(batchSize: batch, sequenceLength: length, threads: threads)
    return FeatureForm(
      settings: settings, variant: .native, position: .relativeKey,
      roofs: RoofTable(device: device, settings: settings))
  }

  private func seconds(_ vector: FeatureVector, _ headSeconds: Double) -> Double {
    vector[.headSeconds] + vector[.softmaxSeconds] + vector[.headTasks] * headSeconds
  }

  @Test(arguments: HeadOperation.allCases) func measuredHeadsAreReproduced(operation: HeadOperation) throws {
    let times = [(32, 128, 4e-5), (64, 128, 7e-5), (64, 32, 1e-5)]
    let device = try device(
      heads: times.map {
        Roofs.Head(
          operation: operation, headSize: $0.0, length: $0.1, isRelative: true, threads: 1, seconds: $0.2)
      })
    for (size, length, expected) in times {
      let vector = form(device, threads: 1, length: length).head(operation, headSize: Double(size), of: 4)
      #expect(abs(seconds(vector, 2e-7) / expected - 1) < 0.01)
    }
    // Between two measured sizes.
    let between = seconds(form(device, threads: 1).head(operation, headSize: 48, of: 4), 2e-7)
    #expect(between > 4e-5 && between < 7e-5)
  }

  @Test func aThreadWithoutAHeadWaits() throws {
    let device = try device(heads: [])
    func cost(_ heads: Double, threads: Int, batch: Int = 1) -> Double {
      seconds(form(device, threads: threads, batch: batch).head(.scaledDotProduct, headSize: 64, of: heads), 0)
    }
    #expect(abs(cost(3, threads: 2) / cost(4, threads: 2) - 4.0 / 3) < 1e-9)
    #expect(abs(cost(1, threads: 2) / cost(2, threads: 2) - 2) < 1e-9)
    #expect(abs(cost(3, threads: 2, batch: 2) / cost(4, threads: 2, batch: 2) - 1) < 1e-9)
    #expect(cost(3, threads: 1) == cost(4, threads: 1))
  }

  @Test func headsSurviveAFile() throws {
    let roofs = Roofs(heads: [
      .init(operation: .convolution9, headSize: 21, length: 64, isRelative: false, threads: 2, seconds: 3e-6)
    ])
    let text = String(decoding: try JSONEncoder().encode(roofs), as: UTF8.self)
    func decoded(_ text: String) throws -> Roofs { try JSONDecoder().decode(Roofs.self, from: Data(text.utf8)) }
    #expect(try decoded(text) == roofs)
    for (from, to) in [("c_9", "c_7"), ("\"head_size\":21", "\"head_size\":0")] {
      #expect(text.contains(from))
      #expect(throws: DecodingError.self) { _ = try decoded(text.replacingOccurrences(of: from, with: to)) }
    }
  }
}
