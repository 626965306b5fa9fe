/// What is wrong with a design space, or a point that is said to be in it; of its file see ``YAMLFileError``.
public enum DesignSpaceError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A list or number of the space itself. `field` is its name in files.
  case invalid(field: String, reason: String)
  /// An embedding that no point of the space has; `index` is the position of the number at fault.
  case embedding(index: Int, reason: String)
  /// A number of samples that cannot be drawn.
  case sampling(reason: String)

  public var description: String {
    switch self {
    case .invalid(let field, let reason): "design space, \(field): \(reason)"
    case .embedding(let index, let reason): "embedding, number \(index): \(reason)"
    case .sampling(let reason): "sampling: \(reason)"
    }
  }
}
