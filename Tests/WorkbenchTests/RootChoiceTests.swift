import Architectures
import Testing

@testable import Workbench

@Suite struct RootChoiceTests {
  private static func finalist(layers: Int, hidden: Int, feedForward: [Int]) -> Architecture {
    Architecture(
      vocabularySize: 50_265, maximumPositions: 514, typeVocabularySize: 1, position: .relativeKey,
      layers: Array(
        repeating: .init(
          hiddenSize: hidden, headSize: hidden / 4,
          heads: [.scaledDotProduct, .discreteFourier, .convolution5, .scaledDotProduct], feedForward: feedForward),
        count: layers))
  }

  @Test func aSmallFinalistStaysAsItIs() {
    let small = Self.finalist(layers: 2, hidden: 128, feedForward: [256])
    let choice = RootChoice(small, vocabularySize: 900, positions: 128)
    var expected = small
    (expected.vocabularySize, expected.maximumPositions) = (900, 128)
    #expect(choice.architecture == expected && choice.cuts.isEmpty)
    // 2·(4·128² + 2·128·256)
    #expect(RootChoice.weights(small) == 262_144)
  }

  @Test func aLargeOneIsCutAsFarAsNeeded() throws {
    for (layers, hidden, stack) in [
      (12, 128, [512]), (4, 256, [1_024, 1_024]), (12, 768, [4_096, 4_096, 4_096]), (2, 768, [256]), (1, 4_096, [64]),
    ] {
      let large = Self.finalist(layers: layers, hidden: hidden, feedForward: stack)
      let choice = RootChoice(large, vocabularySize: 900, positions: 128)
      #expect(RootChoice.weights(choice.architecture) <= RootChoice.mostWeights, "\(choice.cuts)")
      let checked = try choice.architecture.validated()
      #expect(!choice.cuts.isEmpty && checked == choice.architecture)
      #expect(choice.architecture.layers.count == min(layers, choice.architecture.layers.count))
      #expect(choice.architecture.layers[0].heads == large.layers[0].heads)
      #expect(RootChoice(choice.architecture, vocabularySize: 900, positions: 128).cuts.isEmpty)
    }
    let deep = RootChoice(
      Self.finalist(layers: 12, hidden: 128, feedForward: [512]), vocabularySize: 900, positions: 128)
    // Six layers of 196 608 weights are what fits.
    #expect(deep.architecture.layers.count == 6 && deep.cuts == ["the first 6 of its 12 layers"])
  }
}
