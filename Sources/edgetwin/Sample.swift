import Architectures
import ArgumentParser
import Foundation
import Workbench

struct Sample: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw architectures of a design space, or compare the ways to draw them.",
    discussion: """
        edgetwin sample --count 10 --seed 1
        edgetwin sample --count 100 --seed 1 --method sobol --space my-space.yaml
        edgetwin sample --count 256 --seed 1 --compare

      Prints architectures as JSON Lines, each with its id and its embedding; with --compare a table of all methods, by \
      how far apart their architectures lie (ProTran's pairwise distance).
      """)

  @Option(help: "How many.")
  var count: Int

  @Option(help: "Seed: the same seed gives the same architectures.")
  var seed: UInt64

  @Option(help: "File of a design space (YAML); by default FlexiBERT 2.0.")
  var space: String?

  @Option(help: "lhs (Latin hypercube), sobol, halton, hammersley or random.")
  var method: SamplingMethod = .lhs

  @Flag(help: "Compare all methods; --method is not used.")
  var compare = false

  @Option(help: "table (for people), json, jsonl or csv; by default jsonl, with --compare table.")
  var format: RecordFormat?

  /// Comparing looks at all pairs.
  private static let mostCompared = 10_000

  func validate() throws {
    guard (1...10_000_000).contains(count) else { throw ValidationError("--count must be from 1 to 10000000") }
    if compare, !(2...Self.mostCompared).contains(count) {
      throw ValidationError("--count must be from 2 to \(Self.mostCompared) with --compare")
    }
  }

  /// The space in a file, or FlexiBERT 2.0.
  static func space(_ path: String?) throws -> DesignSpace {
    guard let path, path != DesignSpace.flexibert2.id else { return .flexibert2 }
    return try DesignSpace(path: path)
  }

  func run() throws {
    let space = try Self.space(space)
    if compare {
      let comparison = try SamplerComparison(space, count: count, seed: seed)
      let format = format ?? .table
      return try format == .table
        ? Console.write(comparison.text) : Console.write(comparison.records, format: format)
    }
    let points = try space.sample(count: count, seed: seed, method: method)
    if format == .table {
      try Console.write(ArchitectureRecord.table(points.map(space.architecture(of:))))
    } else {
      try Console.write(
        points.lazy.map { point in
          var record = ArchitectureRecord.record(space.architecture(of: point))
          record.add("embedding", .list(space.embedding(of: point).map(FieldValue.whole)))
          // An embedding says nothing without its space.
          if space.id != DesignSpace.flexibert2.id { record.add("space_id", .text(space.id)) }
          return record
        }, format: format ?? .jsonl)
    }
    if count > 1, count <= 2_000, Console.hasTerminal {
      let distance = space.pairwiseDistance(of: points)
      Console.say(
        "distance between embeddings, scaled to 0…1: mean \(Humane.digits(distance.mean)),"
          + " least \(Humane.digits(distance.minimum)); --compare shows all methods")
    }
  }
}
