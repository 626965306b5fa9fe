import Architectures
import CKernels
import ModelFiles

/// Runs one model on batches of sequences. Weights are packed and all memory is planned when it is made; a call allocates nothing but its
/// answer. Not for use by several threads at once; make a session for each.
///
/// The result of a sequence does not depend on what it is batched with, nor on the number of threads: every element is computed by the same
/// operations in the same order.
public final class InferenceSession {
  public let architecture: Architecture
  public let head: OutputHead
  public let options: SessionOptions
  /// Sequences of the largest batch, and tokens of the longest sequence.
  public let batchSize: Int
  public let sequenceLength: Int
  /// What multiplies the linear layers.
  public let matrixLibrary: MatrixLibrary
  public let memoryPlan: MemoryPlan

  private let packed: PackedModel
  private let plan: Plan
  private let pool: OpaquePointer
  private let scratch: AlignedMemory
  private let scratchStride: Int
  private let tokens: TokenBuffers
  private let times: UnsafeMutablePointer<Double>

  /// - Parameters:
  ///   - model: architecture and weights; not kept.
  ///   - batchSize: most sequences of a call.
  ///   - sequenceLength: most tokens of a sequence.
  /// - Throws: ``KernelError`` (kind `model`) for weights that are missing or of another shape, `input` for sizes that the model does not
  ///   take, `machine` where threads or a precision are not to be had.
  public init(
    model: Model, batchSize: Int, sequenceLength: Int, head: OutputHead = .classifier,
    options: SessionOptions = SessionOptions()
  ) throws(KernelError) {
    guard batchSize > 0, sequenceLength > 0 else {
      throw KernelError(.input, "batch size and sequence length must be at least 1")
    }
    guard sequenceLength <= model.architecture.maximumPositions else {
      throw KernelError(
        .input,
        "sequence length \(sequenceLength) is above the model's maximum_positions, \(model.architecture.maximumPositions)"
      )
    }
    guard (1...256).contains(options.threads) else {
      throw KernelError(.input, "threads must be 1 to 256, not \(options.threads)")
    }
    if let set = options.instructionSet, !SessionOptions.instructionSets.contains(set) {
      throw KernelError(
        .input,
        "instruction set \(set) is not known; take one of \(SessionOptions.instructionSets.joined(separator: ", "))")
    }
    let kernels = try Self.kernels(options)
    let library = try Self.library(options, kernels)
    let packed = PackedModel(source: model, kernels: kernels, library: library, precision: options.precision)
    var builder = PlanBuilder(
      model: model, packed: packed, batchSize: batchSize, sequenceLength: sequenceLength, head: head,
      threads: options.threads)
    plan = try builder.build()
    pool = try ThreadPool.make(threads: options.threads, cores: options.cores)
    self.packed = packed
    scratchStride = (plan.scratchFloats + 63) / 16 * 16
    scratch = AlignedMemory(floats: scratchStride * options.threads)
    tokens = TokenBuffers(
      batchSize: batchSize, sequenceLength: sequenceLength, fourier: plan.usesFourier, cosine: plan.usesCosine)
    times = .allocate(capacity: plan.steps.count + 1)
    times.initialize(repeating: 0, count: plan.steps.count + 1)
    architecture = model.architecture
    self.head = head
    self.options = options
    self.batchSize = batchSize
    self.sequenceLength = sequenceLength
    matrixLibrary = MatrixLibrary(kernels: kernels, library: library)
    memoryPlan = MemoryPlan(
      weightBytes: packed.byteCount, activationBytes: plan.activations.byteCount + scratch.byteCount)
  }

  /// The best kernels that the processor has, within the options.
  private static func kernels(_ options: SessionOptions) throws(KernelError) -> UnsafePointer<edgetwin_kernels> {
    guard let kernels = edgetwin_kernels_best(options.instructionSet) else {
      throw KernelError(.machine, "there are no kernels for this processor")
    }
    if options.precision == .fp32 || kernels.pointee.int8 { return kernels }
    // AVX-512 without 8-bit dot products: those of AVX2 are faster than fp32.
    if options.instructionSet != "baseline", let narrower = edgetwin_kernels_best("avx2"), narrower.pointee.int8 {
      return narrower
    }
    throw KernelError(
      .machine,
      "int8 needs a processor with AVX2 or AVX-512 VNNI; elsewhere it would be slower than fp32: use --precision fp32")
  }

  /// What multiplies instead of our packed kernels; nil for these, and for int8.
  private static func library(
    _ options: SessionOptions, _ kernels: UnsafePointer<edgetwin_kernels>
  ) throws(KernelError) -> UnsafePointer<edgetwin_library>? {
    guard options.precision == .fp32 else { return nil }
    if let choice = options.matrixLibrary { return try choice.open() }
    if let choice = try MatrixLibraryChoice.environment() { return try choice.open() }
    guard options.instructionSet == nil, String(cString: kernels.pointee.name) == "baseline" else { return nil }
    return MatrixLibraryChoice.firstInstalled()
  }

  deinit {
    edgetwin_pool_destroy(pool)
    times.deallocate()
  }

  /// Numbers in a row of the answer: labels, vocabulary or hidden size.
  public var outputWidth: Int { plan.outputWidth }

  /// Runs a batch and gives the answer, row-major: a row a sequence, or a row a token of all sequences one after another
  /// (``OutputHead/isPerToken``).
  ///
  /// - Throws: ``KernelError`` (kind `input`) for a batch that is larger than planned or holds ids that the model does not know.
  public func run(_ batch: TokenBatch) throws(KernelError) -> [Float] {
    try load(batch)
    runLoaded()
    return answer(rows: 0..<(head.isPerToken ? batch.tokenCount : batch.count))
  }

  /// Makes a batch the one that ``runLoaded()`` runs.
  ///
  /// - Throws: as ``run(_:)``.
  public func load(_ batch: TokenBatch) throws(KernelError) {
    guard batch.count <= batchSize else {
      throw KernelError(.input, "the batch has \(batch.count) sequences; the session was planned for \(batchSize)")
    }
    for index in 0..<batch.count where batch.length(index) > sequenceLength {
      throw KernelError(
        .input,
        "sequence \(index) has \(batch.length(index)) tokens; the session was planned for \(sequenceLength)")
    }
    try batch.check(architecture)
    tokens.load(batch)
  }

  /// One inference of the loaded batch; nothing is allocated. The answer stays inside: this is what is timed.
  public func runLoaded() { perform(times: nil) }

  /// One inference of the loaded batch with the clock read between its steps.
  public func profile() -> [KernelEvent] {
    perform(times: times)
    return plan.labels.indices.map { index in
      KernelEvent(
        name: plan.labels[index].name, layer: plan.labels[index].layer,
        kernelClass: plan.labels[index].kernelClass, startSeconds: times[index] - times[0],
        durationSeconds: times[index + 1] - times[index])
    }
  }

  private func perform(times: UnsafeMutablePointer<Double>?) {
    withUnsafePointer(to: plan.parts) { parts in
      plan.steps.withUnsafeBufferPointer { steps in
        edgetwin_run(
          packed.kernels, pool, steps.baseAddress, steps.count, tokens.view, parts, scratch.floats, scratchStride, times
        )
      }
    }
  }

  /// Rows of the answer of the last run, row-major.
  ///
  /// - Parameter rows: of what the loaded batch has: a row a sequence, or a row a token of all sequences one after another.
  public func answer(rows: Range<Int>) -> [Float] {
    let width = plan.outputWidth
    let planned = head.isPerToken ? batchSize * sequenceLength : batchSize
    let rows = rows.clamped(to: 0..<planned)
    return [Float](unsafeUninitializedCapacity: rows.count * width) { buffer, count in
      for (index, row) in rows.enumerated() {
        for column in 0..<width { buffer[index * width + column] = plan.output[row * plan.outputStride + column] }
      }
      count = rows.count * width
    }
  }
}
