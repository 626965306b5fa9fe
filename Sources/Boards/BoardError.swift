/// What keeps a board from measuring, and what to do about it.
public enum BoardError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The runtime is not there or cannot be started.
  case runtimeUnavailable(runtime: String, problem: String)
  /// One model cannot be run.
  case cannotRun(architecture: String, problem: String)
  /// Threads cannot be bound to cores.
  case pinning(problem: String)
  /// A power meter that was asked for cannot be read.
  case meter(name: String, problem: String)
  /// There is nothing to measure with.
  case unknownBoard(String)

  public var description: String {
    switch self {
    case .runtimeUnavailable(let runtime, let problem): "runtime \(runtime): \(problem)"
    case .cannotRun(let architecture, let problem): "architecture \(architecture): \(problem)"
    case .pinning(let problem): "threads cannot be bound to cores: \(problem)"
    case .meter(let name, let problem): "power meter \(name): \(problem)"
    case .unknownBoard(let name):
      "\"\(name)\" is no board that can be measured from here: local is this machine; on another, run edgetwin there"
    }
  }
}
