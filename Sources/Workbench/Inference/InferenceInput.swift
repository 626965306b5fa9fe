import Architectures
import Foundation
import Measurements

/// One line of the input of `infer`: token ids, or a text for the model's tokeniser.
public struct InferenceInput: Sendable {
  public enum Content: Sendable, Hashable {
    case tokens(ids: [Int32], types: [Int32]?)
    case text(String, pair: String?)
  }

  /// The line's `id` as JSON; `null` where it has none.
  public var idJSON: String
  public var content: Content
  /// Where the line stands, for messages.
  public var line: Int

  /// Reads `{"id","input_ids":[…],"token_type_ids":[…]?,"attention_mask":[…]?}` or `{"id","text":…,"pair":…?}`, a line each. What a mask
  /// leaves out on the right is not run.
  ///
  /// - Parameter path: `-` is standard input.
  /// - Throws: `InputFileError` naming the line and field.
  public static func read(_ path: String) throws -> [InferenceInput] {
    let source = InputBytes.name(of: path)
    var lines = try LineReader(path: path)
    var inputs: [InferenceInput] = []
    while let (number, bytes) = try lines.next() {
      let value = try JSONParser.document(bytes, source: source, line: number)
      inputs.append(try InferenceInput(FieldReader(value, source: source), line: number))
    }
    guard !inputs.isEmpty else { throw InputFileError(source: source, problem: "has no line to run") }
    return inputs
  }

  private init(_ fields: FieldReader, line: Int) throws {
    self.line = line
    switch fields["id"]?.content {
    case nil: idJSON = "null"
    case .string(let text): idJSON = JSONText.quoted(text)
    case .integer(let number): idJSON = "\(number)"
    default: throw fields.failure("id", problem: "must be a text or a whole number")
    }
    if let text = try fields.optionalString("text") {
      guard fields["input_ids"] == nil else {
        throw fields.failure("text", problem: "is given beside input_ids; give one of them")
      }
      content = .text(text, pair: try fields.optionalString("pair"))
      return
    }
    guard fields["input_ids"] != nil else {
      throw fields.failure("input_ids", line: line, problem: "is missing, and there is no text; give one of them")
    }
    let limit = 0...Int(Int32.max)
    func numbers(_ name: String) throws -> [Int32] {
      try fields.list(name, count: 1...10_000_000).enumerated().map { index, value in
        Int32(try fields.integer(value, field: "\(name)[\(index)]", in: limit))
      }
    }
    let ids = try numbers("input_ids")
    let types = fields["token_type_ids"] == nil ? nil : try numbers("token_type_ids")
    guard types == nil || types?.count == ids.count else {
      throw fields.failure(
        "token_type_ids", problem: "has \(types?.count ?? 0) numbers; input_ids has \(ids.count)")
    }
    guard fields["attention_mask"] != nil else {
      content = .tokens(ids: ids, types: types)
      return
    }
    let mask = try numbers("attention_mask")
    guard mask.count == ids.count else {
      throw fields.failure("attention_mask", problem: "has \(mask.count) numbers; input_ids has \(ids.count)")
    }
    let kept = mask.prefix { $0 == 1 }.count
    guard kept > 0, mask.dropFirst(kept).allSatisfy({ $0 == 0 }) else {
      throw fields.failure(
        "attention_mask",
        problem: "must be ones and then zeros (padding on the right); leave out tokens that are masked")
    }
    content = .tokens(ids: Array(ids.prefix(kept)), types: types.map { Array($0.prefix(kept)) })
  }
}
