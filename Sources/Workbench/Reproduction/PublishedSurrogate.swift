import Architectures
import CoSearch
import Numerics

/// The published scores, refitted to the authors' own pairs by boosted trees on the embedding: their own kind of surrogate.
///
/// It stands for what their searches were told, on the scale of their queries; not for accuracy (``PublishedRecords/cautions``).
package struct PublishedSurrogate: Sendable {
  private let space: DesignSpace
  private let trees: BoostedTrees
  /// The models that it is fitted to, each once, and their scores, 0 to 1.
  package let models: [DesignPoint]
  package let scores: [Double]
  private let seed: UInt64

  package init(_ data: PublishedData, space: DesignSpace, seed: UInt64) {
    self.space = space
    self.seed = seed
    var sums: [DesignPoint: (sum: Double, count: Int)] = [:]
    for pair in data.pairs {
      let known = sums[pair.point] ?? (0, 0)
      sums[pair.point] = (known.sum + pair.score, known.count + 1)
    }
    var seen: Set<DesignPoint> = []
    models = data.pairs.map(\.point).filter { seen.insert($0).inserted }
    scores = models.map { model in sums[model].map { $0.sum / Double($0.count) } ?? 0 }
    trees = BoostedTrees(
      models.map { Self.row($0, space) }, scores, seed: seed, stream: 0x50B, configuration: .close)
  }

  private static func row(_ point: DesignPoint, _ space: DesignSpace) -> [Double] {
    space.embedding(of: point).map(Double.init)
  }

  /// Their "GLUE", 0 to 1.
  package func score(of point: DesignPoint) -> Double { trees.predict(Self.row(point, space)).mean }

  /// Root mean square of errors on models that were left out.
  var heldOutError: Double {
    BoostedTrees.heldOutError(
      models.map { Self.row($0, space) }, scores, seed: seed, configuration: .close)
  }

  /// Standard deviation of the scores themselves.
  var scoreSpread: Double { Statistics.standardDeviation(scores) }
}
