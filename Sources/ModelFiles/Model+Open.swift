import Architectures
import Foundation

extension Model {
  /// Opens a model folder: this project's, or Hugging Face's of a BERT encoder as it is.
  ///
  /// Weights stay in the file, mapped into memory, where they are F32. All tensors of the encoder must be there; the
  /// pooler and other heads may be absent until they are asked for (``ModelWeights/tensor(_:shape:)``). Tensors that no
  /// part of the model needs (`embeddings.position_ids`) are ignored.
  ///
  /// - Throws: ``ModelFileError``.
  public static func open(folder path: String) throws(ModelFileError) -> Model {
    let folder = try existingFolder(path)
    let configuration = try Configuration(path: folder.appending(path: configurationName).path)
    let weightsPath = folder.appending(path: weightsName).path
    guard FileManager.default.fileExists(atPath: weightsPath) else {
      throw ModelFileError(source: path, problem: "has no \(weightsName)\(advice(in: folder))")
    }
    let file = try SafetensorsFile(path: weightsPath)
    let names = try tensorNames(of: file)
    let labels = try labels(of: file, names: names, configuration: configuration)
    let architecture = configuration.architecture
    let specifications =
      architecture.tensorSpecifications(labels: labels, maskedLanguageModel: true, tiesDecoder: false)
    var tensors: [String: Tensor] = [:]
    for specification in specifications {
      guard let stored = names[specification.name] else { continue }
      tensors[specification.name] = try file.tensor(stored)
    }
    let weights = ModelWeights(tensors, source: weightsPath)
    for specification in specifications where weights.contains(specification.name) {
      _ = try weights.tensor(specification.name, shape: specification.shape)
    }
    for specification in architecture.encoderSpecifications {
      _ = try weights.tensor(specification.name, shape: specification.shape)
    }
    return Model(
      architecture: architecture, layerNormEpsilon: configuration.layerNormEpsilon, weights: weights, labels: labels,
      pooling: configuration.pooling, labelNames: configuration.labelNames,
      hintedLabelNames: configuration.hintedLabelNames)
  }

  private static func existingFolder(_ path: String) throws(ModelFileError) -> URL {
    var isFolder: ObjCBool = false
    guard !path.isEmpty, !path.utf8.contains(0),
      FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    else { throw ModelFileError(source: path, problem: "there is no such folder") }
    guard isFolder.boolValue else {
      throw ModelFileError(source: path, problem: "is no folder; name the folder that holds \(configurationName)")
    }
    return URL(filePath: path)
  }

  /// What to do about other files that hold weights.
  private static func advice(in folder: URL) -> String {
    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: folder.appending(path: name).path) }
    if has("\(weightsName).index.json") { return "; weights in several files are not read: merge them into one" }
    return has("pytorch_model.bin") ? "; pytorch_model.bin is not read: convert it to safetensors" : ""
  }

  /// Stored name of every tensor by the name that this project calls it.
  private static func tensorNames(of file: SafetensorsFile) throws(ModelFileError) -> [String: String] {
    var names: [String: String] = [:]
    for stored in file.names {
      let name = canonicalName(stored)
      if let other = names.updateValue(stored, forKey: name) {
        throw ModelFileError(
          source: file.path, field: stored, problem: "is the same tensor as \(other); one of them must go")
      }
    }
    // Hugging Face ties the decoder's bias to this one, and files have either or both.
    if names["cls.predictions.decoder.bias"] == nil {
      names["cls.predictions.decoder.bias"] = names["cls.predictions.bias"]
    }
    return names
  }

  /// Without a leading `bert.`; the first BERTs' `gamma` and `beta` of layer norms are today's weight and bias.
  static func canonicalName(_ stored: String) -> String {
    var name = stored.hasPrefix("bert.") ? String(stored.dropFirst(5)) : stored
    for (old, new) in [(".LayerNorm.gamma", ".LayerNorm.weight"), (".LayerNorm.beta", ".LayerNorm.bias")]
    where name.hasSuffix(old) {
      name = name.dropLast(old.count) + new
    }
    return name
  }

  private static func labels(
    of file: SafetensorsFile, names: [String: String], configuration: Configuration
  ) throws(ModelFileError) -> Int? {
    guard let stored = names["classifier.weight"], let shape = file.shape(of: stored) else {
      if let labels = configuration.labels {
        throw ModelFileError(
          source: file.path, field: "classifier.weight",
          problem: "the tensor is missing; \(configurationName) says \(labels) labels")
      }
      return nil
    }
    let labels = configuration.labels ?? shape.first ?? 0
    let width = configuration.architecture.layers.last?.hiddenSize ?? 0
    guard shape == [labels, width], labels > 0 else {
      throw ModelFileError(
        source: file.path, field: stored, problem: "has shape \(shape); the architecture needs [\(labels), \(width)]")
    }
    return labels
  }
}

/// What a folder's `config.json` says.
private struct Configuration {
  var architecture: Architecture
  var layerNormEpsilon: Double
  var labels: Int?
  var pooling = Pooling.first
  var labelNames: [String]?
  var hintedLabelNames: [String]?

  init(path: String) throws(ModelFileError) {
    do {
      let bytes = try InputBytes.read(path)
      let document = try JSONParser.document(bytes, source: path)
      let reader = try FieldReader(document, source: path)
      if reader["schema"] == nil, try reader.optionalString("model_type") == "roberta" {
        // Its positions start at 2, its tensors are named otherwise, and its classifier has another form.
        throw reader.failure("model_type", problem: "weights of RoBERTa cannot be read; those of BERT can")
      }
      architecture = try ArchitectureReader.architecture(document, source: path)
      layerNormEpsilon =
        try reader.optionalNumber("layer_norm_eps", in: 0...1) ?? Model.standardLayerNormEpsilon
      labels = try reader.optionalInteger("labels", in: 1...1_000_000)
      if let name = try reader.optionalString("pooling") {
        guard let pooling = Pooling(rawValue: name) else {
          throw reader.failure("pooling", problem: "must be \"first\" or \"mean\"")
        }
        self.pooling = pooling
      }
      if let value = reader["label_names"] {
        labelNames = try reader.list(value, field: "label_names", count: 1...1_000_000).enumerated().map {
          try reader.string($1, field: "label_names[\($0)]")
        }
        guard labels == nil || labelNames?.count == labels else {
          throw reader.failure("label_names", problem: "must have as many names as there are labels")
        }
      }
      if let value = reader["id2label"], let names = try? FieldReader(value, source: path) {
        let hints = (0..<(labels ?? 1_000)).prefix { names["\($0)"] != nil }.compactMap { names["\($0)"]?.string }
        hintedLabelNames = hints.isEmpty ? nil : hints
      }
    } catch {
      throw ModelFileError(error, source: path)
    }
  }
}
