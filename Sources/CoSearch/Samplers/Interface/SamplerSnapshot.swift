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
    let snapshot: SamplerSnapshot<State>
    do {
      snapshot = try JSONDecoder().decode(SamplerSnapshot<State>.self, from: data)
    } catch {
      throw .snapshot(kind: kind, problem: "cannot be read (\(error.localizedDescription))")
    }
    guard snapshot.kind == kind else {
      throw .snapshot(kind: kind, problem: "is of the sampler \(snapshot.kind.rawValue)")
    }
    guard snapshot.version == version else {
      throw .snapshot(kind: kind, problem: "has version \(snapshot.version), not \(version)")
    }
    return snapshot
  }
}
