import Architectures
import Foundation
import Kernels
import ModelFiles
import Numerics
import Twins

@testable import GrowAndPrune

/// A folder that is gone after the test.
struct Folder: ~Copyable {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "growandprune-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  func path(_ name: String) -> String { url.appending(path: name).path }

  deinit { try? FileManager.default.removeItem(at: url) }
}

/// Every operation, both kinds of change in width, stacks; small.
func mixedArchitecture(_ position: Architecture.Position = .relativeKey) -> Architecture {
  Architecture(
    vocabularySize: 31, maximumPositions: 12, typeVocabularySize: 2, position: position,
    layers: [
      Architecture.Layer(hiddenSize: 28, headSize: 4, heads: HeadOperation.allCases, feedForward: [17, 9]),
      Architecture.Layer(
        hiddenSize: 12, headSize: 5,
        heads: [.convolution5, .scaledDotProduct, .convolution5, .discreteFourier], feedForward: [10]),
      Architecture.Layer(hiddenSize: 16, headSize: 8, heads: [.weightedMultiplicative], feedForward: [8, 6, 7]),
    ])
}

/// Layers of one width.
func evenArchitecture(
  layers: Int = 3, width: Int = 16, heads: Int = 4, feedForward: [Int] = [24],
  position: Architecture.Position = .absolute
) -> Architecture {
  Architecture(
    vocabularySize: 31, maximumPositions: 12, typeVocabularySize: 2, position: position,
    layers: (0..<layers).map { layer in
      Architecture.Layer(
        hiddenSize: width, headSize: width / heads,
        heads: (0..<heads).map { HeadOperation.allCases[($0 + layer) % HeadOperation.allCases.count] },
        feedForward: feedForward)
    })
}

/// A model whose weights are so large that every operation matters.
func largeModel(_ architecture: Architecture, masked: Bool = true, seed: UInt64 = 1) -> Model {
  let initial = Model.initialised(architecture, labels: 3, maskedLanguageModel: masked, seed: seed)
  var tensors: [String: Tensor] = [:]
  for (name, tensor) in initial.weights.dictionary {
    var random = CounterRandom(seed: seed, stream: UInt64(name.utf8.reduce(7) { $0 &* 31 &+ Int($1) } & 0xFFFF_FFFF))
    let isGain = name.hasSuffix("LayerNorm.weight")
    let scale =
      name.hasSuffix("bias") ? 0.3 : name.contains("embeddings") ? 1 : 1.5 / Double(tensor.shape.last ?? 1).squareRoot()
    let values = (0..<tensor.count).map { _ in
      isGain ? Float(0.5 + random.nextUniform()) : Float(scale * random.nextNormal())
    }
    tensors[name] = Tensor(shape: tensor.shape, values: values)
  }
  return Model(architecture: architecture, weights: ModelWeights(tensors), labels: 3)
}

/// Scores of some sentences, of all labels and of all words.
func scores(_ model: Model) throws -> [Float] {
  let sentences: [[Int32]] = [
    [3, 1, 4, 1, 5, 9, 2, 6], [30, 0, 7], [11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22],
  ]
  let types: [[Int32]] = [[0, 0, 0, 1, 1, 1, 1, 1], [0, 1, 0], [Int32](repeating: 1, count: 12)]
  let batch = try TokenBatch(sequences: sentences, types: types)
  var result: [Float] = []
  for head in [OutputHead.classifier, .mlm] where head == .classifier || model.hasMaskedLanguageModel {
    result += try InferenceSession(model: model, batchSize: 3, sequenceLength: 12, head: head).run(batch)
  }
  return result
}

/// Largest difference over the largest value.
func difference(_ first: Model, _ second: Model) throws -> Double {
  let (a, b) = (try scores(first), try scores(second))
  guard a.count == b.count, a.allSatisfy(\.isFinite), b.allSatisfy(\.isFinite) else { return .infinity }
  let largest = b.map { abs($0) }.max() ?? 0
  return Double((zip(a, b).map { abs($0 - $1) }.max() ?? 0) / largest)
}

extension Model {
  /// With some elements of a tensor set to a value.
  func setting(_ name: String, _ value: Float = 0, where isSet: (_ row: Int, _ column: Int) -> Bool) -> Model {
    var copy = self
    guard let tensor = weights[name] else { return self }
    let width = tensor.shape.count > 1 ? tensor.shape[1] : 1
    var values = tensor.values
    for index in values.indices where isSet(index / width, index % width) { values[index] = value }
    copy.weights[name] = Tensor(shape: tensor.shape, values: values)
    return copy
  }
}

/// A cost that is easy to reckon: a parameter a nanosecond, a nanojoule and a byte; a watt.
let countingCosts = CostModel { architecture in
  let count = Double(architecture.parameterCount(.native).total)
  return PredictedCosts(
    latencySeconds: count * 1e-9, energyJoules: count * 1e-9, peakPowerWatts: 1, memoryBytes: count,
    parameters: Int(count), keptLatencySeconds: count * 1e-9, keptEnergyJoules: count * 1e-9, keptPeakPowerWatts: 1)
}
