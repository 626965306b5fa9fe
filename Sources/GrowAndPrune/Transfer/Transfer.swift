import Architectures
import ModelFiles

/// Knowledge transfer between two architectures of one lineage (or of two that were matched, ``Pedigree/init(matching:to:)``): every
/// tensor of the child is put together from its parent's, part by part, by identity.
///
/// Everything in the parent is transferred: embeddings, attention with each kind's own weights, distances, norms, feed-forward stacks,
/// joins, pooler, classifier and masked-LM head. With ``TransferOptions/Growth/preserving``, a child that only grew computes what its
/// parent computes.
package struct Transfer {
  let parent: Model
  let from: Pedigree
  let to: Pedigree
  let options: TransferOptions
  /// The child's architecture.
  let architecture: Architecture
  /// The parent's layer of each of the child's.
  let sources: [Int?]
  var report = TransferReport()

  /// - Parameters:
  ///   - parent: a model of `from`'s architecture.
  ///   - from: the parent's pedigree.
  ///   - to: the child's.
  package init(_ parent: Model, from: Pedigree, to: Pedigree, options: TransferOptions = TransferOptions()) {
    self.parent = parent
    self.from = from
    self.to = to
    self.options = options
    architecture = to.architecture
    let places = Dictionary(
      zip(from.layers.map(\.identity), from.layers.indices), uniquingKeysWith: { first, _ in first })
    sources = to.layers.map { places[$0.identity] }
  }

  /// The child with its weights, and what of them came from the parent.
  ///
  /// The child has the heads that the parent has: classifier, pooler, masked LM. Its decoder is tied to its word embeddings where the
  /// parent's is and both are still the same channels.
  ///
  /// - Throws: `ModelFileError` where the parent lacks a tensor of its own architecture.
  package static func child(
    of parent: Model, from: Pedigree, to: Pedigree, options: TransferOptions = TransferOptions()
  ) throws(ModelFileError) -> (model: Model, report: TransferReport) {
    var transfer = Transfer(parent, from: from, to: to, options: options)
    var tensors: [String: Tensor] = [:]
    for specification in transfer.specifications {
      tensors[specification.name] = try transfer.tensor(specification)
    }
    try transfer.placeInsertedLayers(&tensors)
    var child = parent
    child.architecture = transfer.architecture
    child.weights = ModelWeights(tensors)
    return (child, transfer.report)
  }

  // MARK: What the child has

  var specifications: [TensorSpecification] {
    let hasPooler = parent.weights.contains("pooler.dense.weight")
    let hasClassifier = parent.weights.contains("classifier.weight")
    return architecture.tensorSpecifications(
      labels: hasClassifier ? parent.labels : nil, maskedLanguageModel: parent.hasMaskedLanguageModel,
      tiesDecoder: isTied
    ).filter { hasPooler || !$0.name.hasPrefix("pooler.") }
  }

  private var isTied: Bool {
    guard !parent.weights.contains(Name.decoder), let first = to.layers.first, let last = to.layers.last,
      let parentFirst = from.layers.first, let parentLast = from.layers.last
    else { return false }
    // Element i of the decoder's input meets element i of the embeddings.
    return AxisMap.identities(first.channels, in: parentFirst.channels).indices
      == AxisMap.identities(last.channels, in: parentLast.channels).indices
  }

  enum Name {
    static let decoder = "cls.predictions.decoder.weight"
    static let words = "embeddings.word_embeddings.weight"

    static func layer(_ index: Int) -> String { "encoder.layer.\(index)" }
  }

  // MARK: Axes

  /// Streams of projections by what an axis is of; channels are keyed by their first identity, so that one space has one projection.
  enum Stream {
    static let channels: UInt64 = 1 << 56
    static let units: UInt64 = 2 << 56
    static let neurons: UInt64 = 3 << 56
  }

  func axis(_ child: [Int], _ parent: [Int], stream: UInt64) -> AxisMap {
    if options.unequalSizes == .randomProjection, child.count != parent.count {
      return .randomProjection(child.count, parentCount: parent.count, seed: options.seed, stream: stream)
    }
    return .identities(child, in: parent)
  }

  func channels(_ layer: Int, _ source: Int) -> AxisMap {
    let parent = from.layers[source].channels
    return axis(to.layers[layer].channels, parent, stream: Stream.channels + UInt64(parent.first ?? 0))
  }

  /// The embeddings' channels: those of the first layer, whichever that was in the parent.
  var embeddingChannels: AxisMap { to.layers.isEmpty || from.layers.isEmpty ? .new(0) : channels(0, 0) }

  var lastChannels: AxisMap {
    to.layers.isEmpty || from.layers.isEmpty ? .new(0) : channels(to.layers.count - 1, from.layers.count - 1)
  }

  func headUnits(_ layer: Int, _ source: Int) -> AxisMap {
    let parent = from.layers[source].headUnits
    return axis(to.layers[layer].headUnits, parent, stream: Stream.units + UInt64(parent.first ?? 0))
  }

  /// The parent's head of each head of a layer.
  func heads(_ layer: Int, _ source: Int) -> [Int?] {
    AxisMap.identities(to.layers[layer].heads.map(\.identity), in: from.layers[source].heads.map(\.identity)).indices
  }

  func attention(_ layer: Int, _ source: Int) -> AxisMap {
    headUnits(layer, source).blocks(heads(layer, source), parentBlocks: from.layers[source].heads.count)
  }

  func neurons(_ layer: Int, _ hidden: Int, _ source: Int, _ sourceHidden: Int) -> AxisMap {
    let parent = from.layers[source].feedForward[sourceHidden].neurons
    return axis(
      to.layers[layer].feedForward[hidden].neurons, parent, stream: Stream.neurons + UInt64(parent.first ?? 0))
  }

  // MARK: Tensors

  /// A tensor made from the parent's of a name.
  mutating func make(
    _ specification: TensorSpecification, from name: String, rows: AxisMap, columns: AxisMap? = nil,
    zeroesNewColumns: Bool? = nil
  ) throws(ModelFileError) -> Tensor {
    let parentShape = [rows.parentCount] + (columns.map { [$0.parentCount] } ?? [])
    let source = try parent.weights.tensor(name, shape: parentShape)
    return TensorTransfer.apply(
      source, rows: rows, columns: columns, initial: specification.initialTensor(seed: options.seed),
      zeroesNewColumns: zeroesNewColumns ?? (options.growth == .preserving), report: &report)
  }

  /// Without a parent: initial weights, or zero.
  mutating func new(_ specification: TensorSpecification, isZero: Bool = false) -> Tensor {
    var specification = specification
    if isZero { specification.initial = .zero }
    let tensor = specification.initialTensor(seed: options.seed)
    report.new += tensor.count
    return tensor
  }

  mutating func tensor(_ specification: TensorSpecification) throws(ModelFileError) -> Tensor {
    let name = specification.name
    if name.hasPrefix("encoder.layer.") {
      let rest = name.dropFirst("encoder.layer.".count)
      let parts = rest.split(separator: ".", maxSplits: 1)
      guard parts.count == 2, let layer = Int(parts[0]) else { return new(specification) }
      return try layerTensor(specification, layer: layer, part: String(parts[1]))
    }
    let last = lastChannels
    switch name {
    case Name.words:
      return try make(
        specification, from: name, rows: .ordered(to.vocabularySize, parentCount: from.vocabularySize),
        columns: embeddingChannels, zeroesNewColumns: false)
    case "embeddings.token_type_embeddings.weight":
      return try make(
        specification, from: name, rows: .ordered(to.typeVocabularySize, parentCount: from.typeVocabularySize),
        columns: embeddingChannels, zeroesNewColumns: false)
    case "embeddings.position_embeddings.weight":
      guard from.position == .absolute else { return new(specification) }
      return try make(
        specification, from: name, rows: .ordered(to.maximumPositions, parentCount: from.maximumPositions),
        columns: embeddingChannels, zeroesNewColumns: false)
    case "embeddings.LayerNorm.weight":
      return try make(specification, from: name, rows: embeddingChannels.orderedIfProjection)
    case "embeddings.LayerNorm.bias": return try make(specification, from: name, rows: embeddingChannels)
    case "pooler.dense.weight", "cls.predictions.transform.dense.weight":
      return try make(specification, from: name, rows: last, columns: last)
    case "pooler.dense.bias", "cls.predictions.transform.dense.bias", "cls.predictions.transform.LayerNorm.bias":
      return try make(specification, from: name, rows: last)
    case "cls.predictions.transform.LayerNorm.weight":
      return try make(specification, from: name, rows: last.orderedIfProjection)
    case "classifier.weight":
      return try make(specification, from: name, rows: .whole(specification.shape[0]), columns: last)
    case "classifier.bias": return try make(specification, from: name, rows: .whole(specification.shape[0]))
    case Name.decoder:
      let source = parent.weights.contains(name) ? name : Name.words
      return try make(
        specification, from: source, rows: .ordered(to.vocabularySize, parentCount: from.vocabularySize), columns: last)
    case "cls.predictions.decoder.bias":
      return try make(
        specification, from: name, rows: .ordered(to.vocabularySize, parentCount: from.vocabularySize))
    default: return new(specification)
    }
  }
}
