import ModelFiles

/// Why a model cannot run, or a call cannot be answered.
public struct KernelError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Whether the model's files or the caller's input are to blame, or the machine.
  public enum Kind: Sendable, Equatable {
    case model
    case input
    case machine
  }

  public let kind: Kind
  /// What is wrong, where, and what to do.
  public let description: String

  public init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }

  init(_ error: ModelFileError) { self.init(.model, error.description) }
}
