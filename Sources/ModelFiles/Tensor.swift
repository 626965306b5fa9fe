/// Numbers in rows, the last axis fastest; 32-bit floats, whatever the file holds.
///
/// A value type over shared storage: copies are cheap, and nothing changes after it is made.
public struct Tensor: Sendable {
  public let shape: [Int]
  private let storage: Storage

  private enum Storage: Sendable {
    case owned([Float])
    /// Floats of a file as they lie there, from a byte offset that is a multiple of four.
    case mapped(MappedFile, byteOffset: Int)
  }

  /// Number of elements: the product of the shape.
  public let count: Int

  /// A tensor of `values`, row-major; nil where there are not as many as `shape` says, or a size is negative.
  public init?(shape: [Int], values: [Float]) {
    guard let count = Self.elementCount(of: shape), count == values.count else { return nil }
    self.init(shape: shape, count: count, storage: .owned(values))
  }

  /// A tensor whose numbers are all `value`; sizes below 0 count as 0.
  init(shape: [Int], repeating value: Float) {
    let sizes = shape.map { max($0, 0) }
    let count = Self.elementCount(of: sizes) ?? 0
    self.init(shape: sizes, count: count, storage: .owned(Array(repeating: value, count: count)))
  }

  /// The caller has checked that the file holds the shape's floats there, aligned.
  init(shape: [Int], count: Int, file: MappedFile, byteOffset: Int) {
    self.init(shape: shape, count: count, storage: .mapped(file, byteOffset: byteOffset))
  }

  private init(shape: [Int], count: Int, storage: Storage) {
    self.shape = shape
    self.count = count
    self.storage = storage
  }

  /// Product of sizes; nil where one is negative or the product overflows.
  static func elementCount(of shape: [Int]) -> Int? {
    var count = 1
    for size in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard size >= 0, !overflow else { return nil }
      count = product
    }
    return count
  }

  /// True where the numbers lie in a mapped file rather than in memory of their own.
  public var isMapped: Bool {
    if case .mapped = storage { true } else { false }
  }

  /// Calls `body` with the numbers, row-major; the pointer is valid only during the call.
  public func withUnsafeFloats<R, E: Error>(
    _ body: (UnsafeBufferPointer<Float>) throws(E) -> R
  ) throws(E) -> R {
    switch storage {
    case .owned(let values): return try values.withUnsafeBufferPointer(body)
    case .mapped(let file, let byteOffset):
      let start = file.bytes.baseAddress?.advanced(by: byteOffset).assumingMemoryBound(to: Float.self)
      return try withExtendedLifetime(file) { () throws(E) -> R in
        try body(UnsafeBufferPointer(start: start, count: count))
      }
    }
  }

  /// The numbers, row-major.
  public var values: [Float] {
    if case .owned(let values) = storage { return values }
    return withUnsafeFloats { Array($0) }
  }

  /// Tells the system that the numbers will not be needed again soon: the pages of a mapped file leave memory, and come back from the file if
  /// they are read after all. Nothing happens to other tensors.
  ///
  /// - Parameter elements: those that are meant; nil is all of them.
  public func releasePages(_ elements: Range<Int>? = nil) {
    guard case .mapped(let file, let byteOffset) = storage else { return }
    let part = (elements ?? 0..<count).clamped(to: 0..<count)
    file.release(byteOffset + 4 * part.lowerBound..<byteOffset + 4 * part.upperBound)
  }
}
