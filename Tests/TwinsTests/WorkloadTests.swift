import Architectures
import Testing

@testable import Twins

/// A deterministic source of random architectures of every kind, also outside the design space.
struct ArchitectureGenerator {
  var generator = SplitMix(state: 7)

  mutating func next() -> Architecture {
    let layers = (0..<Int.random(in: 1...6, using: &generator)).map { _ in
      let heads = (0..<Int.random(in: 1...12, using: &generator)).map { _ in
        HeadOperation.allCases.randomElement(using: &generator) ?? .scaledDotProduct
      }
      return Architecture.Layer(
        hiddenSize: [64, 128, 200, 256, 768].randomElement(using: &generator) ?? 64,
        headSize: Int.random(in: 1...192, using: &generator), heads: heads,
        feedForward: (0..<Int.random(in: 1...3, using: &generator)).map { _ in
          Int.random(in: 1...4096, using: &generator)
        })
    }
    return Architecture(
      vocabularySize: 50265, maximumPositions: 514, typeVocabularySize: 1,
      position: Bool.random(using: &generator) ? .relativeKey : .absolute, layers: layers)
  }
}

struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

let bertBase = Architecture(
  vocabularySize: 30522, maximumPositions: 512, typeVocabularySize: 2, position: .absolute,
  layers: [Architecture.Layer](
    repeating: .init(
      hiddenSize: 768, headSize: 64, heads: [HeadOperation](repeating: .scaledDotProduct, count: 12),
      feedForward: [3072]), count: 12))

@Suite struct WorkloadTests {
  /// The property that binds the fast path to the explain path: the list of kernel calls sums to the closed form, class by class.
  @Test(arguments: RuntimeVariant.allCases)
  func kernelCallsSumToTheClosedForm(variant: RuntimeVariant) {
    var source = ArchitectureGenerator()
    for trial in 0..<60 {
      let architecture = source.next()
      let settings = Settings(
        batchSize: [1, 3, 32][trial % 3], sequenceLength: [1, 16, 128, 300][trial % 4],
        precision: Precision.allCases[trial % 4])
      let listed = Workload(architecture, settings: settings, variant: variant).totals
      let closed = ClosedForm(settings: settings, variant: variant, position: architecture.position)
        .total(of: architecture)
      for kernelClass in KernelClass.allCases {
        expectClose(listed[kernelClass].calls, closed[kernelClass].calls, "\(kernelClass) calls, trial \(trial)")
        expectClose(listed[kernelClass].flops, closed[kernelClass].flops, "\(kernelClass) FLOPs, trial \(trial)")
        expectClose(listed[kernelClass].bytesRead, closed[kernelClass].bytesRead, "\(kernelClass) read, trial \(trial)")
        expectClose(
          listed[kernelClass].bytesWritten, closed[kernelClass].bytesWritten, "\(kernelClass) written, trial \(trial)")
      }
    }
  }

  private func expectClose(_ a: Double, _ b: Double, _ what: String) {
    #expect(abs(a - b) <= 1e-9 * max(abs(a), abs(b)), "\(what): \(a) against \(b)")
  }

  /// BERT-Base, 128 tokens: 12 · (8·n·h² + 4·n·h·f + 4·n²·h) multiply-adds counted as two are the textbook 22.35 GFLOP.
  @Test func bertBaseProductsAreTheTextbookFigure() {
    let total = ClosedForm(settings: Settings(), variant: .native, position: .absolute).total(of: bertBase)
    let n = 128.0
    let h = 768.0
    let f = 3072.0
    let weights = 12 * n * (8 * h * h + 4 * h * f)
    let pairs = 12 * 4 * n * n * h
    #expect(total[.projection].flops == 12 * n * (8 * h * h + 4 * h))
    #expect(total[.feedForward].flops == 12 * n * (4 * h * f + f + h))
    #expect(total[.scores].flops + total[.context].flops == pairs)
    #expect((weights + pairs) / 1e9 > 22.3 && (weights + pairs) / 1e9 < 22.4)
    // Weights are read once a call whatever the batch: 85 M encoder parameters less norms, in fp32.
    let batched = ClosedForm(
      settings: Settings(batchSize: 8), variant: .native, position: .absolute
    ).total(of: bertBase)
    let activations = batched[.feedForward].bytesRead - total[.feedForward].bytesRead
    #expect(activations == 7 * 12 * 4 * n * (h + f))
  }

  /// One head a call in ProTran's program: a BERT-Base of theirs gathers 4·128²·64 bytes of distances in each of 144 heads.
  @Test func protranGathersDistancesForEveryHead() {
    var relative = bertBase
    relative.position = .relativeKey
    let work = ClosedForm(settings: Settings(), variant: .protranEager, position: .relativeKey).total(of: relative)
    #expect(work[.relativeScores].calls == 288)
    #expect(work[.relativeScores].bytesWritten == 144 * 4 * (128 * 128 * 64 + 128 * 128))
    let none = ClosedForm(settings: Settings(), variant: .protranTensorFlow, position: .relativeKey).total(of: relative)
    #expect(none[.relativeScores] == Work())
  }

  @Test func doublingTheBatchDoublesArithmeticAndHalvesNothing() {
    var source = ArchitectureGenerator()
    for variant in RuntimeVariant.allCases {
      let architecture = source.next()
      let one = ClosedForm(settings: Settings(batchSize: 4), variant: variant, position: architecture.position)
        .total(of: architecture).total
      let two = ClosedForm(settings: Settings(batchSize: 8), variant: variant, position: architecture.position)
        .total(of: architecture).total
      #expect(abs(two.flops - 2 * one.flops) <= 1e-9 * two.flops)
      #expect(two.bytes > one.bytes && two.bytes <= 2 * one.bytes)
    }
  }
}
