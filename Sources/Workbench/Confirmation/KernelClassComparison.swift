import Twins

/// Where a twin is wrong: predicted and measured time of one inference by kernel class, per sequence.
public struct KernelClassComparison: Sendable, Hashable {
  public struct Row: Sendable, Hashable {
    public var kernelClass: KernelClass
    public var predictedSeconds: Double
    public var measuredSeconds: Double
    public var differenceSeconds: Double { measuredSeconds - predictedSeconds }

    public init(kernelClass: KernelClass, predictedSeconds: Double, measuredSeconds: Double) {
      self.kernelClass = kernelClass
      self.predictedSeconds = predictedSeconds
      self.measuredSeconds = measuredSeconds
    }
  }

  /// The largest difference first.
  public var rows: [Row]
  /// Measured time of steps whose class no twin knows.
  public var unknownSeconds: Double

  public init(rows: [Row], unknownSeconds: Double = 0) {
    self.rows = rows.sorted {
      (abs($0.differenceSeconds), $1.kernelClass.index) > (abs($1.differenceSeconds), $0.kernelClass.index)
    }
    self.unknownSeconds = unknownSeconds
  }

  /// - Parameter steps: of one call with `batchSize` sequences, one after the other, by the twin's names of classes.
  public init(explanation: Explanation, steps: [(kernelClass: String, seconds: Double)], batchSize: Int) {
    var measured: [KernelClass: Double] = [:]
    var unknown = 0.0
    for step in steps {
      let seconds = step.seconds / Double(max(batchSize, 1))
      if let kernelClass = KernelClass(rawValue: step.kernelClass) {
        measured[kernelClass, default: 0] += seconds
      } else {
        unknown += seconds
      }
    }
    var rows: [Row] = []
    for kernelClass in KernelClass.allCases {
      let predicted = explanation.parts.first { $0.kernelClass == kernelClass }?.seconds
      guard predicted != nil || measured[kernelClass] != nil else { continue }
      rows.append(
        Row(kernelClass: kernelClass, predictedSeconds: predicted ?? 0, measuredSeconds: measured[kernelClass] ?? 0))
    }
    self.init(rows: rows, unknownSeconds: unknown)
  }

  /// Several inferences as one: sums by class.
  public static func sum(_ comparisons: [KernelClassComparison]) -> KernelClassComparison {
    var rows: [KernelClass: Row] = [:]
    for row in comparisons.flatMap(\.rows) {
      rows[row.kernelClass, default: Row(kernelClass: row.kernelClass, predictedSeconds: 0, measuredSeconds: 0)]
        .predictedSeconds += row.predictedSeconds
      rows[row.kernelClass]?.measuredSeconds += row.measuredSeconds
    }
    return KernelClassComparison(
      rows: Array(rows.values), unknownSeconds: comparisons.reduce(0) { $0 + $1.unknownSeconds })
  }
}
