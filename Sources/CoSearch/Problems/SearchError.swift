/// Why a search cannot start.
public enum SearchError: Error, Equatable, Sendable, CustomStringConvertible {
  case invalidProblem(field: String, problem: String)
  /// The twins do not match the problem's devices.
  case devices(problem: String)
  /// No evaluation or no time was granted.
  case nothingToDo(String)
  /// What was kept of a search cannot be gone on from.
  case checkpoint(problem: String)

  public var description: String {
    switch self {
    case .invalidProblem(let field, let problem):
      field.isEmpty ? "problem: \(problem)" : "problem, \(field): \(problem)"
    case .devices(let problem): "devices: \(problem)"
    case .nothingToDo(let problem), .checkpoint(let problem): problem
    }
  }
}
