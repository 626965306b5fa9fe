import Architectures
import ModelFiles

extension Model {
  /// A model to be timed: weights of ordinary size that are made fast. Times do not depend on what they are, as long as no sum runs into
  /// numbers that processors handle slowly (denormal or infinite).
  public static func forTiming(_ architecture: Architecture, labels: Int = 2) -> Model {
    // xorshift32 (Marsaglia 2003): all that is asked of the numbers is that they differ.
    var state: UInt32 = 2_463_534_242
    let block = (0..<4_096).map { _ -> Float in
      state ^= state << 13
      state ^= state >> 17
      state ^= state << 5
      return (Float(state >> 8) / Float(1 << 24) - 0.5) * 0.07
    }
    var tensors: [String: Tensor] = [:]
    for specification in architecture.tensorSpecifications(labels: labels, maskedLanguageModel: false) {
      let count = specification.shape.reduce(1, *)
      let values: [Float]
      switch specification.initial {
      case .zero: values = Array(repeating: 0, count: count)
      case .one: values = Array(repeating: 1, count: count)
      default:
        values = [Float](unsafeUninitializedCapacity: count) { buffer, initialised in
          block.withUnsafeBufferPointer { block in
            guard let source = block.baseAddress, let target = buffer.baseAddress else { return }
            var done = 0
            while done < count {
              let next = min(block.count, count - done)
              (target + done).initialize(from: source, count: next)
              done += next
            }
            initialised = count
          }
        }
      }
      tensors[specification.name] = Tensor(shape: specification.shape, values: values)
    }
    return Model(architecture: architecture, weights: ModelWeights(tensors), labels: labels)
  }
}
