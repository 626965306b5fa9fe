/// A step of one inference, timed.
public struct KernelEvent: Sendable, Hashable {
  /// What is computed, such as `query, key, value`.
  public var name: String
  /// Index of the layer; nil outside of the layers.
  public var layer: Int?
  /// Class of kernel as a twin's breakdown names it.
  public var kernelClass: String
  /// From the start of the inference.
  public var startSeconds: Double
  public var durationSeconds: Double
}
