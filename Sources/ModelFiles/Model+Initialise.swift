import Architectures
import Numerics

extension Model {
  /// A model before training. Every tensor depends on the seed and its own name only: not on the order in which tensors
  /// are made, nor on what else the model has.
  ///
  /// The masked-LM decoder is tied to the word embeddings where the widths allow it.
  public static func initialised(
    _ architecture: Architecture, labels: Int?, maskedLanguageModel: Bool, seed: UInt64
  ) -> Model {
    var tensors: [String: Tensor] = [:]
    for specification in architecture.tensorSpecifications(labels: labels, maskedLanguageModel: maskedLanguageModel) {
      tensors[specification.name] = specification.initialTensor(seed: seed)
    }
    return Model(architecture: architecture, weights: ModelWeights(tensors), labels: labels)
  }
}

extension TensorSpecification {
  /// The tensor before training.
  public func initialTensor(seed: UInt64) -> Tensor {
    var random = CounterRandom(seed: seed, stream: Self.hash(name))
    let count = Tensor.elementCount(of: shape) ?? 0
    let values: [Float]
    switch initial {
    case .zero: return Tensor(shape: shape, repeating: 0)
    case .one: return Tensor(shape: shape, repeating: 1)
    case .uniform: values = (0..<count).map { _ in Float(0.2 * random.nextUniform() - 0.1) }
    case .normal: values = (0..<count).map { _ in Float(0.02 * random.nextNormal()) }
    }
    return Tensor(shape: shape, values: values) ?? Tensor(shape: shape, repeating: 0)
  }

  /// FNV-1a, 64 bits: the same on every machine and in every process, as `Hasher` is not.
  private static func hash(_ name: String) -> UInt64 {
    name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}
