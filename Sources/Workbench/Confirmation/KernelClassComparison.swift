import Twins

/// Where a twin is wrong: predicted and measured time of one inference by kernel class, per sequence.
///
/// The engine fuses what the twin counts apart, so the twin's classes are put together as the engine's steps are: all that heads do is
/// `attention`, GELU belongs to the feed-forward stack, and of the two residual sums and norms of a layer, which are alike, one ends the
/// projection and one the feed-forward stack.
public struct KernelClassComparison: Sendable, Hashable {
  public struct Row: Sendable, Hashable {
    /// A kernel class of the twin, or `attention`.
    public var name: String
    public var predictedSeconds: Double
    public var measuredSeconds: Double
    public var differenceSeconds: Double { measuredSeconds - predictedSeconds }

    public init(_ name: String, predictedSeconds: Double, measuredSeconds: Double) {
      self.name = name
      self.predictedSeconds = predictedSeconds
      self.measuredSeconds = measuredSeconds
    }
  }

  /// The largest difference first.
  public var rows: [Row]

  public init(rows: [Row]) {
    self.rows = rows.sorted { (abs($0.differenceSeconds), $1.name) > (abs($1.differenceSeconds), $0.name) }
  }

  /// - Parameters:
  ///   - predicted: seconds a sequence by the twin's classes.
  ///   - steps: of one call with `batchSize` sequences, one after the other.
  public init(
    predicted: [(kernelClass: KernelClass, seconds: Double)], steps: [(kernelClass: String, seconds: Double)],
    batchSize: Int
  ) {
    var measured: [String: Double] = [:]
    for step in steps { measured[step.kernelClass, default: 0] += step.seconds / Double(max(batchSize, 1)) }
    var sums: [String: Double] = [:]
    for part in predicted {
      for (name, share) in Self.places(of: part.kernelClass, measured: Set(measured.keys)) {
        sums[name, default: 0] += share * part.seconds
      }
    }
    self.init(
      rows: Set(sums.keys).union(measured.keys).map {
        Row($0, predictedSeconds: sums[$0] ?? 0, measuredSeconds: measured[$0] ?? 0)
      })
  }

  public init(explanation: Explanation, steps: [(kernelClass: String, seconds: Double)], batchSize: Int) {
    self.init(
      predicted: explanation.parts.map { ($0.kernelClass, $0.seconds) }, steps: steps, batchSize: batchSize)
  }

  /// The engine's classes that hold a class of the twin, with the share of it that each holds.
  private static func places(of kernelClass: KernelClass, measured: Set<String>) -> [(name: String, share: Double)] {
    if measured.contains(kernelClass.rawValue) { return [(kernelClass.rawValue, 1)] }
    switch kernelClass {
    case .scores, .relativeScores, .softmax, .context, .fourier, .cosine, .convolution:
      return [(measured.contains("attention") ? "attention" : kernelClass.rawValue, 1)]
    case .activation: return [(KernelClass.feedForward.rawValue, 1)]
    case .normalisation: return [(KernelClass.projection.rawValue, 0.5), (KernelClass.feedForward.rawValue, 0.5)]
    case .embedding, .projection, .feedForward, .join, .pooler: return [(kernelClass.rawValue, 1)]
    }
  }

  /// Several inferences as one: sums by class.
  public static func sum(_ comparisons: [KernelClassComparison]) -> KernelClassComparison {
    var rows: [String: Row] = [:]
    for row in comparisons.flatMap(\.rows) {
      var sum = rows[row.name] ?? Row(row.name, predictedSeconds: 0, measuredSeconds: 0)
      sum.predictedSeconds += row.predictedSeconds
      sum.measuredSeconds += row.measuredSeconds
      rows[row.name] = sum
    }
    return KernelClassComparison(rows: Array(rows.values))
  }
}
