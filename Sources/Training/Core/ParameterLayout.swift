import Architectures
import ModelFiles

/// Where every trained tensor lies in one block of numbers: in the order of computation, each from a multiple of 16 on, but query, key and value side by
/// side, so that they are one matrix.
struct ParameterLayout {
  struct Entry {
    var name: String
    var shape: [Int]
    var first: Int
    var count: Int
    var decays: Bool
    /// Weights and bias of a linear layer, whose gradients every backward pass writes whole.
    var isOverwritten: Bool
  }

  private(set) var entries: [Entry] = []
  private(set) var indices: [String: Int] = [:]
  private(set) var count = 0
  /// True where the masked-LM decoder is the word embeddings.
  let tiesDecoder: Bool

  static let wordEmbeddings = "embeddings.word_embeddings.weight"

  init(model: Model, head: TrainingHead) {
    let architecture = model.architecture
    let isMaskedLanguageModel = head == .maskedLanguageModel
    let ownDecoder = model.weights.contains("cls.predictions.decoder.weight")
    tiesDecoder = isMaskedLanguageModel && !ownDecoder && architecture.canTieDecoder
    let needed = architecture.tensorSpecifications(
      labels: isMaskedLanguageModel ? nil : model.labels ?? 1, maskedLanguageModel: isMaskedLanguageModel,
      tiesDecoder: tiesDecoder)
    let usesPooler = head == .classification(.first) || head == .regression(.first)
    var rest = needed.filter { usesPooler || !$0.name.hasPrefix("pooler.") }[...]
    while let next = rest.first {
      if next.name.hasSuffix("attention.self.query.weight") {
        // Query, key and value come as weight, bias, weight, bias, weight, bias.
        let six = Array(rest.prefix(6))
        for part in [0, 2, 4] { append(six[part], isAligned: part == 0) }
        for part in [1, 3, 5] { append(six[part], isAligned: part == 1) }
        rest = rest.dropFirst(6)
      } else {
        append(next, isAligned: true)
        rest = rest.dropFirst()
      }
    }
    count = Self.rounded(count)
  }

  private mutating func append(_ specification: TensorSpecification, isAligned: Bool) {
    let name = specification.name
    if isAligned { count = Self.rounded(count) }
    let size = specification.shape.reduce(1, *)
    let isNorm = name.contains("LayerNorm")
    let isHeadOwn = name.contains(".heads.")
    let isTable = name.hasPrefix("embeddings.") || name.hasSuffix("distance_embedding.weight")
    // A tied decoder's gradient is added to what the embeddings have, and its bias's along with it.
    let isTiedBias = tiesDecoder && name == "cls.predictions.decoder.bias"
    indices[name] = entries.count
    entries.append(
      Entry(
        name: name, shape: specification.shape, first: count, count: size, decays: !isNorm && !name.hasSuffix(".bias"),
        isOverwritten: !isNorm && !isHeadOwn && !isTable && !isTiedBias))
    count += size
  }

  static func rounded(_ count: Int) -> Int { (count + 15) / 16 * 16 }

  subscript(name: String) -> Entry? { indices[name].map { entries[$0] } }

  /// Place of a tensor that the layout is known to have.
  func first(_ name: String) -> Int { self[name]?.first ?? 0 }
}
