import Architectures
import Testing

@Suite struct ArchitectureTests {
  static let sample = Architecture.flexibert([
    Architecture.Layer(
      hiddenSize: 256, headSize: 64,
      heads: [.scaledDotProduct, .scaledDotProduct, .discreteFourier, .convolution5],
      feedForward: [1024, 512]),
    Architecture.Layer(
      hiddenSize: 128, headSize: 64, heads: [.weightedMultiplicative, .convolution13], feedForward: [256]),
  ])

  /// The hash of the canonical text by an independent FNV-1a.
  @Test func identifierIsPinned() {
    #expect(
      Self.sample.canonicalText
        == "v50265 p514 t1 relative_key|h256 d64 sa_sdp,sa_sdp,l_dft,c_5 f1024,512|h128 d64 sa_wma,c_13 f256")
    #expect(Self.sample.id == "407b5a5304e670fc")
  }

  @Test func identifierSeesEveryField() {
    var variants = [Self.sample]
    let changes: [(inout Architecture) -> Void] = [
      { $0.vocabularySize += 1 }, { $0.maximumPositions += 1 }, { $0.typeVocabularySize += 1 },
      { $0.position = .absolute }, { $0.layers[0].hiddenSize += 1 }, { $0.layers[0].headSize += 1 },
      { $0.layers[0].heads.swapAt(0, 3) }, { $0.layers[1].feedForward = [25, 6] }, { $0.layers.removeLast() },
      { $0.layers.swapAt(0, 1) },
    ]
    for change in changes {
      var variant = Self.sample
      change(&variant)
      variants.append(variant)
    }
    #expect(Set(variants.map(\.id)).count == changes.count + 1)
    #expect(variants.allSatisfy { $0.id.count == 16 })
  }

  @Test func validationNamesTheField() throws {
    #expect(try Self.sample.validated() == Self.sample)
    let faults: [(String, (inout Architecture) -> Void)] = [
      ("vocabulary_size", { $0.vocabularySize = 0 }),
      ("maximum_positions", { $0.maximumPositions = -1 }),
      ("type_vocabulary_size", { $0.typeVocabularySize = 0 }),
      ("number of layers", { $0.layers = [] }),
      ("number of layers", { $0.layers = Array(repeating: $0.layers[0], count: 1001) }),
      ("layers[0].hidden_size", { $0.layers[0].hiddenSize = 1_000_001 }),
      ("layers[1].head_size", { $0.layers[1].headSize = 0 }),
      ("layers[1].heads (their number)", { $0.layers[1].heads = [] }),
      ("layers[0].heads (number times head_size)", { $0.layers[0].headSize = 500_000 }),
      ("layers[0].feed_forward (its length)", { $0.layers[0].feedForward = [] }),
      ("layers[0].feed_forward[1]", { $0.layers[0].feedForward[1] = -5 }),
    ]
    for (field, change) in faults {
      var variant = Self.sample
      change(&variant)
      let error = #expect(throws: ArchitectureError.self) { try variant.validated() }
      #expect(error?.field == field)
    }
  }

  /// The largest architecture that passes does not overflow.
  @Test func theLimitsKeepCountsWithin64Bits() throws {
    let layer = Architecture.Layer(
      hiddenSize: 1_000_000, headSize: 1_000_000, heads: [.convolution13],
      feedForward: Array(repeating: 1_000_000, count: 64))
    let largest = try Architecture(
      vocabularySize: 1_000_000, maximumPositions: 1_000_000, typeVocabularySize: 1_000_000,
      position: .relativeKey, layers: Array(repeating: layer, count: 1000)
    ).validated()
    #expect(largest.parameterCount(.protran).total > 60_000_000_000_000_000)
  }
}
