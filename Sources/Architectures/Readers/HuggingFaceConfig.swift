/// Hugging Face's `config.json` of a BERT or RoBERTa encoder.
///
/// Fields with a default there (`type_vocab_size` 2, `position_embedding_type` absolute, `hidden_act` gelu)
/// have it here too. What the kernels cannot
/// run is refused rather than read as something similar.
package enum HuggingFaceConfig {
  private static let modelTypes = ["bert", "roberta"]

  package static func architecture(_ value: DocumentValue, source: String, path: String = "") throws
    -> Architecture
  {
    let reader = try FieldReader(value, source: source, path: path)
    try checkSupport(reader)
    let size = ArchitectureLimits.size
    let hidden = try reader.integer("hidden_size", in: size)
    let layers = try reader.integer("num_hidden_layers", in: ArchitectureLimits.layers)
    let heads = try reader.integer("num_attention_heads", in: ArchitectureLimits.heads)
    let feedForward = try reader.integer("intermediate_size", in: size)
    guard hidden % heads == 0 else {
      throw reader.failure(
        "num_attention_heads", problem: "\(heads) heads do not divide hidden_size \(hidden)")
    }
    let layer = Architecture.Layer(
      hiddenSize: hidden, headSize: hidden / heads, heads: Array(repeating: .scaledDotProduct, count: heads),
      feedForward: [feedForward])
    let architecture = Architecture(
      vocabularySize: try reader.integer("vocab_size", in: size),
      maximumPositions: try reader.integer("max_position_embeddings", in: size),
      typeVocabularySize: try reader.optionalInteger("type_vocab_size", in: size) ?? 2,
      position: try position(reader), layers: Array(repeating: layer, count: layers))
    return try ArchitectureDocument.checked(architecture, reader: reader)
  }

  private static func position(_ reader: FieldReader) throws -> Architecture.Position {
    let name = try reader.optionalString("position_embedding_type") ?? "absolute"
    guard let position = Architecture.Position(rawValue: name) else {
      throw reader.failure(
        "position_embedding_type",
        problem: "\"\(InputFileError.printable(name))\" cannot be run; absolute and relative_key can")
    }
    return position
  }

  private static func checkSupport(_ reader: FieldReader) throws {
    // Configurations older than `model_type` are all BERT's.
    let type = try reader.optionalString("model_type") ?? "bert"
    guard modelTypes.contains(type) else {
      throw reader.failure(
        "model_type",
        problem:
          "\"\(InputFileError.printable(type))\" cannot be run; \(modelTypes.joined(separator: " and ")) can")
    }
    let activation = try reader.optionalString("hidden_act") ?? "gelu"
    guard activation == "gelu" else {
      throw reader.failure(
        "hidden_act",
        problem: "\"\(InputFileError.printable(activation))\" cannot be run; gelu (by the error function) can"
      )
    }
    for name in ["is_decoder", "add_cross_attention"] where try reader.optionalBoolean(name) ?? false {
      throw reader.failure(name, problem: "decoders and cross-attention cannot be run; encoders can")
    }
    if let pruned = reader["pruned_heads"], let members = pruned.members, !members.isEmpty {
      throw reader.failure(
        "pruned_heads", problem: "models with pruned heads cannot be read from a configuration")
    }
  }
}
