import Architectures
import Foundation

/// What a model folder holds: an architecture and weights for it.
public struct Model: Sendable {
  /// Epsilon of layer norms where a configuration does not say (Devlin et al. 2019).
  public static let standardLayerNormEpsilon = 1e-12

  public var architecture: Architecture
  /// Added to the variance in every layer norm.
  public var layerNormEpsilon: Double
  public var weights: ModelWeights
  /// Width of the classifier; nil without one.
  public var labels: Int?
  /// What the classifier reads.
  public var pooling: Pooling
  /// What the classifier's labels are called, as spelled in the data that it learnt from; nil where nobody says.
  public var labelNames: [String]?
  /// What Hugging Face's `id2label` calls them: a hint, since people give names of their own there.
  public var hintedLabelNames: [String]?

  public init(
    architecture: Architecture, layerNormEpsilon: Double = Model.standardLayerNormEpsilon, weights: ModelWeights,
    labels: Int? = nil, pooling: Pooling = .first, labelNames: [String]? = nil, hintedLabelNames: [String]? = nil
  ) {
    self.architecture = architecture
    self.layerNormEpsilon = layerNormEpsilon
    self.weights = weights
    self.labels = labels
    self.pooling = pooling
    self.labelNames = labelNames
    self.hintedLabelNames = hintedLabelNames
  }

  /// True where the weights have the masked-LM head's own tensors.
  public var hasMaskedLanguageModel: Bool { weights.contains("cls.predictions.transform.dense.weight") }

  /// The masked-LM decoder, [vocabulary, last hidden size]: its own weights, or the word embeddings where it has none
  /// and they fit.
  ///
  /// - Throws: ``ModelFileError`` where there is neither.
  public func maskedLanguageModelDecoder() throws(ModelFileError) -> Tensor {
    let name = "cls.predictions.decoder.weight"
    let isTied = !weights.contains(name) && architecture.canTieDecoder
    return try weights.tensor(
      isTied ? "embeddings.word_embeddings.weight" : name,
      shape: [architecture.vocabularySize, architecture.layers.last?.hiddenSize ?? 0])
  }

  // MARK: Folders

  static let configurationName = "config.json"
  static let weightsName = "model.safetensors"

  /// Writes `config.json` and `model.safetensors` into a folder, which is made where it does not exist. What else is
  /// in the folder, such as a vocabulary, stays.
  ///
  /// - Throws: ``ModelFileError`` (kind `output`).
  public func write(folder path: String) throws(ModelFileError) {
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw ModelFileError(kind: .output, source: path, problem: "is no name for a folder")
    }
    let folder = URL(filePath: path)
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw ModelFileError(
        kind: .output, source: path, problem: "cannot be made a folder: \(error.localizedDescription)")
    }
    try SafetensorsWriter.write(weights.dictionary, to: folder.appending(path: Self.weightsName).path)
    var file = try AtomicFile(path: folder.appending(path: Self.configurationName).path)
    try file.write((configuration + "\n").utf8)
    try file.finish()
  }

  /// The architecture in this project's form, with what else the model needs.
  private var configuration: String {
    var members = ["\"layer_norm_eps\":\(JSONText.number(layerNormEpsilon))"]
    if let labels {
      members.append("\"labels\":\(labels)")
      members.append("\"pooling\":\"\(pooling.rawValue)\"")
    }
    if let labelNames { members.append("\"label_names\":\(JSONText.list(labelNames.map(JSONText.quoted)))") }
    return architecture.jsonLine.dropLast() + "," + members.joined(separator: ",") + "}"
  }
}
