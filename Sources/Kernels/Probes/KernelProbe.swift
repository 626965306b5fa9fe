import Architectures
import CKernels

/// One kernel of the engine, ready to be timed again and again.
public final class KernelProbe {
  /// What a linear map does with its sums before they leave the registers or the cache.
  public enum Epilogue: Sendable, Hashable {
    /// The bias alone.
    case none
    case gelu
    /// Residual sum and layer norm.
    case norm
  }

  public enum Kind: Sendable, Hashable {
    /// `rows×inputs` times packed weights, which are others from call to call: as many as `weightBytes` hold.
    case linear(
      rows: Int, inputs: Int, outputs: Int, epilogue: Epilogue, precision: KernelPrecision = .fp32,
      weightBytes: Int = KernelBench.cachedBytes)
    /// `m×k` times `k×n`, on one thread, as heads compute it.
    case product(m: Int, k: Int, n: Int)
    /// On one thread.
    case softmax(rows: Int, columns: Int)
    /// All heads of a layer, of one kind and one sequence.
    case heads(HeadOperation, count: Int, headSize: Int, length: Int, isRelative: Bool)
    /// Steps that do next to nothing, in one call.
    case emptySteps(Int)
    /// A working set, half of which is copied to the other half by all threads.
    case stream(bytes: Int)
  }

  public let kind: Kind
  private let bench: KernelBench
  private let kernels: UnsafePointer<edgetwin_kernels>
  private var steps: [edgetwin_step] = []
  private var offsets: [Int32] = [0, 1]
  private let fourier: UnsafeMutablePointer<UnsafePointer<Float>?>
  private let cosine: UnsafeMutablePointer<UnsafePointer<Float>?>

  /// - Throws: ``KernelError`` (kind `input`) for sizes that the bench has no memory for.
  public init(_ kind: Kind, bench: KernelBench) throws(KernelError) {
    self.kind = kind
    self.bench = bench
    kernels =
      if case .linear(_, _, _, _, .int8, _) = kind, let int8 = bench.int8Kernels { int8 } else { bench.kernels }
    fourier = .allocate(capacity: 1)
    cosine = .allocate(capacity: 1)
    fourier.initialize(to: nil)
    cosine.initialize(to: nil)
    switch kind {
    case .linear(let rows, let inputs, let outputs, let epilogue, let precision, let weightBytes):
      try addLinear(
        rows: rows, inputs: inputs, outputs: outputs, epilogue: epilogue, precision: precision,
        weightBytes: weightBytes)
    case .heads(let operation, let count, let headSize, let length, let isRelative):
      try addHeads(operation, count: count, headSize: headSize, length: length, isRelative: isRelative)
    case .emptySteps(let count):
      var step = edgetwin_step()
      step.kind = Int32(EDGETWIN_STEP_FIRST.rawValue)
      step.of.rows = edgetwin_rows(
        input: UnsafePointer(bench.input.floats), input_ld: 32, width: 16, output: bench.output.floats, output_ld: 32)
      steps = Array(repeating: step, count: max(count, 1))
    case .product(let m, let k, let n):
      try check(m * (k + 16), m * (PackedModel.rounded(n) + 16), weights: k * PackedModel.rounded(n))
    case .softmax(let rows, let columns):
      try check(rows * PlanBuilder.stride(columns), 0, weights: 0)
    case .stream(let bytes):
      try addStream(bytes: bytes)
    }
  }

  deinit {
    fourier.deallocate()
    cosine.deallocate()
  }

  private static let mostCopies = 4_096
  private var streamed: AlignedMemory?

  private func addStream(bytes: Int) throws(KernelError) {
    let tasks = 2 * bench.threads
    let width = bytes / 8 / tasks
    guard width >= 16, width * tasks <= Int(Int32.max) else {
      throw KernelError(.input, "a working set of \(bytes) bytes cannot be timed")
    }
    let memory = AlignedMemory(floats: 2 * tasks * width)
    memory.floats.update(repeating: 0.5, count: 2 * tasks * width)
    streamed = memory
    offsets = (0...tasks).map { Int32($0 * width) }
    var step = edgetwin_step()
    step.kind = Int32(EDGETWIN_STEP_FIRST.rawValue)
    step.of.rows = edgetwin_rows(
      input: UnsafePointer(memory.floats), input_ld: 1, width: width, output: memory.floats + tasks * width,
      output_ld: width)
    // Small sets several times in one call, whose own cost is then small.
    steps = Array(repeating: step, count: max(1, min(64, (1 << 20) / bytes)))
  }

  private func check(_ input: Int, _ output: Int, weights: Int) throws(KernelError) {
    guard input > 0, max(input, output) <= KernelBench.activationFloats, weights <= bench.weights.byteCount / 8 else {
      throw KernelError(.input, "the kernel is larger than what is timed alone")
    }
  }

  private func addLinear(
    rows: Int, inputs: Int, outputs: Int, epilogue: Epilogue, precision: KernelPrecision, weightBytes: Int
  ) throws(KernelError) {
    guard precision == .fp32 || bench.hasInt8 else {
      throw KernelError(.machine, "the kernels of this processor do not multiply in 8-bit integers")
    }
    guard inputs <= KernelBench.widestMap, outputs <= KernelBench.widestMap else {
      throw KernelError(.input, "maps are timed alone up to \(KernelBench.widestMap) wide")
    }
    let packed =
      switch precision {
      case .fp32: edgetwin_packed_floats(kernels, outputs, inputs)
      case .int8: (edgetwin_packed_int8_bytes(kernels, outputs, inputs) + 63) / 64 * 16
      }
    try check(
      rows * PlanBuilder.stride(inputs), rows * PlanBuilder.stride(outputs), weights: packed)
    offsets = [0, Int32(rows)]
    var linear = edgetwin_linear()
    linear.input = UnsafePointer(bench.input.floats)
    linear.input_ld = PlanBuilder.stride(inputs)
    linear.bias = UnsafePointer(bench.bias.floats)
    linear.inputs = inputs
    linear.outputs = outputs
    linear.output = bench.output.floats
    linear.output_ld = PlanBuilder.stride(outputs)
    linear.precision = Int32(precision == .int8 ? EDGETWIN_INT8.rawValue : EDGETWIN_FP32.rawValue)
    if precision == .int8 {
      linear.scales = UnsafePointer(bench.scales.floats)
      // Which integers does not matter.
      linear.sums = UnsafeRawPointer(bench.scales.floats).assumingMemoryBound(to: Int32.self)
    }
    switch epilogue {
    case .none: break
    case .gelu: linear.activation = Int32(EDGETWIN_ACTIVATION_GELU.rawValue)
    case .norm:
      linear.residual = UnsafePointer(bench.weights.floats)
      linear.residual_ld = PlanBuilder.stride(outputs)
      linear.norm = edgetwin_norm(
        gamma: UnsafePointer(bench.bias.floats), beta: UnsafePointer(bench.bias.floats), epsilon: 1e-12)
    }
    // As a model's maps follow one another: each with weights that were not used just before.
    let most = min(weightBytes, bench.weights.byteCount)
    let copies = min(max(most / 4 / max(packed, 1), 1), Self.mostCopies)
    let places = max(1, KernelBench.outputBytes / 4 / max(rows * linear.output_ld, 1))
    for copy in 0..<copies {
      linear.weights = UnsafeRawPointer(bench.weights.floats + copy * packed)
      linear.output = bench.output.floats + (copy % places) * rows * linear.output_ld
      var step = edgetwin_step()
      step.kind = Int32(EDGETWIN_STEP_LINEAR.rawValue)
      step.of.linear = linear
      steps.append(step)
    }
  }

  /// The most heads of one size and length that there is memory to time.
  public static func mostHeads(headSize: Int, length: Int) -> Int {
    var count = KernelBench.activationFloats / (3 * headSize * length)
    while count > 1, length * PlanBuilder.stride(3 * count * headSize) > KernelBench.activationFloats { count -= 1 }
    return count
  }

  private func addHeads(
    _ operation: HeadOperation, count: Int, headSize d: Int, length n: Int, isRelative: Bool
  ) throws(KernelError) {
    guard count > 0, d > 0, n > 0, n <= KernelBench.longest, d <= KernelBench.widestHead else {
      throw KernelError(
        .input, "heads are timed alone up to \(KernelBench.longest) tokens and a size of \(KernelBench.widestHead)")
    }
    try check(n * PlanBuilder.stride(3 * count * d), n * PlanBuilder.stride(count * d), weights: d * d)
    let padded = PackedModel.rounded(d)
    offsets = [0, Int32(n)]
    let some = UnsafePointer(bench.weights.floats)
    let zeros = UnsafePointer(bench.bias.floats)
    var head = edgetwin_head()
    switch operation {
    case .scaledDotProduct: head.kind = Int32(EDGETWIN_HEAD_SCALED_DOT_PRODUCT.rawValue)
    case .weightedMultiplicative: head.kind = Int32(EDGETWIN_HEAD_WEIGHTED.rawValue)
    case .discreteFourier: head.kind = Int32(EDGETWIN_HEAD_FOURIER.rawValue)
    case .discreteCosine: head.kind = Int32(EDGETWIN_HEAD_COSINE.rawValue)
    case .convolution5, .convolution9, .convolution13:
      head.kind = Int32(EDGETWIN_HEAD_CONVOLUTION.rawValue)
      head.taps = Int32(operation.taps ?? 1)
    }
    (head.pointwise_bias, head.span_bias, head.value_bias) = (zeros, zeros, zeros)
    head.depthwise = some
    var attention = edgetwin_attention()
    attention.input = UnsafePointer(bench.input.floats)
    attention.input_ld = PlanBuilder.stride(3 * count * d)
    attention.output = bench.output.floats
    attention.output_ld = PlanBuilder.stride(count * d)
    (attention.head_count, attention.head_size, attention.head_size_padded) = (count, d, padded)
    attention.maximum_positions = KernelBench.longest + 2
    (attention.fourier, attention.cosine) = (some, some)
    if operation == .discreteFourier { fourier.pointee = bench.fourierTable(n) }
    if operation == .discreteCosine { cosine.pointee = bench.cosineTable(n) }
    let columns = PackedModel.rounded(2 * attention.maximum_positions - 1) + 48
    // Layers have weights and distances of their own, which other kernels have pushed out of the first caches.
    let matrix = d * padded
    let layer = max(columns * d, 3 * count * matrix)
    let copies = max(1, min(64, (bench.weights.byteCount / 4 - 16_384) / layer))
    let places = max(1, KernelBench.outputBytes / 4 / max(n * attention.output_ld, 1))
    for copy in 0..<copies {
      let own = some + copy * layer
      let memory = bench.table(floats: count * MemoryLayout<edgetwin_head>.stride / 4 + 16)
      let list = UnsafeMutableRawPointer(memory).bindMemory(to: edgetwin_head.self, capacity: count)
      for index in 0..<count {
        let first = own + 3 * index * matrix
        (head.weighted, head.pointwise, head.span, head.value) = (first, first, first + matrix, first + 2 * matrix)
        list[index] = head
      }
      attention.heads = UnsafePointer(list)
      if isRelative {
        attention.distances = own
        attention.distances_ld = columns
      }
      attention.output = bench.output.floats + (copy % places) * n * attention.output_ld
      var step = edgetwin_step()
      step.kind = Int32(EDGETWIN_STEP_ATTENTION.rawValue)
      step.of.attention = attention
      steps.append(step)
    }
  }

  /// How many kernels there are before the first comes again.
  public var count: Int { max(steps.count, 1) }

  /// Goes on with that one.
  public func skip(to index: Int) { next = min(max(index, 0), steps.count - 1) }

  /// The step that comes next.
  private var next = 0

  /// Runs kernels one after the other: a map's or a layer's are as many different ones as the memory holds, in turn.
  public func run(kernels: Int) {
    var left = kernels
    while left > 0 {
      switch kind {
      case .product(let m, let k, let n):
        let columns = PackedModel.rounded(n)
        bench.kernels.pointee.product(
          m, columns, k, bench.input.floats, k + 16, bench.weights.floats, columns, bench.output.floats, columns + 16)
        left -= 1
      case .softmax(let rows, let columns):
        bench.kernels.pointee.softmax_rows(bench.input.floats, rows, columns, PlanBuilder.stride(columns), 0.125)
        left -= 1
      case .emptySteps:
        runSteps(0..<steps.count)
        left -= 1
      case .linear, .heads, .stream:
        let end = min(next + left, steps.count)
        runSteps(next..<end)
        left -= end - next
        next = end == steps.count ? 0 : end
      }
    }
  }

  private func runSteps(_ range: Range<Int>) {
    offsets.withUnsafeBufferPointer { offsets in
      var tokens = edgetwin_tokens(
        batch: offsets.count - 1, offsets: offsets.baseAddress, ids: offsets.baseAddress, types: offsets.baseAddress,
        fourier: UnsafePointer(fourier), cosine: UnsafePointer(cosine))
      steps.withUnsafeBufferPointer { steps in
        edgetwin_run(
          kernels, bench.pool, steps.baseAddress.map { $0 + range.lowerBound }, range.count, &tokens, nil,
          bench.scratch.floats, bench.scratchStride, nil)
      }
    }
  }

  /// Seconds of one kernel, from so many in a row. Of empty steps, of all of them in one call.
  public func seconds(kernels: Int) -> Double {
    let start = edgetwin_clock()
    run(kernels: kernels)
    return (edgetwin_clock() - start) / Double(max(kernels, 1))
  }
}
