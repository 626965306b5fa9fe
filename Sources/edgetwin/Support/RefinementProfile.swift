import Architectures
import GrowAndPrune

extension RefinementConfiguration {
  /// The profile of this name, or of a YAML file.
  /// - Throws: `UsageError` for a name that is not known, `YAMLFileError`.
  init(profile: String) throws {
    if let known = Self.profiles[profile] {
      self = known
      return
    }
    guard profile.contains("/") || profile.hasSuffix(".yaml") || profile.hasSuffix(".yml") || profile == "-" else {
      let known = Self.profiles.keys.sorted().joined(separator: ", ")
      throw UsageError("\"\(profile)\" is no profile; known are \(known), or the path of a YAML file")
    }
    try self.init(yaml: YAMLFile.read(profile), name: InputBytes.name(of: profile))
  }
}
