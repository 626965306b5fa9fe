/// One kernel of the explain path, launched ``count`` times with the same shape.
public struct KernelCall: Sendable, Hashable {
  /// What is multiplied, transformed or moved, in words.
  public var name: String
  public var kernelClass: KernelClass
  /// Index of the layer; nil for the embeddings and the pooler.
  public var layer: Int?
  /// Index of the head within its layer, where a head has calls of its own.
  public var head: Int?
  public var count: Int
  /// Work of all ``count`` launches together.
  public var work: Work

  public init(
    name: String, kernelClass: KernelClass, layer: Int? = nil, head: Int? = nil, count: Int = 1, flops: Double,
    bytesRead: Double, bytesWritten: Double
  ) {
    self.name = name
    self.kernelClass = kernelClass
    self.layer = layer
    self.head = head
    self.count = count
    let launches = Double(count)
    work = Work(
      calls: launches, flops: launches * flops, bytesRead: launches * bytesRead, bytesWritten: launches * bytesWritten)
  }
}
