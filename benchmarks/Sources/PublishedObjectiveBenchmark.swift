import Accuracy
import Architectures
import CoSearch
import Foundation
import Numerics
import Twins
import Workbench

/// The published co-search objective, 1 − P, with surrogates refitted to the published data: boosted trees on the embedding for its
/// "GLUE" (which is no GLUE: see benchmarks/problems/published.yaml), the calibrated twins for what a pair costs. How long it takes to go below
/// the best of the profiled pairs and of every published run, all on the scale of the queries.
struct PublishedObjectiveBenchmark {
  private struct Pair: Decodable {
    struct Performance: Decodable {
      var latency: Double
      var energy: Double
      var peakPower: Double
      var glue: Double

      enum CodingKeys: String, CodingKey {
        case latency, energy, glue
        case peakPower = "peak_power"
      }
    }
    var performance: Performance
    var embedding: String
    var device: String

    enum CodingKeys: String, CodingKey {
      case performance
      case embedding = "embedding_txf"
      case device = "embedding_device"
    }
  }

  private struct PublishedRun: Decodable {
    var performance: Double
    var time: Double
  }

  var samplers: [SamplerKind] = [.nsga2, .regularizedEvolution, .standard]
  var seeds = 20
  private static let limitSeconds = 1.0

  func run() throws {
    guard let data = ProcessInfo.processInfo.environment["EDGETWIN_DATA"] else {
      throw SearchError.nothingToDo("EDGETWIN_DATA is not set: it names the folder with edgetran/codesign_dataset.json")
    }
    let folder = URL(filePath: data).appending(path: "edgetran")
    let pairs = try JSONDecoder().decode(
      [String: Pair].self, from: Data(contentsOf: folder.appending(path: "codesign_dataset.json"))
    ).sorted { $0.key < $1.key }.map(\.value)
    let published = try JSONDecoder().decode(
      [String: PublishedRun].self, from: Data(contentsOf: folder.appending(path: "codesign_results.json")))
    let document = try ProblemDocument(file: "benchmarks/problems/published.yaml")
    let evaluator = try SearchSetup(document.problem, document: document, library: .standard()).evaluator
    guard let scalarisation = document.problem.scalar else { return }
    let space = evaluator.space

    func numbers(_ text: String) -> [Int] {
      text.split { !$0.isNumber }.compactMap { Int($0) }
    }
    var known: [(embedding: [Int], glue: Double)] = []
    var outcomes: [Outcome] = []
    for pair in pairs {
      let embedding = numbers(pair.embedding)
      if !known.contains(where: { $0.embedding == embedding }) { known.append((embedding, pair.performance.glue)) }
      guard let device = numbers(pair.device).firstIndex(of: 1),
        let point = try? space.point(ofEmbedding: embedding)
      else { continue }
      let values = ObjectiveValues(
        accuracy: 100 * pair.performance.glue, latencySeconds: pair.performance.latency,
        energyJoules: pair.performance.energy, peakPowerWatts: pair.performance.peakPower)
      outcomes.append(
        Outcome(
          proposal: Proposal(point: point, device: device), values: values, scalar: scalarisation.value(values),
          isFeasible: true))
    }
    let profiled = outcomes.compactMap(\.scalar).min() ?? .nan
    let glue = BoostedTrees(
      known.map { $0.embedding.map(Double.init) }, known.map(\.glue), seed: 1, stream: 0, configuration: .close)
    let error = known.reduce(0) { $0 + abs(glue.predict($1.embedding.map(Double.init)).mean - $1.glue) }
    print(
      String(
        format: "%d profiled pairs, the best %.4f; \"GLUE\" of %d models refitted with a mean error of %.5f.\n",
        pairs.count,
        profiled, known.count, error / Double(known.count)))
    print("| search | best 1 − P | seconds |\n| --- | --- | --- |")
    for (name, run) in published.sorted(by: { $0.key < $1.key }) {
      print("| published \(name) | " + String(format: "%.4f | %.0f |", run.performance, run.time))
    }

    func outcome(_ proposal: Proposal) -> Outcome {
      guard let candidate = evaluator.candidate(of: proposal.point, device: proposal.device) else {
        return .failed(proposal)
      }
      var values = candidate.assessment.values
      values.accuracy = 100 * glue.predict(space.embedding(of: proposal.point).map(Double.init)).mean
      return Outcome(proposal: proposal, values: values, scalar: scalarisation.value(values), isFeasible: true)
    }
    let domain = SearchDomain(document.problem, space: space, goal: .scalar)
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
            format: "%.4f median after 1 s | %.3f median to below %.4f, %d of %d seeds |", Statistics.median(bests),
            Statistics.median(times), profiled, times.count(where: \.isFinite), seeds))
    }
  }
}
