import Accuracy
import Architectures
import CoSearch
import Foundation
import Twins

/// How much of a long search's hypervolume a short one reaches, on the problems that ship.
struct SearchBenchmark {
  var longSeconds: Double
  var problems = ["edge-loose", "edge-tight", "published"]

  func run() async throws {
    print("| problem | 1 s | 10 s | \(Int(longSeconds)) s | 10 s of the long run |\n| --- | --- | --- | --- | --- |")
    for name in problems {
      let path = "benchmarks/problems/\(name).yaml"
      let problem = try Problem.decode(String(contentsOfFile: path, encoding: .utf8), name: path)
      let space = try problem.designSpace(relativeTo: URL(fileURLWithPath: path).deletingLastPathComponent())
      let devices = try problem.devices.map { id -> any CandidateCosting in
        let file = try DeviceFile(path: "device-models/\(id).yaml")
        let twin = try Twin(file: file, runtime: "protran")
        return TwinCosting(CompiledTwin(twin, space: space), deviceID: id, space: space)
      }
      let evaluator = try CandidateEvaluator(
        problem: problem, space: space, devices: devices, accuracy: try AccuracyPredictor.fitted())
      let explorer = Explorer(evaluator)
      var volumes: [Double] = []
      for seconds in [1, 10, longSeconds] {
        volumes.append(try await explorer.explore(.seconds(seconds), seed: 1, threads: 2).hypervolume)
      }
      print(
        "| \(name) | "
          + volumes.map { String(format: "%.5f", $0) }.joined(separator: " | ")
          + String(format: " | %.2f %% |", 100 * volumes[1] / volumes[2]))
    }
  }
}
