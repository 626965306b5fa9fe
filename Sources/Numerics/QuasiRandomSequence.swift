import CGSL

/// Points that fill the unit cube more evenly than random ones. One sequence belongs to one task.
public struct QuasiRandomSequence: ~Copyable {
  public enum Kind: Sendable, Hashable {
    /// Up to 40 dimensions; starts at (½, …, ½), the origin left out.
    case sobol
    /// Up to 1 229 dimensions; the radical inverses of 1, 2, … in the first primes.
    case halton
    /// Halton's points behind a first coordinate i/count; up to 1 230 dimensions. Meant for exactly `count`
    /// points.
    case hammersley(count: Int)

    public var maximumDimensions: Int {
      switch self {
      case .sobol: 40
      case .halton: 1229
      case .hammersley: 1230
      }
    }
  }

  private let generator: UnsafeMutablePointer<gsl_qrng>?
  public let kind: Kind
  public let dimensions: Int
  private var index = 0

  /// - Throws: ``NumericsError`` for a dimension out of range or a Hammersley count below 1.
  public init(_ kind: Kind, dimensions: Int) throws(NumericsError) {
    guard dimensions >= 1, dimensions <= kind.maximumDimensions else {
      throw .invalidArgument(
        what: "dimensions of a \(kind) sequence",
        reason: "\(dimensions) is not in 1…\(kind.maximumDimensions)")
    }
    generator = try Self.generator(kind, dimensions)
    self.kind = kind
    self.dimensions = dimensions
  }

  /// GSL's generator of what lies behind a Hammersley set's first coordinate; nil where that is nothing.
  private static func generator(
    _ kind: Kind, _ dimensions: Int
  ) throws(NumericsError) -> UnsafeMutablePointer<gsl_qrng>? {
    GSL.prepare()
    switch kind {
    case .sobol:
      return try GSL.allocated(gsl_qrng_alloc(edgetwin_qrng_sobol(), UInt32(dimensions)), "gsl_qrng_alloc")
    case .halton:
      return try GSL.allocated(gsl_qrng_alloc(edgetwin_qrng_halton(), UInt32(dimensions)), "gsl_qrng_alloc")
    case .hammersley(let count):
      guard count >= 1 else {
        throw .invalidArgument(what: "number of points of a Hammersley set", reason: "must be positive")
      }
      return dimensions == 1 ? nil : try generator(.halton, dimensions - 1)
    }
  }

  deinit {
    if let generator { gsl_qrng_free(generator) }
  }

  /// The next point, each coordinate in [0, 1).
  ///
  /// - Throws: ``NumericsError`` where the generator is exhausted (Sobol: after 2³⁰ points; Hammersley: after
  ///   its count).
  public mutating func next() throws(NumericsError) -> [Double] {
    var point = [Double](repeating: 0, count: dimensions)
    var offset = 0
    if case .hammersley(let count) = kind {
      guard index < count else {
        throw .invalidArgument(what: "Hammersley set", reason: "has \(count) points, and no more")
      }
      point[0] = Double(index) / Double(count)
      offset = 1
    }
    index += 1
    guard let generator else { return point }
    let code = point.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.map { gsl_qrng_get(generator, $0 + offset) } ?? Int32(GSL_EFAULT)
    }
    try GSL.check(code, "gsl_qrng_get")
    return point
  }

  /// The first `count` points of a sequence.
  public static func points(_ kind: Kind, count: Int, dimensions: Int) throws(NumericsError) -> [[Double]] {
    var sequence = try QuasiRandomSequence(kind, dimensions: dimensions)
    var result: [[Double]] = []
    for _ in 0..<max(count, 0) { result.append(try sequence.next()) }
    return result
  }
}
