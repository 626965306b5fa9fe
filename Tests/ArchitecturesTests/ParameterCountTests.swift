import Architectures
import Testing

@Suite struct ParameterCountTests {
  /// Two of the sixteen published models, with their counts in millions.
  @Test func publishedModelsInline() {
    let small = Architecture.flexibert([
      layer(768, 192, "sa_wma sa_wma c_5 c_5", [1024, 1024, 1024]),
      layer(256, 64, "sa_sdp l_dct l_dct c_13", [4096, 2048]),
      layer(768, 192, "sa_wma sa_wma l_dft l_dct", [3072, 256, 256]),
      layer(256, 64, "sa_sdp sa_wma sa_wma l_dft", [256, 4096]),
      layer(128, 32, "sa_wma sa_wma l_dct l_dct", [512, 3072, 256]),
      layer(256, 64, "l_dct c_5 c_5 c_5", [256, 256, 4096]),
    ])
    #expect(small.parameterCount(.protran).total == 70_200_390)
    let wide = Architecture.flexibert([
      layer(
        256, 21, "sa_sdp sa_sdp sa_sdp sa_wma sa_wma sa_wma l_dft l_dft l_dft l_dct l_dct c_13",
        [256, 512, 256]),
      layer(512, 42, "sa_sdp sa_sdp sa_sdp l_dct c_9 c_9 c_9 c_9 c_9 c_9 c_13 c_13", [1024, 512, 3072]),
      layer(512, 64, "sa_sdp sa_sdp sa_wma l_dft c_5 c_9 c_9 c_9", [256, 1024, 1024]),
      layer(768, 96, "sa_sdp sa_wma sa_wma sa_wma sa_wma l_dft l_dct c_5", [2048, 1024, 512]),
      layer(
        512, 42, "sa_sdp sa_sdp sa_wma sa_wma sa_wma l_dft l_dft l_dft l_dct c_5 c_9 c_9", [512, 512, 256]),
      layer(512, 42, "sa_sdp sa_sdp sa_wma sa_wma l_dft c_5 c_9 c_13 c_13 c_13 c_13 c_13", [256, 2048]),
    ])
    #expect(wide.parameterCount(.protran).total == 35_124_154)
  }

  private func layer(_ hidden: Int, _ size: Int, _ heads: String, _ feedForward: [Int]) -> Architecture.Layer {
    Architecture.Layer(
      hiddenSize: hidden, headSize: size,
      heads: heads.split(separator: " ").compactMap { HeadOperation(name: $0) }, feedForward: feedForward)
  }

  static let published: [String: Double] = [
    "f36d5c40": 70.20, "e3ea4dd7": 111.66, "cc085bb5": 103.37, "bec57821": 81.76, "2a886313": 37.40,
    "1d41e1cd": 36.56, "49ef529d": 74.44, "cbf26e71": 63.28, "dc7733ef": 69.57, "89ca0068": 110.78,
    "fb76fc6b": 102.34, "fb04cff1": 80.72, "7cf1bfa8": 37.17, "081cb169": 35.12, "ae87fe8c": 73.14,
    "9f4a1d6d": 62.82,
  ]

  @Test(.enabled(if: PublishedData.isPresent, "EDGETWIN_DATA names no folder"))
  func allSixteenPublishedModels() throws {
    let rows = try PublishedData.rows("edgetran/accuracy_dataset.json")
    #expect(rows.count == 16)
    for (hash, row) in rows {
      let architecture = try #require(row.architecture)
      let millions = Double(architecture.parameterCount(.protran).total) / 1e6
      let expected = try #require(Self.published[String(hash.prefix(8))])
      #expect((millions * 100).rounded() / 100 == expected, "\(hash)")
    }
  }

  /// Turc et al. 2019: layers to millions of parameters at hidden sizes 128, 256, 512, 768.
  static let turc: [(layers: Int, millions: [Double])] = [
    (2, [4.39, 9.59, 22.46, 38.60]), (4, [4.78, 11.17, 28.76, 52.78]), (6, [5.18, 12.75, 35.07, 66.96]),
    (8, [5.58, 14.33, 41.37, 81.13]), (10, [5.97, 15.91, 47.68, 95.31]), (12, [6.37, 17.49, 53.98, 109.48]),
  ]

  @Test func smallBertModels() {
    for (layers, millions) in Self.turc {
      for (hidden, expected) in zip([128, 256, 512, 768], millions) {
        let model = Architecture.uniform(
          layers: layers, hidden: hidden, heads: hidden / 64, feedForward: 4 * hidden)
        let count = model.parameterCount(.native).total
        #expect((Double(count) / 1e4).rounded() / 100 == expected, "\(layers) layers of \(hidden)")
        #expect(model.parameterCount(.protran).total == count)
      }
    }
  }

  @Test func knownTotals() {
    let miniLM = Architecture.uniform(layers: 6, hidden: 384, heads: 12, feedForward: 1536)
    #expect(miniLM.parameterCount(.native).total == 22_713_216)
    let bertBase = Architecture.uniform(
      layers: 12, hidden: 768, heads: 12, feedForward: 3072, vocabulary: 50_265, positions: 514, types: 1,
      position: .relativeKey)
    #expect(bertBase.parameterCount(.protran).total == 125_434_368)
    #expect(bertBase.parameterCount(.native).total == 125_434_368 - 514 * 768)
    let bert = Architecture.uniform(layers: 12, hidden: 768, heads: 12, feedForward: 3072)
    #expect(bert.parameterCount(.native).total == 109_482_240)
  }

  @Test func theBreakdownAddsUp() {
    let model = Architecture.flexibert([
      layer(128, 64, "sa_wma c_9", [256, 512]), layer(256, 64, "l_dft sa_sdp", [256]),
    ])
    let count = model.parameterCount(.native)
    #expect(count.positionEmbeddings == 0 && count.wordEmbeddings == 50_265 * 128)
    #expect(count.layers[0].join == 128 * 256 + 256 && count.layers[1].join == 0)
    #expect(count.layers[0].headOperations == 64 * 64 + 2 * 64 * 64 + 2 * 9 * 64 + 2 * 64 + 9)
    #expect(count.layers[0].feedForward == 128 * 256 + 256 + 256 * 512 + 512 + 512 * 128 + 128)
    #expect(count.layers[1].relativeDistances == 1027 * 64)
    #expect(count.pooler == 256 * 256 + 256)
    #expect(count.total == count.embeddings + count.layers[0].total + count.layers[1].total + count.pooler)
    #expect(ParameterCount.Convention.protran.description != ParameterCount.Convention.native.description)
  }
}
