import Architectures
import ArgumentParser
import Foundation
import Workbench

struct Sample: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw architectures of a design space.",
    discussion: """
        edgetwin sample --count 10 --seed 1
        edgetwin sample --count 100 --seed 1 --method sobol --space my-space.yaml

      Prints architectures as JSON Lines, each with its id and its embedding.
      """)

  @Option(help: "How many.")
  var count: Int

  @Option(help: "Seed: the same seed gives the same architectures.")
  var seed: UInt64

  @Option(help: "File of a design space (YAML); by default FlexiBERT 2.0.")
  var space: String?

  @Option(help: "lhs (Latin hypercube), sobol, halton, hammersley or random.")
  var method: SamplingMethod = .lhs

  func validate() throws {
    guard (0...10_000_000).contains(count) else { throw ValidationError("--count must be from 0 to 10000000") }
  }

  func run() throws {
    let space = try space.map { try DesignSpace(path: $0) } ?? .flexibert2
    let points = try space.sample(count: count, seed: seed, method: method)
    try Console.write(
      points.lazy.map { point in
        var record = ArchitectureRecord.record(space.architecture(of: point))
        record.add("embedding", .list(space.embedding(of: point).map(FieldValue.whole)))
        return record
      }, format: .jsonl)
    if count > 1, count <= 2_000, Console.hasTerminal {
      let distance = space.pairwiseDistance(of: points)
      Console.say(
        "distance between embeddings, scaled to 0…1: mean \(Humane.digits(distance.mean)),"
          + " least \(Humane.digits(distance.minimum))")
    }
  }
}
