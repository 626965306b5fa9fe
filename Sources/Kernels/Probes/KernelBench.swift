import Architectures
import CKernels

/// Threads and memory to time single kernels of the engine with, as models would run them: linear maps whose weights are not in the
/// first caches, heads whose q, k and v lie side by side. Used from one thread, which is one of its threads.
public final class KernelBench {
  public let threads: Int
  /// Instruction set of the kernels.
  public let library: MatrixLibrary

  let kernels: UnsafePointer<edgetwin_kernels>
  let pool: OpaquePointer
  let scratch: AlignedMemory
  let scratchStride: Int
  let weights: AlignedMemory
  let input: AlignedMemory
  let output: AlignedMemory
  let bias: AlignedMemory
  /// Of 8-bit weights.
  let scales: AlignedMemory
  private var tables: [AlignedMemory] = []

  /// What weights of one kind of map are spread over where nothing else is said: more than a second-level cache, and not much of a
  /// last-level one.
  public static let cachedBytes = 4 << 20
  /// All weights: tables of distances lie far apart, of which only some columns are read.
  public static let weightBytes = 64 << 20
  /// Outputs are written over so much memory in turn: a model's next use of it finds it in the second or third cache.
  static let outputBytes = 2 << 20
  /// Floats of the largest activations.
  static let activationFloats = 2_048 * (4_096 + 16)
  static let longest = 512
  static let widestHead = 1_024
  static let widestMap = 16_384

  /// Whether the kernels multiply in 8-bit integers.
  public var hasInt8: Bool { int8Kernels != nil }
  /// As a session takes them: where the widest vectors have no 8-bit products, those of AVX2.
  let int8Kernels: UnsafePointer<edgetwin_kernels>?

  /// - Parameter cores: one for each thread, this thread's first, which stays on it; with fewer the system chooses.
  /// - Throws: ``KernelError`` (kind `machine`) where threads cannot be started.
  public init(threads: Int, cores: [Int] = [], instructionSet: String? = nil) throws(KernelError) {
    guard (1...256).contains(threads) else {
      throw KernelError(.input, "threads must be 1 to 256, not \(threads)")
    }
    guard let kernels = edgetwin_kernels_best(instructionSet) else {
      throw KernelError(.machine, "there are no kernels for this processor")
    }
    pool = try ThreadPool.make(threads: threads, cores: cores)
    self.threads = threads
    self.kernels = kernels
    int8Kernels =
      if kernels.pointee.int8 {
        kernels
      } else if instructionSet != "baseline", let narrower = edgetwin_kernels_best("avx2"), narrower.pointee.int8 {
        narrower
      } else {
        nil
      }
    library = MatrixLibrary(name: "edgetwin", version: "", core: String(cString: kernels.pointee.name))
    var widest = edgetwin_attention()
    widest.head_size = Self.widestHead
    widest.head_size_padded = Self.widestHead
    var quantised = edgetwin_linear()
    quantised.inputs = Self.widestMap
    quantised.precision = Int32(EDGETWIN_INT8.rawValue)
    let most = max(
      edgetwin_attention_scratch(kernels, &widest, Self.longest), edgetwin_linear_scratch(&quantised))
    scratchStride = (most + 63) / 16 * 16
    scratch = AlignedMemory(floats: scratchStride * threads)
    weights = AlignedMemory(byteCount: Self.weightBytes)
    input = AlignedMemory(floats: Self.activationFloats)
    output = AlignedMemory(floats: Self.activationFloats)
    bias = AlignedMemory(floats: Self.widestMap + 64)
    scales = AlignedMemory(floats: Self.widestMap + 64)
    scales.floats.update(repeating: 0.01, count: Self.widestMap + 64)
    // xorshift32: neither zeros nor numbers that processors handle slowly.
    var state: UInt32 = 2_463_534_242
    for memory in [weights, input, output] {
      for index in 0..<memory.byteCount / 4 {
        state ^= state << 13
        state ^= state >> 17
        state ^= state << 5
        memory.floats[index] = (Float(state >> 8) / Float(1 << 24) - 0.5) * 0.07
      }
    }
  }

  deinit { edgetwin_pool_destroy(pool) }

  /// Reads the first so many bytes of the weights into the caches.
  public func warm(bytes: Int) {
    // A float of each cache line.
    for index in stride(from: 0, to: min(bytes, weights.byteCount) / 4, by: 16) { touched += weights.floats[index] }
  }

  /// What was read, so that it is.
  private var touched: Float = 0

  /// Memory that lives as long as the bench.
  func table(floats: Int) -> UnsafeMutablePointer<Float> {
    let memory = AlignedMemory(floats: floats)
    tables.append(memory)
    return memory.floats
  }

  private var fourierTables: [Int: UnsafePointer<Float>] = [:]
  private var cosineTables: [Int: UnsafePointer<Float>] = [:]

  func fourierTable(_ length: Int) -> UnsafePointer<Float> {
    if let known = fourierTables[length] { return known }
    let table = table(floats: edgetwin_fourier_floats(length) + 64)
    edgetwin_fourier_table(length, table)
    fourierTables[length] = UnsafePointer(table)
    return UnsafePointer(table)
  }

  func cosineTable(_ length: Int) -> UnsafePointer<Float> {
    if let known = cosineTables[length] { return known }
    let table = table(floats: edgetwin_cosine_floats(length) + 64)
    edgetwin_cosine_table(length, table)
    cosineTables[length] = UnsafePointer(table)
    return UnsafePointer(table)
  }
}
