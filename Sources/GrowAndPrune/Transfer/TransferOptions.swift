/// What is done with parts that a parent does not have, or has in another size.
package struct TransferOptions: Sendable, Hashable {
  /// How new parts start.
  package enum Growth: String, Sendable, Hashable, CaseIterable, Codable {
    /// So that the child computes what its parent computes: what reads a new part is zero.
    case preserving
    /// With initial weights throughout, as published: the child has to recover first.
    case fresh
  }

  /// What becomes of an axis whose sizes differ, between architectures without a common lineage.
  package enum UnequalSizes: String, Sendable, Hashable, CaseIterable, Codable {
    /// The leading elements ("OD").
    case orderedCopy = "ordered_copy"
    /// A Gaussian random projection ("RP").
    case randomProjection = "random_projection"
  }

  package var growth: Growth
  /// Nil maps by identity alone: within one lineage.
  package var unequalSizes: UnequalSizes?
  /// Of initial weights and projections.
  package var seed: UInt64

  package init(growth: Growth = .preserving, unequalSizes: UnequalSizes? = nil, seed: UInt64 = 0) {
    self.growth = growth
    self.unequalSizes = unequalSizes
    self.seed = seed
  }
}

/// How much of a child came from its parent, in numbers of the child's weights.
package struct TransferReport: Sendable, Hashable {
  /// As they were in the parent, or made of them exactly (a folded norm, a layer written as its identity).
  package var copied = 0
  package var projected = 0
  /// Initial, or zero.
  package var new = 0

  package init() {}

  package var total: Int { copied + projected + new }
  /// Of the child's weights, those that are the parent's or a projection of them.
  package var transferredShare: Double { total == 0 ? 0 : Double(copied + projected) / Double(total) }
}
