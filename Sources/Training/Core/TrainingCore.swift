import Architectures
import CKernels
import Kernels
import ModelFiles

/// Forward and backward passes of one model over memory that grows to the largest batch seen.
final class TrainingCore {
  let model: Model
  let architecture: Architecture
  let head: TrainingHead
  let options: TrainingOptions
  let store: ParameterStore
  let kernels: UnsafePointer<edgetwin_training_kernels>
  let bytes: Int
  let tokens: TokenStore
  let labels: Int
  private let pool: OpaquePointer
  /// Each layer's heads, and the transforms of its head size.
  let heads: [HeadTable]
  var plan: ActivationPlan
  private var partials = AlignedMemory(byteCount: 64)
  private var losses = AlignedMemory(byteCount: 64)

  /// Micro-batches so far: the dropout masks are numbered by them.
  var passCount: UInt32 = 0
  /// True where no micro-batch has been accumulated since the last step.
  var isFresh = true

  init(
    model: Model, head: TrainingHead, options: TrainingOptions, kernels: UnsafePointer<edgetwin_training_kernels>
  ) throws(KernelError) {
    self.model = model
    architecture = model.architecture
    self.head = head
    self.options = options
    self.kernels = kernels
    bytes = kernels.pointee.real_bytes
    labels = model.labels ?? 1
    store = try ParameterStore(model: model, head: head, realBytes: bytes)
    tokens = TokenStore(architecture: architecture, kernels: kernels)
    heads = HeadTable.tables(architecture, layout: store.layout, kernels: kernels)
    plan = ActivationPlan(
      architecture: architecture, head: head, labels: labels, rows: 1, sequences: 1, longest: 1,
      threads: options.threads,
      realBytes: bytes)
    guard let pool = edgetwin_pool_create(options.threads, nil) else {
      throw KernelError(.machine, "\(options.threads) threads cannot be started; ask for fewer")
    }
    self.pool = pool
  }

  deinit { edgetwin_pool_destroy(pool) }

  var workspace: edgetwin_workspace {
    edgetwin_workspace(
      pool: pool, scratch: plan.scratch.base, scratch_bytes: plan.scratchBytes, packed: plan.packed.base)
  }

  /// Makes room for a batch and loads it.
  func load(_ batch: TokenBatch) {
    tokens.load(batch)
    guard batch.tokenCount > plan.rows || batch.count > plan.sequences || tokens.longest > plan.longest else { return }
    // A little more than asked for, so that batches of slowly growing lengths do not plan anew each time.
    func room(_ needed: Int, _ present: Int) -> Int { needed > present ? needed + needed / 8 : present }
    plan = ActivationPlan(
      architecture: architecture, head: head, labels: labels, rows: room(batch.tokenCount, plan.rows),
      sequences: room(batch.count, plan.sequences),
      longest: min(room(tokens.longest, plan.longest), architecture.maximumPositions), threads: options.threads,
      realBytes: bytes)
  }

  func partialSums(_ reals: Int) -> UnsafeMutableRawPointer {
    if partials.byteCount < reals * bytes { partials = AlignedMemory(byteCount: reals * bytes, hugePages: true) }
    return partials.base
  }

  /// A loss and a mark a row.
  func rowLosses(_ rows: Int) -> (losses: UnsafeMutablePointer<Double>, correct: UnsafeMutablePointer<UInt8>) {
    if losses.byteCount < 9 * rows { losses = AlignedMemory(byteCount: 18 * rows) }
    let first = losses.base.bindMemory(to: Double.self, capacity: rows)
    return (first, (losses.base + 8 * rows).bindMemory(to: UInt8.self, capacity: rows))
  }

  // MARK: Dropout

  /// Numbers of the places where something is dropped.
  enum Site {
    static let embedding: UInt32 = 0
    static let classifier: UInt32 = 1
  }

  /// Number of a layer's first place: the attention output, then the feed-forward output, then each head's weights.
  func site(_ layer: Int) -> UInt32 {
    UInt32(architecture.layers.prefix(layer).reduce(2) { $0 + 2 + $1.heads.count })
  }

  /// True where training zeroes anything.
  var drops: Bool { dropout(Site.embedding, true).threshold > 0 }

  func dropout(_ site: UInt32, _ isTraining: Bool) -> edgetwin_dropout {
    var dropout = edgetwin_dropout()
    guard isTraining, options.dropout > 0 else { return dropout }
    let threshold = min((options.dropout * 0x1p32).rounded(), 0x1p32 - 1)
    dropout.key = options.seed
    dropout.site = site
    dropout.pass = passCount
    dropout.threshold = UInt32(threshold)
    dropout.scale = 1 / (1 - threshold * 0x1p-32)
    return dropout
  }

  // MARK: Pieces

  func norm(_ name: String, _ rows: NormRows) -> edgetwin_training_norm {
    edgetwin_training_norm(
      gamma: store.parameter("\(name).weight"), beta: store.parameter("\(name).bias"), epsilon: model.layerNormEpsilon,
      normalised: rows.normalised.base, normalised_ld: rows.normalised.ld, inverse_deviations: rows.inverseDeviations,
      output: rows.output.base, output_ld: rows.output.ld)
  }

  /// A linear map by the tensors of `name`; what follows it is for the caller to add.
  func linear(
    _ name: String, rows: Int, inputs: Int, outputs: Int, from input: Rows, to output: Rows
  ) -> edgetwin_training_linear {
    var step = edgetwin_training_linear()
    step.rows = rows
    step.inputs = inputs
    step.outputs = outputs
    step.input = UnsafeRawPointer(input.base)
    step.input_ld = input.ld
    step.weights = UnsafeRawPointer(store.parameter("\(name).weight"))
    step.bias = UnsafeRawPointer(store.parameter("\(name).bias"))
    step.output = output.base
    step.output_ld = output.ld
    return step
  }

  /// The backward pass of a linear map: gradients of its tensors, and of its input where `target` says where to.
  func linearGradient(
    _ name: String, rows: Int, inputs: Int, outputs: Int, input: Rows, upstream: Rows, to target: Rows?
  ) -> edgetwin_training_linear_gradient {
    var step = edgetwin_training_linear_gradient()
    step.rows = rows
    step.inputs = inputs
    step.outputs = outputs
    step.input = UnsafeRawPointer(input.base)
    step.input_ld = input.ld
    step.weights = UnsafeRawPointer(store.parameter("\(name).weight"))
    step.upstream = UnsafeRawPointer(upstream.base)
    step.upstream_ld = upstream.ld
    step.weight_gradient = store.gradient("\(name).weight")
    step.bias_gradient = store.gradient("\(name).bias")
    step.accumulate = !isFresh
    step.input_gradient = target?.base
    step.input_gradient_ld = target?.ld ?? 0
    return step
  }

  func run(_ step: edgetwin_training_linear) {
    var workspace = workspace
    var step = step
    kernels.pointee.linear(&workspace, &step)
  }

  func run(_ step: edgetwin_training_linear_gradient) {
    var workspace = workspace
    var step = step
    kernels.pointee.linear_gradient(&workspace, &step)
  }

  func run(_ step: edgetwin_training_rows) {
    var workspace = workspace
    var step = step
    kernels.pointee.rows(&workspace, &step)
  }

  func rowMove(_ move: edgetwin_row_move, width: Int, count: Int, from input: Rows, to output: Rows)
    -> edgetwin_training_rows
  {
    var step = edgetwin_training_rows()
    step.move = Int32(move.rawValue)
    step.width = width
    step.count = count
    step.input = UnsafeRawPointer(input.base)
    step.input_ld = input.ld
    step.output = output.base
    step.output_ld = output.ld
    step.tokens = UnsafePointer(tokens.view)
    return step
  }

  /// The backward pass of a layer norm whose output went through `before` and whose input was a residual plus `after` of something.
  func normGradient(
    _ name: String, rows: Int, width: Int, norm: NormRows, upstream: Rows,
    before: edgetwin_dropout = edgetwin_dropout(),
    after: edgetwin_dropout = edgetwin_dropout(), to target: Rows, dropped: Rows? = nil
  ) {
    var step = edgetwin_training_norm_gradient()
    step.rows = rows
    step.width = width
    step.upstream = UnsafeRawPointer(upstream.base)
    step.upstream_ld = upstream.ld
    step.before = before
    step.after = after
    step.gamma = UnsafeRawPointer(store.parameter("\(name).weight"))
    step.normalised = UnsafeRawPointer(norm.normalised.base)
    step.normalised_ld = norm.normalised.ld
    step.inverse_deviations = UnsafeRawPointer(norm.inverseDeviations)
    step.input_gradient = target.base
    step.input_gradient_ld = target.ld
    step.dropped_gradient = dropped?.base
    step.dropped_gradient_ld = dropped?.ld ?? 0
    step.gamma_gradient = store.gradient("\(name).weight")
    step.beta_gradient = store.gradient("\(name).bias")
    step.partials = plan.normPartials.base
    var workspace = workspace
    kernels.pointee.norm_gradient(&workspace, &step)
  }
}
