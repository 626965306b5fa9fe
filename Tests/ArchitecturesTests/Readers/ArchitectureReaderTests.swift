import Foundation
import Testing

@testable import Architectures

@Suite struct ArchitectureReaderTests {
  static let layer = #"{"hidden_size":128,"head_size":64,"heads":["sa_sdp","c_5"],"feed_forward":[256,512]}"#
  static let own =
    #"{"schema":"edgetwin.architecture/1","vocabulary_size":50265,"maximum_positions":514,"type_vocabulary_size":1,"#
    + #""position":"relative_key","layers":["# + layer + "," + layer + "]}"

  private func read(_ text: String, isYAML: Bool = false) throws -> [ArchitectureReader.Numbered] {
    try ArchitectureReader.read(bytes: [UInt8](text.utf8), source: "a", isYAML: isYAML)
  }

  private func message(_ text: String) -> String? {
    do {
      _ = try read(text)
      return nil
    } catch { return (error as? InputFileError)?.description }
  }

  static let expected = Architecture(
    vocabularySize: 50265, maximumPositions: 514, typeVocabularySize: 1, position: .relativeKey,
    layers: Array(
      repeating: Architecture.Layer(
        hiddenSize: 128, headSize: 64, heads: [.scaledDotProduct, .convolution5], feedForward: [256, 512]),
      count: 2))

  @Test func ownFormRoundTrips() throws {
    let rows = try read(Self.own)
    #expect(rows.map(\.architecture) == [Self.expected])
    #expect(Self.expected.jsonLine == Self.own)
  }

  @Test func linesListsAndWindowsFilesAreRead() throws {
    let lines = "\u{FEFF}" + Self.own + "\r\n\r\n" + Self.own + "\r\n"
    #expect(try read(lines).map(\.line) == [1, 3])
    #expect(try read("[\(Self.own),\n\(Self.own)]").map(\.line) == [1, 2])
    #expect(message(Self.own + " " + Self.own)?.contains("after the end") == true)
  }

  @Test func yamlIsRead() throws {
    let text = """
      schema: edgetwin.architecture/1
      vocabulary_size: 50265
      maximum_positions: 514
      type_vocabulary_size: 1
      position: relative_key
      layers:
        - hidden_size: 128
          heads: [sa_sdp, c_5]
          feed_forward: [256, 512]
        - {hidden_size: 128, heads: [sa_sdp, c_5], feed_forward: [256, 512]}
      """
    #expect(try read(text).map(\.architecture) == [Self.expected])
    #expect(try read("---\n\(text)\n---\n\(text)\n", isYAML: true).count == 2)
    // JSON is YAML.
    #expect(try read(Self.own, isYAML: true).map(\.architecture) == [Self.expected])
    let wrong = text.replacingOccurrences(of: "feed_forward: [256, 512]\n", with: "feed_forward: [256, -1]\n")
    #expect(message(wrong) == "a:9: layers[0].feed_forward[1]: must be from 1 to 1000000, is -1")
  }

  @Test func headSizeMayBeLeftOut() throws {
    let text = Self.own.replacingOccurrences(of: #""head_size":64,"#, with: "")
      .replacingOccurrences(of: #"["sa_sdp","c_5"]"#, with: #"["sa_sdp","c_5","l_dft"]"#)
    #expect(try read(text).first?.architecture.layers[0].headSize == 42)
    let few = text.replacingOccurrences(of: #""hidden_size":128"#, with: #""hidden_size":2"#)
    #expect(message(few)?.contains("give `head_size`") == true)
  }

  @Test(arguments: [
    (
      #""vocabulary_size":50265"#, #""vocab_size":50265"#,
      "a:1: vocabulary_size: is missing (not known: `vocab_size`)"
    ),
    (#""head_size":64"#, #""head_size":null"#, nil),
    (#""head_size":64"#, #""headsize":"ignored","note":1"#, nil),
    (
      #""hidden_size":128"#, #""hiden_size":128"#,
      "a:1: layers[0].hidden_size: is missing (not known: `hiden_size`)"
    ),
    ("514", "null", "a:1: maximum_positions: is null, and must be given"),
    ("514", "512.5", "a:1: maximum_positions: must be a whole number, is 512.5"),
    ("514", "NaN", "a:1: maximum_positions: must be a whole number from 1 to 1000000, is nan"),
    ("514", "1e400", "a:1: maximum_positions: must be a whole number from 1 to 1000000, is inf"),
    (
      "514", "1000000000000000000000000000000",
      "a:1: maximum_positions: must be a whole number from 1 to 1000000, is 1e+30"
    ),
    ("514", "0", "a:1: maximum_positions: must be from 1 to 1000000, is 0"),
    ("514", "-1", "a:1: maximum_positions: must be from 1 to 1000000, is -1"),
    ("514", #""514""#, #"a:1: maximum_positions: must be a whole number, is "514""#),
    ("514", "true", "a:1: maximum_positions: must be a whole number, is true"),
    ("relative_key", "rotary", #"a:1: position: must be "relative_key" or "absolute", is "rotary""#),
    (
      "architecture/1", "architecture/2",
      "a:1: schema: is version 2; this program knows 1: use a newer program"
    ),
    (
      "architecture/1", "architecture/x",
      #"a:1: schema: must be "edgetwin.architecture/1", is "edgetwin.architecture/x""#
    ),
    (#""schema":"edgetwin.architecture/1","#, "", "a:1: schema: is missing"),
    (#"["sa_sdp","c_5"]"#, "[]", "a:1: layers[0].heads: must have 1 to 4096 items, has 0"),
    ("[256,512]", "256", "a:1: layers[0].feed_forward: must be a list, is 256"),
    (
      "c_5", "c_7",
      #"a:1: layers[0].heads[1]: "c_7" is no operation; known are "#
        + "sa_sdp, sa_wma, l_dft, l_dct, c_5, c_9, c_13"
    ),
    (layer, "3", "a:1: layers[0]: must be an object, is 3"),
    (
      #""head_size":64"#, #""head_size":600000"#,
      "a:1: layers[0].head_size: 2 heads of 600000 are wider than 1000000 together"
    ),
    (
      "[256,512]", "[1000000,1000000,1000000]",
      "a:1: layers: the sizes imply more than 10^12 parameters"
    ),
  ])
  func badFieldsAreNamed(_ old: String, _ new: String, _ expected: String?) {
    #expect(message(Self.own.replacingOccurrences(of: old, with: new)) == expected)
  }

  @Test func readsARowAroundAnArchitecture() throws {
    let inner = Self.own.replacingOccurrences(of: #""schema":"edgetwin.architecture/1","#, with: "")
    let row = #"{"schema":"edgetwin.measurement/1","device":"x","architecture":"# + inner + "}"
    #expect(try read(Self.own + "\n" + row).map(\.architecture) == [Self.expected, Self.expected])
    #expect(
      message(#"{"schema":"edgetwin.measurement/1","architecture":null}"#)?.contains(
        "no `architecture` object") == true)
    #expect(try ArchitectureReader.architecture(json: row, source: "x", line: 7) == Self.expected)
  }

  // MARK: ProTran

  static let dictionary =
    #"{"l":2,"o":[["sa_sdp_64","c_5_64"],["sa_sdp_64","c_5_64"]],"h":[128,128],"f":[[256,512],[256,512]]}"#

  @Test func readsProTranDictionaries() throws {
    #expect(try read(Self.dictionary).map(\.architecture) == [Self.expected])
    #expect(try read(#"{"model_dict":"# + Self.dictionary + "}").map(\.architecture) == [Self.expected])
    let set =
      #"{"k1":{"model_dict":"# + Self.dictionary + "},\n" + #""k2":{"model_dict":"# + Self.dictionary + "}}"
    #expect(try read(set).map(\.line) == [1, 2])
  }

  @Test(arguments: [
    (#""l":2"#, #""l":3"#, "a:1: o: has 2 items, but `l` says 3 layers"),
    ("c_5_64", "c_5_32", "a:1: o[0][1]: has size 32, but the heads before it in this layer 64"),
    ("c_5_64", "c_5", #"a:1: o[0][1]: "c_5" is not an operation and a size, such as "sa_sdp_64""#),
    (
      "c_5_64", "c_5_99999999999999999999",
      #"a:1: o[0][1]: "c_5_99999999999999999999" is not an operation and a size, such as "sa_sdp_64""#
    ),
    ("[128,128]", "[128]", "a:1: h: has 1 items, but `l` says 2 layers"),
    (#""f""#, #""g""#, "a:1: f: is missing"),
  ])
  func inconsistentDictionariesAreRefused(_ old: String, _ new: String, _ expected: String) {
    #expect(message(Self.dictionary.replacingOccurrences(of: old, with: new)) == expected)
  }

  // MARK: Hugging Face

  static let config =
    #"{"architectures":["BertModel"],"model_type":"bert","hidden_act":"gelu","hidden_size":384,"num_hidden_layers":6,"#
    + #""num_attention_heads":12,"intermediate_size":1536,"vocab_size":30522,"max_position_embeddings":512,"type_vocab_size":2}"#

  @Test func readsHuggingFaceConfigurations() throws {
    let architecture = try #require(read(Self.config).first?.architecture)
    #expect(architecture.layers.count == 6 && Set(architecture.layers).count == 1)
    #expect(
      architecture.layers[0]
        == .init(
          hiddenSize: 384, headSize: 32, heads: Array(repeating: .scaledDotProduct, count: 12),
          feedForward: [1536]))
    #expect(architecture.position == .absolute && architecture.vocabularySize == 30522)
    #expect(architecture.maximumPositions == 512 && architecture.typeVocabularySize == 2)
  }

  @Test(arguments: [
    (#""gelu""#, #""gelu_new""#, "hidden_act"), (#""bert""#, #""electra""#, "model_type"),
    (#""hidden_size":384"#, #""hidden_size":385"#, "do not divide"),
    (#""vocab_size""#, #""vocabulary""#, "vocab_size: is missing"),
    (#""type_vocab_size":2"#, #""position_embedding_type":"relative_key_query""#, "position_embedding_type"),
    (#""type_vocab_size":2"#, #""is_decoder":true"#, "is_decoder"),
    (#""type_vocab_size":2"#, #""pruned_heads":{"0":[1]}"#, "pruned_heads"),
  ])
  func whatCannotBeRunIsRefused(_ old: String, _ new: String, _ part: String) {
    #expect(message(Self.config.replacingOccurrences(of: old, with: new))?.contains(part) == true)
  }

  @Test func relativeKeysOfHuggingFaceAreKept() throws {
    let text = Self.config.replacingOccurrences(
      of: #""type_vocab_size":2"#, with: #""position_embedding_type":"relative_key""#)
    #expect(try read(text).first?.architecture.position == .relativeKey)
    #expect(try read(text).first?.architecture.typeVocabularySize == 2)
  }

  // MARK: Files

  @Test func filesAreWrittenAndReadBack() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("a.jsonl").path
    try ArchitectureWriter.write([Self.expected, Self.expected], to: path)
    #expect(try ArchitectureReader.read(path).map(\.line) == [1, 2])
    #expect(throws: InputFileError.self) {
      try ArchitectureWriter.write([Self.expected], to: path + "/no/such.jsonl")
    }
  }

  @Test func boundsLeaveRoomForProducts() throws {
    // The widest layers that are accepted: parameters, and FLOPs for a million tokens, stay below 2^63.
    #expect(ArchitectureLimits.parameters.multipliedReportingOverflow(by: 2_000_000).overflow == false)
  }
}
