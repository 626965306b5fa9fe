import Architectures

/// How far apart the architectures lie that each sampler draws: the figure by which ProTran compares samplers.
public struct SamplerComparison: Sendable {
  public struct Row: Sendable {
    public var method: SamplingMethod
    public var distance: PairwiseDistance
    /// Different architectures among those drawn.
    public var distinct: Int
  }

  public let space: DesignSpace
  public let count: Int
  public let seed: UInt64
  /// A row a method, the widest mean distance first.
  public let rows: [Row]

  /// - Parameter count: architectures that each method draws; all pairs of them are looked at.
  /// - Throws: `DesignSpaceError` where a method cannot draw so many.
  public init(_ space: DesignSpace, count: Int, seed: UInt64) throws {
    self.space = space
    self.count = count
    self.seed = seed
    rows = try SamplingMethod.allCases.map { method in
      let points = try space.sample(count: count, seed: seed, method: method)
      return Row(method: method, distance: space.pairwiseDistance(of: points), distinct: Set(points).count)
    }.sorted { $0.distance.mean > $1.distance.mean }
  }

  public var records: [Record] {
    rows.map { row in
      var record = Record()
      record.add("method", .text(row.method.rawValue))
      record.add("count", .whole(count))
      record.add("seed", .whole(Int(clamping: seed)))
      record.add("mean_distance", .number(row.distance.mean))
      record.add("distance_spread", .number(row.distance.spread))
      record.add("least_distance", .number(row.distance.minimum))
      record.add("distinct", .whole(row.distinct))
      record.add("space_id", .text(space.id))
      return record
    }
  }

  /// The table for people.
  public var text: String {
    var table = TextTable([
      .init("method"), .init("mean distance", right: true), .init("spread", right: true), .init("least", right: true),
      .init("distinct", right: true),
    ])
    for row in rows {
      table.add([
        row.method.rawValue, Humane.digits(row.distance.mean), Humane.digits(row.distance.spread),
        Humane.digits(row.distance.minimum), "\(row.distinct)",
      ])
    }
    return table.text
      + "Euclidean distances between the \(space.embeddingDimension)-number embeddings, each number scaled to 0…1, over all pairs"
      + " of \(count) architectures (seed \(seed)), of \(SpaceSummary(space).roundedCardinality).\n"
  }
}
