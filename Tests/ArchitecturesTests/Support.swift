import Architectures
import Foundation

/// Published models and their embeddings: the data of EdgeTran and ProTran, where they are at hand.
enum PublishedData {
  static let folder = ProcessInfo.processInfo.environment["EDGETWIN_DATA"].map { URL(fileURLWithPath: $0) }
  static let isPresent = folder != nil

  struct Row: Decodable {
    struct Model: Decodable {
      let o: [[String]]
      let h: [Int]
      let f: [[Int]]
    }
    let model: Model
    let embedding: String

    enum CodingKeys: String, CodingKey {
      case model = "model_dict"
      case embedding
    }

    var numbers: [Int] {
      embedding.trimmingCharacters(in: CharacterSet(charactersIn: "[] ")).split(separator: ",").compactMap {
        Int($0.trimmingCharacters(in: .whitespaces))
      }
    }

    var architecture: Architecture? {
      var layers: [Architecture.Layer] = []
      for (index, names) in model.o.enumerated() {
        let parts = names.map { $0.split(separator: "_") }
        let heads = parts.compactMap { HeadOperation(name: $0.dropLast().joined(separator: "_")) }
        guard heads.count == names.count, let size = parts.first?.last.flatMap({ Int($0) }) else {
          return nil
        }
        layers.append(
          Architecture.Layer(
            hiddenSize: model.h[index], headSize: size, heads: heads, feedForward: model.f[index]))
      }
      return .flexibert(layers)
    }
  }

  static func rows(_ path: String) throws -> [String: Row] {
    guard let folder else { return [:] }
    return try JSONDecoder().decode(
      [String: Row].self, from: Data(contentsOf: folder.appendingPathComponent(path)))
  }
}

extension Architecture {
  static func flexibert(_ layers: [Layer]) -> Architecture {
    Architecture(
      vocabularySize: 50_265, maximumPositions: 514, typeVocabularySize: 1, position: .relativeKey,
      layers: layers)
  }

  /// A homogeneous encoder of scaled dot-product heads.
  static func uniform(
    layers: Int, hidden: Int, heads: Int, feedForward: Int, vocabulary: Int = 30_522, positions: Int = 512,
    types: Int = 2, position: Position = .absolute
  ) -> Architecture {
    let layer = Layer(
      hiddenSize: hidden, headSize: hidden / heads,
      heads: Array(repeating: .scaledDotProduct, count: heads), feedForward: [feedForward])
    return Architecture(
      vocabularySize: vocabulary, maximumPositions: positions, typeVocabularySize: types, position: position,
      layers: Array(repeating: layer, count: layers))
  }
}

/// A small space that can be enumerated.
func smallSpace() throws -> DesignSpace {
  try DesignSpace(
    DesignSpace.Choices(
      layerCounts: [1, 2], hiddenSizes: [64, 128], headCounts: [1, 2],
      operations: [.convolution5, .scaledDotProduct], feedForwardWidths: [32, 16], maximumFeedForwardStack: 2,
      vocabularySize: 100, maximumPositions: 32, typeVocabularySize: 2, position: .absolute))
}
