/// An amount of work of one call of the runtime (a whole batch): kernel calls, arithmetic and traffic.
public struct Work: Sendable, Hashable {
  /// Kernel launches.
  public var calls: Double
  /// Floating-point operations; a multiply and an add count as two.
  public var flops: Double
  public var bytesRead: Double
  public var bytesWritten: Double

  public init(calls: Double = 0, flops: Double = 0, bytesRead: Double = 0, bytesWritten: Double = 0) {
    self.calls = calls
    self.flops = flops
    self.bytesRead = bytesRead
    self.bytesWritten = bytesWritten
  }

  public var bytes: Double { bytesRead + bytesWritten }

  public static func + (a: Work, b: Work) -> Work {
    Work(
      calls: a.calls + b.calls, flops: a.flops + b.flops, bytesRead: a.bytesRead + b.bytesRead,
      bytesWritten: a.bytesWritten + b.bytesWritten)
  }

  public static func += (a: inout Work, b: Work) { a = a + b }

  public static func * (factor: Double, a: Work) -> Work {
    Work(
      calls: factor * a.calls, flops: factor * a.flops, bytesRead: factor * a.bytesRead,
      bytesWritten: factor * a.bytesWritten)
  }
}

/// Work by kernel class.
public struct WorkByClass: Sendable, Hashable {
  private var works = [Work](repeating: Work(), count: KernelClass.allCases.count)

  public init() {}

  public subscript(kernelClass: KernelClass) -> Work {
    get { works[kernelClass.index] }
    set { works[kernelClass.index] = newValue }
  }

  public var total: Work { works.reduce(Work(), +) }

  public static func + (a: WorkByClass, b: WorkByClass) -> WorkByClass {
    var sum = a
    for index in sum.works.indices { sum.works[index] += b.works[index] }
    return sum
  }

  public static func += (a: inout WorkByClass, b: WorkByClass) { a = a + b }

  public static func * (factor: Double, a: WorkByClass) -> WorkByClass {
    var product = a
    for index in product.works.indices { product.works[index] = factor * a.works[index] }
    return product
  }
}
