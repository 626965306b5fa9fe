/// The number format that the kernels multiply in.
public enum KernelPrecision: String, Sendable, Hashable, CaseIterable {
  case fp32
  /// Weights as 8-bit integers with a scale a column (7-bit with AVX2, whose products would saturate else), activations as 8-bit
  /// integers with a scale a row found as they come; sums in 32 bits and everything else in fp32 (dynamic quantisation).
  case int8
}

/// How a session runs.
public struct SessionOptions: Sendable, Hashable {
  /// Threads that share the work, the caller among them.
  public var threads: Int
  public var precision: KernelPrecision
  /// A core for each thread, the calling thread, which stays on it, the first: for measuring. With fewer than ``threads`` the system chooses.
  public var cores: [Int]
  /// Highest instruction set to use, one of ``instructionSets``; nil for the best that the processor has. Where the processor lacks it,
  /// the next lower serves.
  public var instructionSet: String?

  /// What multiplies the fp32 linear layers. Nil: what the environment variable EDGETWIN_MATRIX_LIBRARY names, else our own kernels, but on
  /// processors that they are not written for (neither AVX2 nor AVX-512) the first of Accelerate, oneDNN and OpenBLAS that is
  /// installed.
  public var matrixLibrary: MatrixLibraryChoice?

  /// What ``instructionSet`` can be; `avx512` is that without 8-bit dot products.
  public static let instructionSets = ["avx512", "avx2", "baseline"]

  public init(
    threads: Int = 1, precision: KernelPrecision = .fp32, cores: [Int] = [],
    instructionSet: String? = nil, matrixLibrary: MatrixLibraryChoice? = nil
  ) {
    self.threads = threads
    self.precision = precision
    self.cores = cores
    self.instructionSet = instructionSet
    self.matrixLibrary = matrixLibrary
  }
}
