import Architectures
import Foundation

/// ONNX Runtime, in a Python process: what most people would use instead of this project's kernels.
public final class ONNXRuntime: BoardRuntime {
  public let name = "onnxruntime"
  public let precisions = ["fp32"]
  /// Writes an architecture with weights as an ONNX file.
  public typealias Exporter = (_ architecture: Architecture, _ path: String) throws -> Void

  private let runner: PythonRunner
  private let exporter: Exporter
  private let folder: URL
  private let version: String
  private var handles = 0

  public static let packages = ["onnxruntime", "numpy"]
  public static let environment = PythonEnvironment(runtime: "onnxruntime", packages: packages)

  /// Starts the process.
  /// - Throws: ``BoardError/runtimeUnavailable(runtime:problem:)``.
  public init(_ environment: PythonEnvironment = ONNXRuntime.environment, exporter: @escaping Exporter)
    throws(BoardError)
  {
    guard environment.isInstalled else {
      throw .runtimeUnavailable(
        runtime: "onnxruntime", problem: "is not set up; run: edgetwin runtime install onnxruntime")
    }
    folder = FileManager.default.temporaryDirectory.appending(path: "edgetwin-onnx-\(UUID().uuidString)")
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw .runtimeUnavailable(
        runtime: "onnxruntime", problem: "\(folder.path) cannot be made: \(error.localizedDescription)")
    }
    self.exporter = exporter
    do throws(BoardError) {
      runner = try PythonRunner(python: environment.python, script: ONNXRuntimeScript.text, runtime: "onnxruntime")
    } catch {
      try? FileManager.default.removeItem(at: folder)
      throw error
    }
    do {
      version = try runner.ask(Request(action: "hello"), Hello.self).version
    } catch {
      runner.close()
      // Not all properties are set, so that deinit does not run.
      try? FileManager.default.removeItem(at: folder)
      var problem = "\(error)"
      if case .runtimeUnavailable(_, let inner) = error { problem = inner }
      throw .runtimeUnavailable(
        runtime: "onnxruntime",
        problem:
          "\(problem); the environment of \(environment.python) is not whole: run edgetwin runtime install onnxruntime")
    }
  }

  deinit { close() }

  public func close() {
    runner.close()
    try? FileManager.default.removeItem(at: folder)
  }

  public func workload(_ architecture: Architecture, settings: RunSettings) throws -> any RunnableWorkload {
    handles += 1
    return Workload(
      owner: self, handle: handles, architecture: architecture, settings: settings,
      path: folder.appending(path: "\(handles).onnx").path)
  }

  private struct Request: Encodable {
    var action: String
    var handle: Int?
    var path: String?
    var threads: Int?
    var batchSize: Int?
    var sequenceLength: Int?
    var vocabularySize: Int?
    var calls: Int?

    enum CodingKeys: String, CodingKey {
      case action, handle, path, threads, calls
      case batchSize = "batch_size"
      case sequenceLength = "sequence_length"
      case vocabularySize = "vocabulary_size"
    }
  }

  private struct Hello: Decodable { var version: String }
  private struct Calls: Decodable { var seconds: [Double] }
  private struct Nothing: Decodable {}

  private final class Workload: RunnableWorkload {
    let owner: ONNXRuntime
    let handle: Int
    let architecture: Architecture
    let settings: RunSettings
    let path: String
    private var isLoaded = false

    init(owner: ONNXRuntime, handle: Int, architecture: Architecture, settings: RunSettings, path: String) {
      self.owner = owner
      self.handle = handle
      self.architecture = architecture
      self.settings = settings
      self.path = path
    }

    var name: String { architecture.id }

    var environment: [String: String] {
      ["runtime_version": owner.version, "matrix_library": "onnxruntime \(owner.version)"]
    }

    /// The runtime holds the weights once in its arena and once packed.
    var memoryBytes: Double {
      let tokens = Double(settings.batchSize) * Double(settings.sequenceLength)
      let widest = architecture.layers.map { $0.hiddenSize + ($0.feedForward.max() ?? 0) + settings.sequenceLength }
      return 8 * Double(architecture.parameterCount(.native).total) + 16 * tokens * Double(widest.max() ?? 0)
    }

    func prepare() throws {
      try owner.exporter(architecture, path)
      defer { try? FileManager.default.removeItem(atPath: path) }
      var request = Request(action: "load", handle: handle)
      request.path = path
      request.threads = settings.threads
      request.batchSize = settings.batchSize
      request.sequenceLength = settings.sequenceLength
      request.vocabularySize = architecture.vocabularySize
      _ = try owner.runner.ask(request, Nothing.self, subject: name)
      isLoaded = true
    }

    func runOnce() throws { _ = try callSeconds(1, clock: SystemClock()) }

    func callSeconds(_ count: Int, clock: any MonotonicClock) throws -> [Double] {
      var request = Request(action: "calls", handle: handle)
      request.calls = count
      return try owner.runner.ask(request, Calls.self, subject: name).seconds
    }

    func release() {
      guard isLoaded else { return }
      isLoaded = false
      _ = try? owner.runner.ask(Request(action: "release", handle: handle), Nothing.self)
    }
  }
}
