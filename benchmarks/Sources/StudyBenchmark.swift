import Architectures
import CoSearch
import Foundation
import Numerics
import Studies
import Workbench

/// A study of a million trials: how large its file is, how long it takes to open, and to ask for its front.
struct StudyBenchmark {
  var trials = 1_000_000
  private static let batch = 10_000

  func run() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "study-benchmark-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "s.db").path
    let clock = ContinuousClock()
    func seconds(_ body: () throws -> Void) rethrows -> Double { try clock.measure(body) / .seconds(1) }

    let building = try seconds { try build(path) }
    // What the system has of the file in memory by now stays there; what this process has does not.
    var opening: [Double] = []
    var fronts: [Double] = []
    var count = 0
    for _ in 0..<9 {
      var study: Study?
      opening.append(try seconds { study = try Study.open(path) })
      fronts.append(try seconds { count = try study?.front().count ?? 0 })
      study?.close()
    }
    let bytes = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    let study = try Study.open(path)
    // As edgetwin study ask does it: a sampler is told all that was told; the same process need not tell it again.
    let sampler = StudyAsking(study)
    var asked: [Trial] = []
    let asking = try seconds { asked = try sampler.ask(1) }
    let askingAgain = try seconds { _ = try sampler.ask(1) }
    let telling = try seconds {
      _ = try study.tell([Self.outcome(asked[0].number)]) { _, refusal in refusal }
    }
    var read = 0
    let reading = try seconds { try study.forEachTrial { _ in read += 1 } }
    study.close()
    print("| | goal | measured |\n| --- | --- | --- |")
    print("| trials; on the front | 1 000 000 | \(trials); \(count) |")
    print("| file | 400 MB | \(bytes / 1_000_000) MB |")
    print(String(format: "| opened, median of 9 | 1 s | %.1f ms |", 1_000 * Statistics.median(opening)))
    print(String(format: "| front queried, median of 9 | 100 ms | %.1f ms |", 1_000 * Statistics.median(fronts)))
    print(
      String(
        format: "| one trial asked by a new process, again by the same; told | | %.2f s, %.1f ms; %.1f ms |", asking,
        1_000 * askingAgain, 1_000 * telling))
    print(String(format: "| all trials asked and told, \(Self.batch) a step | | %.0f s |", building))
    print(String(format: "| all \(read) trials read | | %.1f s |", reading))
  }

  private func build(_ path: String) throws {
    var problem = Problem(devices: ["a", "b", "c"], objectives: [.accuracy, .latency, .energy])
    problem.budgets.maxLatencySeconds = 25
    problem.scalar = Scalarisation(
      weights: ObjectiveValues(accuracy: 1, latencySeconds: 1),
      scales: ObjectiveValues(accuracy: 100, latencySeconds: 30))
    let study = try Study.create(
      path,
      StudyDefinition(
        problem: problem, space: .flexibert2,
        devices: problem.devices.map { .init(name: $0, runtime: "protran", file: "") }, seed: 1, sampler: "random",
        program: "edgetwin-benchmarks"))
    defer { study.close() }
    for start in stride(from: 0, to: trials, by: Self.batch) {
      let asked = try study.ask { history in
        Study.Proposals(
          candidates: (0..<min(Self.batch, trials - start)).map { offset in
            var random = CounterRandom(seed: 1, stream: UInt64(history.count + offset))
            return (study.definition.space.randomPoint(using: &random), random.nextIndex(below: 3))
          })
      }
      _ = try study.tell(asked.map { Self.outcome($0.number) }) { _, refusal in refusal }
    }
  }

  /// Accuracy rises with costs, with noise, as it does for models: fronts have some hundred members.
  private static func outcome(_ trial: Int) -> TrialOutcome {
    var random = CounterRandom(seed: 2, stream: UInt64(trial))
    let size = random.nextUniform()
    let latency = 0.05 * exp(6 * size + 0.5 * random.nextNormal())
    let energy = latency * 3 * exp(0.4 * random.nextNormal())
    return TrialOutcome(
      trial: trial, isComplete: true,
      values: ObjectiveValues(
        accuracy: 60 + 22 * size + 0.7 * random.nextNormal(), latencySeconds: latency, energyJoules: energy,
        peakPowerWatts: 5 + random.nextUniform(), parameters: (1e7 * exp(2.5 * size)).rounded()))
  }
}
