import Architectures
import CoSearch
import Foundation
import Studies

/// A search whose state and front are kept in a study as it goes, and which goes on from there.
public struct StudySearch: Sendable {
  public let study: Study
  public let setup: SearchSetup
  /// The search's name in the study.
  let part: String
  /// The study's position of each device of the setup.
  let devices: [Int]

  /// - Parameters:
  ///   - part: the search's name in the study.
  ///   - devices: positions in the study of the setup's devices; nil where they are the study's own.
  public init(_ study: Study, _ setup: SearchSetup, part: String = "explore", devices: [Int]? = nil) {
    self.study = study
    self.setup = setup
    self.part = part
    self.devices = devices ?? Array(setup.twins.indices)
  }

  /// Searches until the extent is reached, what earlier runs did counted in evaluations, not in seconds.
  /// - Parameter finalists: how many the study keeps.
  /// - Throws: what `Explorer.explore` and the study throw.
  public func explore(
    _ extent: Explorer.Extent, threads: Int, finalists: Int,
    progress: (@Sendable (Exploration.Progress) -> Void)? = nil
  ) async throws -> Exploration {
    let known = try study.search(part)
    let keeper = Keeper(revision: known?.revision ?? 0)
    let keeping = SearchKeeping(resuming: known?.state) { [study, part, devices] checkpoint in
      try keeper.keep(checkpoint, study: study, part: part, devices: devices)
    }
    let result = try await Explorer(setup.evaluator).explore(
      extent, seed: study.definition.seed, threads: threads, keeping: keeping, progress: progress)
    if !result.wasCancelled { try keep(result.finalists(count: finalists)) }
    return result
  }

  /// Candidates that this study has looked at in earlier runs.
  public func evaluationsBefore() throws -> Int { try study.search(part)?.evaluations ?? 0 }

  public static let finalistSchema = "edgetwin.finalist/1"

  private func keep(_ finalists: [Candidate]) throws {
    let documents = finalists.enumerated().compactMap { rank, candidate in
      setup.record(candidate, isFinalist: true).map {
        StudyDocument(
          kind: .finalist, name: part, part: rank, schema: Self.finalistSchema, json: $0.json)
      }
    }
    // What is the same already is not written again: a finished study stays as it is.
    guard try study.documents(.finalist, name: part) != documents else { return }
    try study.keep(documents, replacing: (.finalist, part))
  }

  /// What goes from one checkpoint to the next. Only the searching task has it.
  private final class Keeper: @unchecked Sendable {
    private var revision: Int
    /// What was kept as a trial, so that it is not looked for again.
    private var kept: Set<Key> = []

    private struct Key: Hashable {
      var point: DesignPoint
      var device: Int
    }

    init(revision: Int) { self.revision = revision }

    func keep(_ checkpoint: SearchCheckpoint, study: Study, part: String, devices: [Int]) throws {
      let new = (checkpoint.front ?? []).filter {
        !kept.contains(Key(point: $0.point, device: $0.deviceIndex))
      }
      revision = try study.keep(
        search: part, revision: revision, evaluations: checkpoint.evaluations, state: checkpoint.state,
        found: new.map { $0.trial(device: devices[$0.deviceIndex]) })
      for candidate in new { kept.insert(Key(point: candidate.point, device: candidate.deviceIndex)) }
    }
  }
}
