/// The number format that the kernels multiply in.
public enum KernelPrecision: String, Sendable, Hashable, CaseIterable {
  case fp32
  /// Weights as 8-bit integers with a scale a column, activations as 8-bit integers with a scale a row found as they come;
  /// sums and everything else in fp32 (dynamic quantisation).
  case int8
}

/// How a session runs.
public struct SessionOptions: Sendable, Hashable {
  /// Threads that share the work, the caller among them.
  public var threads: Int
  public var precision: KernelPrecision
  /// Pins thread i to core i, the calling thread among them: for measuring.
  public var pinned: Bool
  /// Highest instruction set to use, one of ``instructionSets``; nil for the best that the processor has. Where the processor lacks it,
  /// the next lower serves.
  public var instructionSet: String?

  /// What ``instructionSet`` can be; `avx512` is that without 8-bit dot products.
  public static let instructionSets = ["avx512", "avx2", "baseline"]

  public init(
    threads: Int = 1, precision: KernelPrecision = .fp32, pinned: Bool = false,
    instructionSet: String? = nil
  ) {
    self.threads = threads
    self.precision = precision
    self.pinned = pinned
    self.instructionSet = instructionSet
  }
}
