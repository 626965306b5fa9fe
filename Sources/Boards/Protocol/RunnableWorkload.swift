import Architectures

/// How a model is run on a board.
public struct RunSettings: Sendable, Hashable {
  /// Sequences in one call.
  public var batchSize: Int
  /// Tokens in a sequence.
  public var sequenceLength: Int
  public var threads: Int
  /// One of `Measurement.precisions`.
  public var precision: String

  public init(batchSize: Int, sequenceLength: Int, threads: Int, precision: String = "fp32") {
    self.batchSize = batchSize
    self.sequenceLength = sequenceLength
    self.threads = threads
    self.precision = precision
  }
}

/// One model, ready to be run again and again on the same input: what is timed.
///
/// Used from one thread at a time.
public protocol RunnableWorkload: AnyObject {
  /// What messages call it, such as the architecture's id.
  var name: String { get }
  /// Memory that it takes once prepared, as far as that is known beforehand.
  var memoryBytes: Double { get }
  /// What is known of how it runs, such as the name and version of the matrix library; complete once prepared.
  var environment: [String: String] { get }
  /// Loads or makes the weights and plans the memory. Not timed.
  func prepare() throws
  /// One call with one batch.
  func runOnce() throws
  /// Seconds of each of `count` calls, one after the other.
  ///
  /// A workload that runs in another process times itself there; others need not implement this.
  func callSeconds(_ count: Int, clock: any MonotonicClock) throws -> [Double]
  /// Gives the memory back; ``prepare()`` may follow.
  func release()
}

extension RunnableWorkload {
  public var environment: [String: String] { [:] }

  public func callSeconds(_ count: Int, clock: any MonotonicClock) throws -> [Double] {
    var seconds: [Double] = []
    seconds.reserveCapacity(count)
    var last = clock.now()
    for _ in 0..<count {
      try runOnce()
      let now = clock.now()
      seconds.append(now - last)
      last = now
    }
    return seconds
  }
}

/// Software that runs models on this board: this project's kernels, or a runtime that others use.
public protocol BoardRuntime {
  /// The name that measurements carry, such as `native`.
  var name: String { get }
  /// Precisions that it can run here.
  var precisions: [String] { get }
  /// - Throws: ``BoardError`` where the runtime cannot run it.
  func workload(_ architecture: Architecture, settings: RunSettings) throws -> any RunnableWorkload
  /// Ends what the runtime started.
  func close()
}

extension BoardRuntime {
  public func close() {}
}
