import Architectures

/// A small fixed model that runs between the repeats of others, to know what the cores are good for at that moment.
///
/// A core that shares its units, or its clock, with another program's is slower by up to a half for minutes, and no counter of a virtual machine
/// shows it. All models are about as much slower as this one, which runs on the same threads (a control sample, in the words of metrology).
public final class PaceGauge {
  private let workload: any RunnableWorkload
  private let clock: any MonotonicClock

  /// Half a million multiplications a token: one or two milliseconds on a core of today, without the many small kernels that few
  /// models have as large a share of.
  private static let architecture = Architecture(
    vocabularySize: 512, maximumPositions: 128, typeVocabularySize: 2, position: .absolute,
    layers: [
      .init(hiddenSize: 256, headSize: 64, heads: Array(repeating: .scaledDotProduct, count: 4), feedForward: [512])
    ])
  private static let sequenceLength = 96

  /// - Parameters:
  ///   - threads: of the models beside which it runs.
  ///   - cores: those of the models' threads (``NativeRuntime/init(cores:)``); with fewer than threads, those of the calling thread.
  /// - Throws: `KernelError` where the engine cannot run.
  public init(threads: Int, cores: [Int] = [], clock: any MonotonicClock = SystemClock()) throws {
    workload = try NativeRuntime(cores: cores).workload(
      Self.architecture, settings: RunSettings(batchSize: 1, sequenceLength: Self.sequenceLength, threads: threads))
    self.clock = clock
    try workload.prepare()
  }

  deinit { workload.release() }

  /// Seconds of one call; one before it brings the model into cache. Infinite where it cannot run any more.
  public func seconds() -> Double {
    guard let both = try? workload.callSeconds(2, clock: clock) else { return .infinity }
    return both[1]
  }
}
