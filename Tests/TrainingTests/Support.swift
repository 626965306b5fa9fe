import Architectures
import Kernels
import ModelFiles
import Numerics

@testable import Training

/// Two architectures over every operation: all seven kinds of heads in one layer, a second layer of another head size, stacks, and with relative
/// positions a join. `large` has sequences that need several blocks of rows in every kernel.
enum Example: String, CaseIterable, Sendable {
  case relative
  case absolute
  case large

  static let small: [Example] = [.relative, .absolute]

  var architecture: Architecture {
    let seven = HeadOperation.allCases
    let layers: [Architecture.Layer] =
      switch self {
      case .relative:
        [
          Architecture.Layer(hiddenSize: 12, headSize: 5, heads: seven, feedForward: [9, 14, 7]),
          Architecture.Layer(
            hiddenSize: 10, headSize: 18, heads: [.discreteFourier, .convolution9], feedForward: [11]),
        ]
      case .absolute:
        [
          Architecture.Layer(hiddenSize: 12, headSize: 4, heads: seven.reversed(), feedForward: [10]),
          Architecture.Layer(
            hiddenSize: 12, headSize: 6, heads: [.weightedMultiplicative, .discreteCosine, .scaledDotProduct],
            feedForward: [8, 13]),
        ]
      case .large:
        [
          Architecture.Layer(hiddenSize: 48, headSize: 20, heads: seven, feedForward: [100]),
          Architecture.Layer(hiddenSize: 33, headSize: 16, heads: seven, feedForward: [40, 30]),
        ]
      }
    return Architecture(
      vocabularySize: self == .large ? 130 : 17, maximumPositions: self == .large ? 130 : 11, typeVocabularySize: 2,
      position: self == .absolute ? .absolute : .relativeKey, layers: layers)
  }

  var lengths: [Int] { self == .large ? [130, 49, 97, 1, 60, 12, 33, 75, 2, 20] : [7, 1, 11, 2, 4] }

  /// Weights so large that every operation matters.
  func model(labels: Int = 3, ownDecoder: Bool = false, spread: Double = 0.4) -> Model {
    let architecture = architecture
    var tensors: [String: Tensor] = [:]
    for (index, specification) in architecture.tensorSpecifications(
      labels: labels, maskedLanguageModel: true, tiesDecoder: !ownDecoder
    ).enumerated() {
      var random = CounterRandom(seed: 3, stream: UInt64(index))
      let isScale = specification.name.hasSuffix("LayerNorm.weight")
      let values = (0..<specification.shape.reduce(1, *)).map { _ in
        Float((isScale ? 1 : 0) + spread * random.nextNormal())
      }
      tensors[specification.name] = Tensor(shape: specification.shape, values: values)
    }
    return Model(architecture: architecture, weights: ModelWeights(tensors), labels: labels)
  }

  func batch(_ chosen: [Int]? = nil) throws -> TokenBatch {
    let architecture = architecture
    var random = CounterRandom(seed: 4)
    var sequences: [[Int32]] = []
    var types: [[Int32]] = []
    for length in lengths {
      sequences.append((0..<length).map { _ in Int32(random.nextIndex(below: architecture.vocabularySize)) })
      types.append((0..<length).map { _ in Int32(random.nextIndex(below: 2)) })
    }
    let indices = chosen ?? Array(lengths.indices)
    return try TokenBatch(sequences: indices.map { sequences[$0] }, types: indices.map { types[$0] })
  }

  /// Targets for the batch of all sequences.
  func targets(_ head: TrainingHead, everyWord: Bool = false) -> TrainingTargets {
    var random = CounterRandom(seed: 5)
    switch head {
    case .classification: return .classes(lengths.map { _ in Int32(random.nextIndex(below: 3)) })
    case .regression: return .values(lengths.map { _ in Float(random.nextNormal()) })
    case .maskedLanguageModel:
      let count = lengths.reduce(0, +)
      let words = (0..<count).map { _ in Int32(random.nextIndex(below: architecture.vocabularySize)) }
      if everyWord { return .allWords(words) }
      let tokens = (0..<count).filter { _ in random.nextUniform() < 0.4 }
      return .words(tokens.map { words[$0] }, tokens: tokens.map { Int32($0) })
    }
  }
}

func bits(_ tensor: Tensor?) -> [UInt32] { tensor?.values.map(\.bitPattern) ?? [] }

/// The message of a kernel error; nil where nothing was thrown.
func kernelMessage(_ kind: KernelError.Kind, _ body: () throws -> some Any) -> String? {
  do {
    _ = try body()
    return nil
  } catch {
    guard let error = error as? KernelError, error.kind == kind else { return "another error: \(error)" }
    return error.description
  }
}
