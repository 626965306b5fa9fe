import Architectures
import Kernels
import ModelFiles

/// This project's own kernels.
public struct NativeRuntime: BoardRuntime {
  public let name = "native"
  public var precisions: [String] { KernelPrecision.allCases.map(\.rawValue) }

  private let cores: [Int]

  /// - Parameter cores: one for each thread of the models, the measuring thread's first, which stays on it; with fewer than there are threads
  ///   the system chooses.
  public init(cores: [Int] = []) {
    self.cores = cores
  }

  public func workload(_ architecture: Architecture, settings: RunSettings) throws -> any RunnableWorkload {
    guard let precision = KernelPrecision(rawValue: settings.precision) else {
      throw BoardError.cannotRun(
        architecture: architecture.id,
        problem: "the native runtime has no \(settings.precision); it has \(precisions.joined(separator: ", "))")
    }
    return NativeWorkload(architecture, settings: settings, precision: precision, cores: cores)
  }
}

/// A model with initial weights: times do not depend on what the weights are.
public final class NativeWorkload: ProfiledWorkload {
  private let architecture: Architecture
  private let settings: RunSettings
  private let precision: KernelPrecision
  private let cores: [Int]
  private var session: InferenceSession?

  init(_ architecture: Architecture, settings: RunSettings, precision: KernelPrecision, cores: [Int]) {
    self.architecture = architecture
    self.settings = settings
    self.precision = precision
    self.cores = cores
  }

  public var name: String { architecture.id }

  /// While it is made, the weights are there twice: as they come, and packed.
  public var memoryBytes: Double {
    let tokens = Double(settings.batchSize) * Double(settings.sequenceLength)
    let widest = architecture.layers.map { 4 * $0.hiddenSize + ($0.feedForward.max() ?? 0) + settings.sequenceLength }
    return 8 * Double(architecture.parameterCount(.native).total) + 4 * tokens * Double(widest.max() ?? 0)
  }

  public var environment: [String: String] {
    guard let session else { return known }
    return [
      "matrix_library": session.matrixLibrary.description, "weight_bytes": "\(session.memoryPlan.weightBytes)",
      "activation_bytes": "\(session.memoryPlan.activationBytes)",
    ]
  }

  /// Kept when the memory is given back: rows are written after it.
  private var known: [String: String] = [:]

  public func prepare() throws {
    let model = Model.forTiming(architecture)
    let session = try InferenceSession(
      model: model, batchSize: settings.batchSize, sequenceLength: settings.sequenceLength, head: .classifier,
      options: SessionOptions(threads: settings.threads, precision: precision, cores: cores))
    try session.load(batch())
    self.session = session
  }

  private func batch() throws -> TokenBatch {
    let vocabulary = Int32(clamping: architecture.vocabularySize)
    return try TokenBatch(
      sequences: (0..<settings.batchSize).map { sequence in
        // Spread over the vocabulary, as words are.
        (0..<settings.sequenceLength).map { token in
          Int32(truncatingIfNeeded: (sequence &* 7_919 &+ token &* 104_729) % Int(vocabulary))
        }
      })
  }

  public func runOnce() throws { session?.runLoaded() }

  public func profile() -> [TimedKernel] {
    (session?.profile() ?? []).map {
      TimedKernel(
        name: $0.name, kernelClass: $0.kernelClass, layer: $0.layer, startSeconds: $0.startSeconds,
        durationSeconds: $0.durationSeconds)
    }
  }

  public func release() {
    known = environment
    session = nil
  }
}
