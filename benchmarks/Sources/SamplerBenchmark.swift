import Accuracy
import CoSearch
import Foundation
import Twins
import Workbench

/// One run of a sampler, or of the search that uses the twins' structure, as JSON Lines: what `benchmarks/search` compares with peers.
struct SamplerBenchmark {
  let evaluator: CandidateEvaluator

  init(problem path: String) throws {
    let document = try ProblemDocument(file: path)
    evaluator = try SearchSetup(document.problem, document: document, library: .standard()).evaluator
  }

  private struct TrialLine: Encodable {
    var seconds: Double
    /// In the order of the problem's objectives.
    var values: [Double]
    var scalar: Double?
    var feasible: Bool
  }

  /// A sampler that sees only what `evaluate` says; a line a trial.
  func sampler(_ name: String, seed: UInt64, evaluations: Int, batch: Int) throws {
    let problem = evaluator.problem
    let domain = SearchDomain(problem, space: evaluator.space)
    var sampler = try SamplerKind(named: name).sampler(domain: domain, seed: seed)
    let clock = ContinuousClock()
    let start = clock.now
    var lines: [TrialLine] = []
    while lines.count < evaluations {
      let outcomes = try sampler.ask(min(batch, evaluations - lines.count)).map { proposal -> Outcome in
        guard let candidate = evaluator.candidate(of: proposal.point, device: proposal.device) else {
          return .failed(proposal)
        }
        return Outcome(proposal: proposal, assessment: candidate.assessment)
      }
      try sampler.tell(outcomes)
      let seconds = (clock.now - start) / .seconds(1)
      lines += outcomes.map { outcome in
        TrialLine(
          seconds: seconds, values: problem.objectives.map { outcome.values?[$0] ?? .nan }, scalar: outcome.scalar,
          feasible: outcome.isFeasible)
      }
    }
    for line in lines { try Self.write(line) }
  }

  private struct Box: Encodable {
    var objectives: [String]
    var ideal: [Double]
    var reference: [Double]
    var scalar: Bool
  }

  private struct Trace: Encodable {
    var evaluations: Int
    var seconds: Double
    var hypervolume: Double
  }

  private struct Result: Encodable {
    var box: Box
    var hypervolume: Double
    var bestScalar: Double?
    var evaluations: Int
    var seconds: Double
    /// From when the caller began the process until the search began.
    var startSeconds: Double?
    var front: [[Double]]
    var trace: [Trace]
  }

  /// `explore`, in a line. `EDGETWIN_STARTED` may say when the process was begun, in seconds since 1970.
  func explore(seconds: Double, seed: UInt64, threads: Int) async throws {
    let started = ProcessInfo.processInfo.environment["EDGETWIN_STARTED"].flatMap(Double.init)
    let startSeconds = started.map { Date.now.timeIntervalSince1970 - $0 }
    let result = try await Explorer(evaluator).explore(.seconds(seconds), seed: seed, threads: threads)
    try Self.write(
      Result(
        box: Box(
          objectives: result.box.objectives.map(\.rawValue), ideal: result.box.ideal, reference: result.box.reference,
          scalar: evaluator.problem.scalar != nil),
        hypervolume: result.hypervolume, bestScalar: result.bestByScalar?.assessment.scalar,
        evaluations: result.evaluations, seconds: result.seconds, startSeconds: startSeconds,
        front: result.front.map { candidate in
          result.box.objectives.map { candidate.assessment.values[$0] ?? .nan }
        },
        trace: result.trace.map {
          Trace(evaluations: $0.evaluations, seconds: $0.seconds, hypervolume: $0.hypervolume)
        }))
  }

  private static func write(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    FileHandle.standardOutput.write(try encoder.encode(value) + Data("\n".utf8))
  }
}
