import Numerics

/// A step of one inference, as it was timed on the board.
public struct TimedKernel: Sendable, Hashable {
  public var name: String
  /// By the twin's names of kernel classes.
  public var kernelClass: String
  /// Nil outside of the layers.
  public var layer: Int?
  /// From the start of the inference.
  public var startSeconds: Double
  public var durationSeconds: Double

  public init(name: String, kernelClass: String, layer: Int?, startSeconds: Double, durationSeconds: Double) {
    self.name = name
    self.kernelClass = kernelClass
    self.layer = layer
    self.startSeconds = startSeconds
    self.durationSeconds = durationSeconds
  }

  /// Several profiles of one model as one: the median duration of each step, put one after another.
  ///
  /// - Returns: the first where they do not have the same steps; none for none.
  public static func median(_ profiles: [[TimedKernel]]) -> [TimedKernel] {
    guard let first = profiles.first, profiles.allSatisfy({ $0.count == first.count }) else {
      return profiles.first ?? []
    }
    var now = 0.0
    return first.indices.map { index in
      var step = first[index]
      step.startSeconds = now
      step.durationSeconds = Statistics.median(profiles.map { $0[index].durationSeconds })
      now += step.durationSeconds
      return step
    }
  }
}

/// A workload that can tell where its time goes.
public protocol ProfiledWorkload: RunnableWorkload {
  /// One inference with the clock read between its steps.
  func profile() throws -> [TimedKernel]
}
