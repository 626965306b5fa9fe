import Architectures

extension RefinementConfiguration {
  package static let schema = (family: "edgetwin.refinement", version: 1)
  package static let profiles = ["short": short, "published": published]

  /// Reads a configuration. What a file leaves out is as in the profile that it names as `base`, or as in `short`.
  ///
  /// - Parameter name: what errors call the text.
  /// - Throws: `YAMLFileError` naming the line and field.
  package init(yaml text: String, name: String) throws(YAMLFileError) {
    let file = try YAMLFile.decode(RefinementFile.self, from: text, name: name, schema: Self.schema)
    self = file.configuration
  }

  /// The configuration as a file, every field given.
  package func yaml() throws -> String { try YAMLFile.encode(RefinementFile(self)) }
}
