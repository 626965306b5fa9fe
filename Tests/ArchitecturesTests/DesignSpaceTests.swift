import Architectures
import BigInt
import Numerics
import Testing

@Suite struct DesignSpaceTests {
  let space = DesignSpace.flexibert2

  @Test func flexibertHasItsPublishedSize() {
    #expect(space.feedForwardStackCount == 258 && space.headCombinationCount == 21_805)
    #expect(space.layerCardinality == 22_502_760)
    #expect(
      space.cardinality
        == BigInt(
          "16858908734132497780908867493333806257614075489378357347998921892214947867599639413377600",
          radix: 10))
    #expect(space.embeddingDimension == 37)
  }

  /// Positions in the lists that Python's itertools makes.
  @Test func numberingIsThePublishedOne() {
    #expect(space.feedForwardStack(5) == [4096] && space.feedForwardStack(6) == [256, 256])
    #expect(space.feedForwardStack(41) == [4096, 4096] && space.feedForwardStack(42) == [256, 256, 256])
    #expect(
      space.feedForwardStack(100) == [512, 2048, 3072] && space.feedForwardStack(257) == [4096, 4096, 4096])
    #expect(space.headCombination(0).counts == [2, 0, 0, 0, 0, 0, 0, 0])
    #expect(space.headCombination(27).counts == [0, 0, 0, 0, 0, 0, 2, 0])
    #expect(space.headCombination(28).counts == [4, 0, 0, 0, 0, 0, 0, 0])
    #expect(space.headCombination(238).headCount == 8 && space.headCombination(3240).headCount == 8)
    #expect(space.headCombination(10_000).counts == [2, 1, 1, 0, 3, 3, 2, 0])
    #expect(space.headCombination(21_804).counts == [0, 0, 0, 0, 0, 0, 12, 0])
  }

  @Test func everyHeadCombinationFindsItsNumber() throws {
    let small = try smallSpace()
    for space in [space, small] {
      for (index, combination) in space.headCombinations.enumerated() {
        guard space.headCombinationIndex(of: combination) == index else {
          Issue.record(
            "combination \(index) is numbered \(String(describing: space.headCombinationIndex(of: combination)))"
          )
          break
        }
      }
    }
    #expect(space.headCombinationIndex(of: HeadCombination([.convolution5])) == nil)
    #expect(small.headCombinationIndex(of: HeadCombination([.convolution9])) == nil)
    #expect(
      space.headCombinationIndex(
        of: HeadCombination(Array(repeating: HeadOperation.convolution5, count: 258)))
        == nil)
  }

  /// The numbering follows the lists as given, also where they are not ascending.
  @Test func aSmallSpaceIsEnumerated() throws {
    let small = try smallSpace()
    #expect(small.feedForwardStacks == [[32], [16], [32, 32], [32, 16], [16, 32], [16, 16]])
    #expect(small.headCombinationCount == 5 && small.layerCardinality == 60)
    #expect(small.cardinality == 60 + 3600)
    #expect(small.embeddingDimension == 7)
    let architecture = small.architecture(
      of: DesignPoint(layers: [DesignPoint.Layer(hidden: 1, feedForward: 3, heads: 3)]))
    #expect(architecture.layers[0].heads == [.convolution5, .scaledDotProduct])
    #expect(architecture.layers[0].headSize == 64 && architecture.layers[0].feedForward == [32, 16])
  }

  @Test func headSizesRoundDown() {
    let twelve = 3241
    let point = DesignPoint(
      layers: Array(repeating: DesignPoint.Layer(hidden: 0, feedForward: 0, heads: twelve), count: 2))
    #expect(space.architecture(of: point).layers[0].headSize == 10)
  }

  @Test func randomPointsRoundTrip() throws {
    for point in try space.sample(count: 500, seed: 7, method: .random)
      + smallSpace().sample(count: 0, seed: 1)
    {
      #expect(space.contains(point))
      var architecture = space.architecture(of: point)
      #expect(try architecture.validated() == architecture)
      for index in architecture.layers.indices { architecture.layers[index].heads.reverse() }
      #expect(space.point(of: architecture) == point)
      let embedding = space.embedding(of: point)
      #expect(try space.point(ofEmbedding: embedding) == point)
      #expect(space.nearestPoint(toEmbedding: embedding.map(Double.init)) == point)
    }
  }

  @Test(
    .enabled(if: PublishedData.isPresent, "EDGETWIN_DATA names no folder"),
    arguments: [
      "cpu_jetson-nano_b1_r1", "cpu_m1-pro_b32_r1", "cpu_rpi_b1_r1", "gpu_a100_b128_r3",
      "gpu_jetson-nano_b1_r1",
      "gpu_m1-pro_b32_r3", "npu_ncs_b1_r1",
    ])
  func everyPublishedEmbeddingAgrees(platform: String) throws {
    let rows = try PublishedData.rows("protran/results_\(platform)/dataset/dataset.json")
    #expect(!rows.isEmpty)
    for (hash, row) in rows {
      let architecture = try #require(row.architecture)
      let point = try #require(space.point(of: architecture), "\(hash)")
      #expect(space.embedding(of: point) == row.numbers, "\(hash)")
      #expect(space.architecture(of: try space.point(ofEmbedding: row.numbers)) == architecture, "\(hash)")
    }
  }

  @Test func foreignArchitecturesHaveNoPoint() {
    let point = DesignPoint(
      layers: [
        DesignPoint.Layer(hidden: 1, feedForward: 9, heads: 400), .init(hidden: 0, feedForward: 0, heads: 0),
      ])
    let member = space.architecture(of: point)
    #expect(space.point(of: member) == point)
    let changes: [(inout Architecture) -> Void] = [
      { $0.vocabularySize = 30_522 }, { $0.position = .absolute }, { $0.layers.removeLast() },
      { $0.layers[0].hiddenSize = 384 }, { $0.layers[0].headSize += 1 }, { $0.layers[0].heads.removeLast() },
      { $0.layers[0].feedForward = [100] }, { $0.layers[0].feedForward = [256, 256, 256, 256] },
      { $0.layers[0].feedForward = [] }, { $0.layers[0].heads = [] },
    ]
    for (index, change) in changes.enumerated() {
      var other = member
      change(&other)
      #expect(space.point(of: other) == nil, "change \(index)")
    }
  }

  @Test func badEmbeddingsAreNamed() {
    var embedding = [Int](repeating: 0, count: 37)
    #expect(throws: Never.self) { try space.point(ofEmbedding: embedding) }
    #expect(throws: DesignSpaceError.self) { try space.point(ofEmbedding: [0, 1]) }
    embedding[7] = 1
    #expect(throws: DesignSpaceError.embedding(index: 7, reason: "1 beyond layer 2, where 0 is expected")) {
      try space.point(ofEmbedding: embedding)
    }
    embedding[7] = 0
    embedding[3] = 21_805
    #expect(throws: DesignSpaceError.embedding(index: 3, reason: "21805 is not within 0 to 21804")) {
      try space.point(ofEmbedding: embedding)
    }
    embedding[3] = -1
    #expect(throws: DesignSpaceError.self) { try space.point(ofEmbedding: embedding) }
  }

  /// Against the distance to every point of a space that can be enumerated.
  @Test func nearestPointIsNearest() throws {
    let small = try smallSpace()
    let layers = (0..<60).map { DesignPoint.Layer(hidden: $0 / 30, feedForward: $0 / 5 % 6, heads: $0 % 5) }
    var all = layers.map { DesignPoint(layers: [$0]) }
    for first in layers { all += layers.map { DesignPoint(layers: [first, $0]) } }
    let embeddings = all.map { small.embedding(of: $0).map(Double.init) }
    func distance(_ a: [Double], _ b: [Double]) -> Double {
      zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    }
    var random = CounterRandom(seed: 3)
    for _ in 0..<100 {
      let target = small.embeddingMaxima.map { 1.5 * random.nextNormal() + 0.4 * Double($0) }
      let found = small.embedding(of: small.nearestPoint(toEmbedding: target)).map(Double.init)
      let least = embeddings.map { distance($0, target) }.min() ?? 0
      #expect(abs(distance(found, target) - least) < 1e-9)
    }
    let odd = small.nearestPoint(toEmbedding: [.infinity, .nan, -.infinity])
    #expect(small.contains(odd) && small.contains(small.nearestPoint(toEmbedding: [])))
  }

  @Test func invalidSpacesAreRefused() {
    let faults: [(String, (inout DesignSpace.Choices) -> Void)] = [
      ("layer_counts", { $0.layerCounts = [] }), ("layer_counts", { $0.layerCounts = [2, 13] }),
      ("hidden_sizes", { $0.hiddenSizes = [0] }), ("hidden_sizes", { $0.hiddenSizes = [128, 128] }),
      ("hidden_sizes", { $0.hiddenSizes = (1...17).map { 16 * $0 } }),
      ("head_counts", { $0.headCounts = [256] }),
      ("head_counts", { $0.headCounts = [30] }), ("head_counts", { $0.headCounts = [-1] }),
      ("head_counts", { $0.hiddenSizes = [8] }), ("operations", { $0.operations = [] }),
      ("operations", { $0.operations = [.discreteCosine, .discreteCosine] }),
      ("feed_forward_widths", { $0.maximumFeedForwardStack = 5 }),
      ("feed_forward_widths", { $0.feedForwardWidths = [1_000_001] }),
      ("maximum_feed_forward_stack", { $0.maximumFeedForwardStack = 0 }),
      ("vocabulary_size", { $0.vocabularySize = 0 }), ("maximum_positions", { $0.maximumPositions = 0 }),
      ("type_vocabulary_size", { $0.typeVocabularySize = .max }),
    ]
    for (index, (field, change)) in faults.enumerated() {
      var choices = DesignSpace.Choices.flexibert2
      change(&choices)
      do {
        _ = try DesignSpace(choices)
        Issue.record("fault \(index) passed")
      } catch .invalid(let named, _) {
        #expect(named == field, "fault \(index)")
      } catch {
        Issue.record("fault \(index): \(error)")
      }
    }
  }
}
