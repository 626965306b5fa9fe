/// Memory of a session, all of it allocated when it is made.
public struct MemoryPlan: Sendable, Hashable {
  /// Packed weights, embeddings and tables.
  public var weightBytes: Int
  /// Activations of the largest batch and workspaces of the threads.
  public var activationBytes: Int
  public var totalBytes: Int { weightBytes + activationBytes }
}
