import Foundation

/// The serialised form of a sampler's state: JSON, with what it is a state of.
struct SamplerSnapshot<State: Codable>: Codable {
  var kind: SamplerKind
  var version: Int
  var seed: UInt64
  var state: State

  static func encode(_ kind: SamplerKind, version: Int, seed: UInt64, _ state: State) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return try encoder.encode(SamplerSnapshot(kind: kind, version: version, seed: seed, state: state))
  }

  static func decode(
    _ data: Data, _ kind: SamplerKind, version: Int
  ) throws(SamplerError) -> SamplerSnapshot<State> {
    do {
      // What it is comes before the state, whose form another version may have changed.
      let heading = try JSONDecoder().decode(Heading.self, from: data)
      guard heading.kind == kind else {
        throw SamplerError.snapshot(kind: kind, problem: "is of the sampler \(heading.kind.rawValue)")
      }
      guard heading.version == version else {
        throw SamplerError.snapshot(
          kind: kind,
          problem: "was kept by another version of this program (its version is \(heading.version), this one reads "
            + "\(version)), and would not go on to the same result; trials and front can still be read and exported, and a new "
            + "study of the same problem begins anew")
      }
      return try JSONDecoder().decode(SamplerSnapshot<State>.self, from: data)
    } catch let error as SamplerError {
      throw error
    } catch {
      throw .snapshot(kind: kind, problem: "cannot be read (\(error.localizedDescription))")
    }
  }

  private struct Heading: Decodable {
    var kind: SamplerKind
    var version: Int
  }
}
