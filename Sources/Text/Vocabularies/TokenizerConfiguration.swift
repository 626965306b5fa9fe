import Foundation

/// What `tokenizer_config.json` says about a tokeniser; its other fields are of no concern here.
struct TokenizerConfiguration: Equatable {
  var lowercase = true
  var stripsAccents: Bool?
  var spacesIdeographs = true
  var addsPrefixSpace = false

  init(folder: String) throws(TextError) {
    let path = folder + "/tokenizer_config.json"
    guard FileManager.default.fileExists(atPath: path) else { return }
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw .unreadable(path: path, reason: error.localizedDescription)
    }
    guard let value = try? JSONSerialization.jsonObject(with: data), let fields = value as? [String: Any] else {
      throw .invalidField(path: path, field: "", problem: "is not a JSON object")
    }
    func flag(_ name: String) throws(TextError) -> Bool? {
      guard let value = fields[name], !(value is NSNull) else { return nil }
      guard let flag = value as? Bool else {
        throw .invalidField(path: path, field: name, problem: "must be true, false or null, is \(value)")
      }
      return flag
    }
    lowercase = try flag("do_lower_case") ?? true
    stripsAccents = try flag("strip_accents")
    spacesIdeographs = try flag("tokenize_chinese_chars") ?? true
    addsPrefixSpace = try flag("add_prefix_space") ?? false
  }
}
