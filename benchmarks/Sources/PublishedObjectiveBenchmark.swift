import CoSearch
import Foundation
import Numerics
import Workbench

/// The published co-search objective, 1 − P, with surrogates refitted to the published data: boosted trees on the embedding for its
/// "GLUE" (which is no GLUE: see benchmarks/problems/published.yaml), the calibrated twins for what a pair costs. How long it takes to go below
/// the best of the profiled pairs and of every published run, all on the scale of the queries.
struct PublishedObjectiveBenchmark {
  var samplers: [SamplerKind] = [.nsga2, .regularizedEvolution, .standard]
  var seeds = 20
  private static let limitSeconds = 1.0

  func run() throws {
    guard let data = ProcessInfo.processInfo.environment["EDGETWIN_DATA"] else {
      throw SearchError.nothingToDo("EDGETWIN_DATA is not set: it names the folder with edgetran/codesign_dataset.json")
    }
    let records = try PublishedData(folder: data)
    let document = try ProblemDocument(file: "benchmarks/problems/published.yaml")
    let evaluator = try SearchSetup(document.problem, document: document, library: .standard()).evaluator
    guard let scalarisation = document.problem.scalar else { return }
    let surrogate = PublishedSurrogate(records, space: evaluator.space, seed: 1)
    let outcomes = records.pairs.compactMap { pair -> Outcome? in
      guard let device = document.problem.devices.firstIndex(of: pair.device) else { return nil }
      let values = ObjectiveValues(
        accuracy: 100 * pair.score, latencySeconds: pair.latencySeconds, energyJoules: pair.energyJoules,
        peakPowerWatts: pair.peakPowerWatts)
      return Outcome(
        proposal: Proposal(point: pair.point, device: device), values: values, scalar: scalarisation.value(values),
        isFeasible: true)
    }
    let profiled = outcomes.compactMap(\.scalar).min() ?? .nan
    let error = zip(surrogate.models, surrogate.scores).reduce(0) { $0 + abs(surrogate.score(of: $1.0) - $1.1) }
    print(
      String(
        format: "%d profiled pairs, the best %.4f; \"GLUE\" of %d models refitted with a mean error of %.5f.\n",
        records.pairs.count, profiled, surrogate.models.count, error / Double(max(surrogate.models.count, 1))))
    print("| search | best 1 − P | time |\n| --- | --- | --- |")
    for run in records.runs.sorted(by: { $0.best > $1.best }) {
      print("| published \(run.name) | " + String(format: "%.4f | %.0f s |", run.best, run.seconds))
    }

    func outcome(_ proposal: Proposal) -> Outcome {
      guard let candidate = evaluator.candidate(of: proposal.point, device: proposal.device) else {
        return .failed(proposal)
      }
      var values = candidate.assessment.values
      values.accuracy = 100 * surrogate.score(of: proposal.point)
      return Outcome(proposal: proposal, values: values, scalar: scalarisation.value(values), isFeasible: true)
    }
    let domain = SearchDomain(document.problem, space: evaluator.space, goal: .scalar)
    for kind in samplers {
      var bests: [Double] = []
      var times: [Double] = []
      for seed in 1...seeds {
        var sampler = try kind.sampler(domain: domain, seed: UInt64(seed))
        let clock = ContinuousClock()
        let start = clock.now
        // As the published runs did, from what was profiled.
        try sampler.tell(outcomes)
        var best = Double.infinity
        var reached = Double.infinity
        while (clock.now - start) / .seconds(1) < Self.limitSeconds {
          let told = try sampler.ask(50).map(outcome)
          try sampler.tell(told)
          best = told.reduce(best) { min($0, $1.scalar ?? .infinity) }
          if best < profiled, reached == .infinity { reached = (clock.now - start) / .seconds(1) }
        }
        bests.append(best)
        times.append(reached)
      }
      print(
        "| \(kind.rawValue) | "
          + String(
            format: "%.4f, median after 1 s | %.3f s, median to below %.4f; %d of %d seeds within 1 s |",
            Statistics.median(bests), Statistics.median(times), profiled, times.count(where: \.isFinite), seeds))
    }
  }
}
