import Architectures
import ModelFiles
import Testing

@testable import Kernels

/// Blocks of layers that are taken by parts of the batch.
@Suite struct BatchPartsTests {
  private static let lengths = [80, 3, 70, 80, 41, 80, 1, 79]

  private static func model() throws -> Model {
    var architecture = try Fixture.named("relative").model.architecture
    architecture.maximumPositions = 80
    return Model.initialised(architecture, labels: 2, maskedLanguageModel: true, seed: 5)
  }

  private static func batch(_ indices: [Int]) throws -> TokenBatch {
    try TokenBatch(sequences: indices.map { index in (0..<lengths[index]).map { Int32(($0 * 7 + index) % 23) } })
  }

  @Test(arguments: precisions, OutputHead.allCases)
  func partsGiveTheBitsOfTheWhole(precision: KernelPrecision, head: OutputHead) throws {
    let model = try Self.model()
    let all = Array(Self.lengths.indices)
    let alone = try all.map { index in
      try InferenceSession(
        model: model, batchSize: 1, sequenceLength: Self.lengths[index], head: head,
        options: SessionOptions(precision: precision)
      ).run(Self.batch([index]))
    }
    for threads in 1...3 {
      let session = try InferenceSession(
        model: model, batchSize: all.count, sequenceLength: 80, head: head,
        options: SessionOptions(threads: threads, precision: precision))
      for indices in [all, [0, 3, 5], [0, 2], [1, 6], [7, 0, 1, 2, 3, 4]] {
        let values = try session.run(Self.batch(indices))
        let isSame = bits(values) == bits(indices.flatMap { alone[$0] })
        #expect(isSame, "\(threads) threads, \(indices)")
      }
    }
  }

  @Test func timesOfPartsAddUpToThatOfTheWhole() throws {
    let model = try Self.model()
    for threads in 1...2 {
      let session = try InferenceSession(
        model: model, batchSize: 4, sequenceLength: 80, head: .classifier, options: SessionOptions(threads: threads))
      try session.load(Self.batch([0, 3, 5, 7]))
      let events = session.profile()
      #expect(events.allSatisfy { $0.durationSeconds >= 0 })
      for (event, next) in zip(events, events.dropFirst()) {
        #expect(abs(event.startSeconds + event.durationSeconds - next.startSeconds) < 1e-9)
      }
      // Kernels of a block have times of their own; with more threads the first may have had no part of it.
      let block = events.filter { $0.layer == 0 }.map(\.durationSeconds)
      #expect(threads > 1 || Set(block).count > 1)
    }
  }

  @Test func partsAreTakenWhereThreadsGetAsMany() {
    #expect(BatchParts.count(batchSize: 8, sequenceLength: 128) == 8)
    #expect(BatchParts.count(batchSize: 16, sequenceLength: 32) == 4)
    #expect(BatchParts.count(batchSize: 3, sequenceLength: 500) == 3)
    #expect(BatchParts.areUsed(batchSize: 8, sequenceLength: 128, threads: 2))
    #expect(!BatchParts.areUsed(batchSize: 3, sequenceLength: 128, threads: 2))
    #expect(BatchParts.areUsed(batchSize: 9, sequenceLength: 128, threads: 2))
    #expect(!BatchParts.areUsed(batchSize: 1, sequenceLength: 128, threads: 1))
    #expect(!BatchParts.areUsed(batchSize: 4, sequenceLength: 32, threads: 1))
  }
}
